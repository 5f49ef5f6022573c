// 关于页面使用中各种意外的文字。

export const zhField = {
  "field.restarted": "引擎曾停止，现已重新启动。",
  "field.thread": "有一个线程不再响应，引擎改用单线程继续运行。",
  "field.silent": "摄像头没有送来画面。它可能正被其他程序使用，或已被关闭。",
  "field.full": "此设备没有空间保存该模型。它照常运行，但关闭页面后需要重新载入。",
  "why.chosen": "单线程：没有要求更多线程。",
  "why.lost": "单线程：另一个线程不再响应。",
  "error.restarted": "引擎曾停止，现已重新启动。请重试。",
} as const;
