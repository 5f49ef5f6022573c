// Words about what befalls a page in use.

export const enField = {
  "field.restarted": "The engine stopped and was started anew.",
  "field.thread": "A thread stopped answering. The engine goes on with one.",
  "field.silent": "The camera sends no pictures. Another program may use it, or it is switched off.",
  "field.full": "This device has no room to keep the model. It runs all the same, and is gone when you close the page.",
  "why.chosen": "One thread: more were not asked for.",
  "why.lost": "One thread: another one stopped answering.",
  "error.restarted": "The engine stopped and was started anew. Try again.",
} as const;
