// @ts-check
/**
 * Files from a drop or a picker, folders included.
 *
 * Invariant: from a folder only images by name; a file that the user named is always tried.
 */

const IMAGE_NAME = /\.(png|tiff?|bmp|jpe?g)$/i;

/** The image files of a folder picker. @param {FileList | null} list */
export function imagesOf(list) {
  return [...(list ?? [])].filter((file) => IMAGE_NAME.test(file.name));
}

/**
 * The files of a drop, each folder's images after it in order of name.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
export async function dropped(transfer) {
  // Entries must be taken before the first await: the browser clears the list after the event.
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files = [];
  for (const { entry, file } of entries) {
    if (entry?.isDirectory) {
      const folder = await filesIn(/** @type {FileSystemDirectoryEntry} */ (entry));
      files.push(...folder.filter((inner) => IMAGE_NAME.test(inner.name)));
    } else if (file) {
      files.push(file);
    }
  }
  return files;
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<File[]>} */
async function filesIn(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break; // a folder is read in portions of about a hundred
    entries.push(...some);
  }
  entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  const files = [];
  for (const entry of entries) {
    if (entry.isDirectory) {
      files.push(...(await filesIn(/** @type {FileSystemDirectoryEntry} */ (entry))));
    } else {
      const file = /** @type {FileSystemFileEntry} */ (entry);
      files.push(await new Promise((resolve, reject) => file.file(resolve, reject)));
    }
  }
  return files;
}
