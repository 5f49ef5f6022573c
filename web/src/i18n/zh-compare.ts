// The words about two models side by side, in Chinese.

import type { enCompare } from "./en-compare.ts";

export const zhCompare: Record<keyof typeof enCompare, string> = {
  "compare.open": "对比",
  "compare.title": "并排对比",
  "compare.lead": "A 是本页正在运行的模型，使用本页的设置；B 看的是完全相同的画面。两者轮流独占处理器。",
  "compare.close": "关闭",
  "compare.same": "与 A 相同",
  "compare.own": "{size} · 置信度 {confidence} · 重叠 {iou}",
  "compare.figures": "每张 {ms} 毫秒 · 找到 {count} 个",
  "compare.onlyA": "仅 A：{count}",
  "compare.both": "两者都有（A | B）：{count}",
  "compare.onlyB": "仅 B：{count}",
  "compare.more": "另有 {count} 个",
  "compare.spoken": "两者都找到 {both} 个，仅 A 找到 {a} 个，仅 B 找到 {b} 个",
  "compare.picture": "同一画面，B 找到 {count} 个",
  "compare.loading": "正在加载 B…",
  "compare.stage": "正在准备 B：{stage}",
};
