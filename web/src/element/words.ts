// What the element says, in the language of the page around it.

const words = {
  en: {
    view: "Picture with what was found in it",
    found: "{count} found: {list}",
    nothing: "nothing found",
    loading: "Loading the model",
    progress: "Loading the model: {percent} %",
    camera: "Use the camera",
    screen: "Share the screen",
    start: "Start",
    stop: "Stop",
    pause: "Pause",
    resume: "Go on",
    flip: "Other camera",
    snapshot: "Save picture",
    retry: "Try again",
  },
  zh: {
    view: "图片及识别结果",
    found: "识别到 {count} 个：{list}",
    nothing: "没有识别到物体",
    loading: "正在加载模型",
    progress: "正在加载模型：{percent} %",
    camera: "使用摄像头",
    screen: "共享屏幕",
    start: "开始",
    stop: "停止",
    pause: "暂停",
    resume: "继续",
    flip: "切换摄像头",
    snapshot: "保存图片",
    retry: "重试",
  },
} as const;

export type Word = keyof (typeof words)["en"];

/** A word in the language of the nearest `lang` attribute, else of the browser. */
export function word(near: Element, key: Word, values: Record<string, string | number> = {}): string {
  const lang = near.closest("[lang]")?.getAttribute("lang") || document.documentElement.lang || navigator.language;
  const table = /^zh\b/i.test(lang) ? words.zh : words.en;
  return table[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
