// Asks what a model's file does not say; guesses are filled in.

import { cocoNames } from "../i18n/classes.ts";
import { type Key, language, t } from "../i18n/i18n.ts";
import { $, make } from "../ui/dom.ts";
import { dialog } from "./dialog.ts";
import type { Description, Options, Question } from "./types.ts";

const element = dialog("questions");
const fields = $("questions-fields");
/** What reads each field's answer. */
type Reader = () => Promise<Options> | Options;

/** Asks the questions; null where the person would rather not. `more` offers what was guessed, too. */
export async function ask(about: Description, now: Options, more: boolean): Promise<Options | null> {
  const questions = [...about.questions];
  if (more && about.heads.length && !questions.some((q) => q.kind === "head")) {
    questions.push({ kind: "head", needed: false, reason: about.took, guess: about.head, scale: "", count: 0 });
  }
  if (more && now.classes && !questions.some((q) => q.kind === "classes")) {
    questions.push({
      kind: "classes",
      needed: false,
      reason: { en: "", zh: "" },
      guess: "",
      scale: "",
      count: about.count,
    });
  }
  $("questions-lead").textContent = t(questions.some((q) => q.needed) ? "ask.needed" : "ask.lead", {
    name: about.name,
  });
  fields.replaceChildren();
  const readers = questions.map((q) => field(q, about, now));
  element.returnValue = "";
  element.showModal();
  await new Promise((resolve) => element.addEventListener("close", resolve, { once: true }));
  if (element.returnValue !== "run") return null;
  const answers = await Promise.all(readers.map((read) => read()));
  return Object.assign({}, ...answers) as Options;
}

function field(question: Question, about: Description, now: Options): Reader {
  const kinds = { yaml: askYAML, head: askHead, classes: askClasses, residual: askResidual };
  const { nodes, read } = kinds[question.kind](question, about, now);
  fields.append(...nodes);
  return read;
}

interface Field {
  nodes: Node[];
  read: Reader;
}

function askYAML(question: Question, about: Description): Field {
  const network = choice("ask-network", about.builtins, question.guess);
  const scale = choice("ask-scale", ["n", "s", "m", "l", "x"], question.scale || "n");
  const file = make("input", { type: "file", id: "ask-yaml", accept: ".yaml,.yml,.json" });
  return {
    nodes: [
      help(t("ask.yaml.help")),
      row("ask.yaml.file", file),
      row("ask.yaml.network", network),
      row("ask.yaml.scale", scale),
      ...(question.reason.en ? [help(question.reason[language()])] : []),
    ],
    read: async () => {
      const given = file.files?.[0];
      if (given) return { yaml: await given.text() };
      return { builtin: network.value, scale: scale.value };
    },
  };
}

function askHead(question: Question, about: Description): Field {
  const head = choice("ask-head", about.heads, question.guess, (name) => t(`head.${name}` as Key));
  return {
    nodes: [row("ask.head", head), ...(question.reason.en ? [help(question.reason[language()])] : [])],
    read: () => ({ head: head.value }),
  };
}

function askClasses(question: Question, about: Description, now: Options): Field {
  const area = make("textarea", { id: "ask-classes", rows: "6", spellcheck: "false" });
  const coco = question.count === cocoNames.length && about.task !== "classify";
  const guess = about.classes?.length ? about.classes : coco ? cocoNames : [];
  area.value = (now.classes ?? guess).join("\n");
  return {
    nodes: [row("ask.classes", area), help(t("ask.classes.help", { count: question.count }))],
    read: () => {
      const names = area.value.split(/\r?\n|,/).flatMap((line) => line.trim() || []);
      for (let id = names.length; id < question.count; id++) names.push(String(id));
      return names.length ? { classes: names.slice(0, question.count) } : {};
    },
  };
}

function askResidual(question: Question, _about: Description, now: Options): Field {
  const text = (value: string) => t(value === "true" ? "ask.residual.true" : "ask.residual.false");
  const select = choice("ask-residual", ["false", "true"], now.residual ?? question.guess, text);
  return {
    nodes: [row("ask.residual", select), help(t("ask.residual.help"))],
    read: () => ({ residual: select.value === "true" ? "true" : "false" }),
  };
}

function choice(id: string, values: readonly string[], chosen: string, text = (value: string) => value) {
  const select = make("select", { id, class: "select" });
  select.append(...values.map((value) => make("option", { value }, text(value))));
  if (values.includes(chosen)) select.value = chosen;
  return select;
}

function row(label: Key, control: HTMLElement): HTMLElement {
  return make("div", { class: "ask" }, make("label", { for: control.id }, t(label)), control);
}

function help(text: string): HTMLElement {
  return make("p", { class: "help" }, text);
}
