export const zhCompiler: Readonly<Record<string, string>> = {};
