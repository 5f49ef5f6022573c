// What the compiler says, in Chinese: by the format that it has in Go (package models/say),
// with {1}, {2} ... in place of its values.
// The compiler's worker translates, so that only those who bring a model load these words.

import { zhSaidFiles } from "./zh-said-files.ts";
import { zhSaidONNX } from "./zh-said-onnx.ts";

export const zhSaid: Readonly<Record<string, string>> = {
  ...zhSaidFiles,
  ...zhSaidONNX,
  "output %s is computed by no node": "输出 {1} 没有节点计算",
  "input %s is computed by no earlier node": "输入 {1} 没有更早的节点计算",
  "shape %v of the result is not known": "结果的形状 {1} 未知",
  "the compiler has no such operation": "编译器没有这种运算",
  "layer %s (%s): %w": "层 {1}（{2}）：{3}",
  "there is no kernel for it": "它没有内核",
  "mode %q is not known": "未知的模式 {1}",
  "a power needs one constant exponent": "幂运算需要一个常量指数",
  "exponent %g: there are 0.5, 1, 2 and 3": "指数 {1}：只有 0.5、1、2 和 3",
  "heads of %d channels: want a multiple of 4": "每个头有 {1} 个通道：需要 4 的倍数",
  "a classifier has one output, this one %d": "分类器应有一个输出，它有 {1} 个",
  "the classifier's output %s has shape %v: want one number a class":
    "分类器的输出 {1} 的形状为 {2}：每个种类应有一个数",
  "head %q is not known": "未知的检测头 {1}",
  "output %d (%s) has shape %v: heads read maps of channels, height and width":
    "输出 {1}（{2}）的形状为 {3}：检测头读取由通道、高、宽构成的特征图",
  "level %d of the head reads %s from output %d of %d": "检测头第 {1} 层从输出 {3} 读取 {2}，而输出共有 {4} 个",
  "level %d of the head reads %s up to channel %d of %s, which has %d":
    "检测头第 {1} 层读取 {4} 的 {2} 直到通道 {3}，而它有 {5} 个通道",
  "the network needs %d MiB of memory, WebAssembly has 4096": "网络需要 {1} MiB 内存，WebAssembly 只有 4096",
  "manifest: %w": "清单：{1}",
  "layer %s: a weight is too large for float16": "层 {1}：有权重太大，float16 无法容纳",
  "the network takes no picture of three channels": "网络不接受三通道的画面",
  "an input of %d x %d pixels does not fit: layer %s has stride %d, so width and height must be multiples of %d":
    "{1} × {2} 像素的输入不合适：层 {3} 的步长为 {4}，因此宽和高必须是 {5} 的倍数",
  "no file is open": "没有打开的文件",
  "no model is open": "没有打开的模型",
  "the compiler met a mistake of its own: %v\n%s": "编译器自身出错：{1}\n{2}",
};
