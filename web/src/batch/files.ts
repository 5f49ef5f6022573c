// Finds the pictures in what people choose or drop: folders with all that is in them, or files.

/** A picture that may be read later. */
export interface Item {
  /** Its name with the folders that it lies in, below the one that was chosen. */
  path: string;
  file: () => Promise<File>;
}

export interface Collection {
  /** Name of the folder; "" for loose files. */
  name: string;
  items: Item[];
  /** Files that are no pictures, by their names. */
  others: number;
}

/** What a person gave: files, entries of a drop, or a folder. */
export type Given = readonly File[] | readonly FileSystemEntry[] | FileSystemDirectoryHandle;

const pictureName = /\.(jpe?g|jfif|png|webp|gif|bmp|avif|hei[cf]|tiff?|jxl)$/i;

/** Whether a name is that of a picture. What starts with a dot are systems' own notes beside them. */
function isPicture(path: string, type = ""): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return !name.startsWith(".") && (pictureName.test(name) || /^image\/(?!svg)/.test(type));
}

/** Lists all pictures, sorted as people count; `tell` hears how many there are so far. */
export async function collect(given: Given, tell: (count: number) => void, signal: AbortSignal): Promise<Collection> {
  const found: Collection = { name: "", items: [], others: 0 };
  const add: Add = (path, type, file) => {
    signal.throwIfAborted();
    if (!isPicture(path, type)) {
      found.others++;
      return;
    }
    found.items.push({ path, file });
    if (found.items.length % 100 === 0) tell(found.items.length);
  };
  if (!Array.isArray(given)) {
    const handle = given as FileSystemDirectoryHandle;
    found.name = handle.name;
    await walkHandle(handle, "", add);
  } else if (given[0] instanceof File) found.name = addFiles(given as File[], add);
  else found.name = await walkEntries(given as FileSystemEntry[], add);
  const order = new Intl.Collator(undefined, { numeric: true });
  found.items.sort((a, b) => order.compare(a.path, b.path));
  return found;
}

type Add = (path: string, type: string, file: () => Promise<File>) => void;

/** Files of an input; those of a folder know their way. */
function addFiles(files: readonly File[], add: Add): string {
  let folder = "";
  for (const file of files) {
    const [first = "", ...rest] = file.webkitRelativePath.split("/");
    if (rest.length) folder = first;
    add(rest.length ? rest.join("/") : file.name, file.type, async () => file);
  }
  return folder;
}

async function walkHandle(folder: FileSystemDirectoryHandle, path: string, add: Add): Promise<void> {
  for await (const handle of folder.values()) {
    if (handle.kind === "directory")
      await walkHandle(handle as FileSystemDirectoryHandle, `${path}${handle.name}/`, add);
    else add(path + handle.name, "", () => (handle as FileSystemFileHandle).getFile());
  }
}

/** Entries of a drop; a single folder gives its name to the whole. */
async function walkEntries(entries: readonly FileSystemEntry[], add: Add): Promise<string> {
  const [only] = entries;
  if (entries.length !== 1 || !only?.isDirectory) {
    for (const entry of entries) await walkEntry(entry, "", add);
    return "";
  }
  for (const entry of await childrenOf(only as FileSystemDirectoryEntry)) await walkEntry(entry, "", add);
  return only.name;
}

async function walkEntry(entry: FileSystemEntry, path: string, add: Add): Promise<void> {
  if (entry.isFile) {
    add(path + entry.name, "", () => new Promise((done, failed) => (entry as FileSystemFileEntry).file(done, failed)));
    return;
  }
  for (const child of await childrenOf(entry as FileSystemDirectoryEntry)) {
    await walkEntry(child, `${path}${entry.name}/`, add);
  }
}

/** Browsers give a folder's entries by the hundred. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
