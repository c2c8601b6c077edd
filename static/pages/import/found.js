// Walks what was dropped or chosen, and yields its files with the path that their sender knows them by.

const OF_THE_COMPUTER = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)$/;

export const isOfTheComputer = (path) => OF_THE_COMPUTER.test(path);

export async function* inEntry(entry, path = "") {
  if (entry.isFile) {
    const file = await new Promise((done, fail) => entry.file(done, fail));
    yield { file, path: path + entry.name };
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail)); // 100 at a time
    if (some.length === 0) return;
    for (const one of some) yield* inEntry(one, `${path}${entry.name}/`);
  }
}

export function* inFiles(files) {
  for (const file of files) yield { file, path: file.webkitRelativePath || file.name };
}

// Tells a file from another of the same name: a file that was changed since is another one.
export const fingerprintOf = (file) => `${file.size}-${file.lastModified}`;
export const keyOf = (path, file) => `${path}\n${fingerprintOf(file)}`;
