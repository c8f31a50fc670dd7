// @ts-check
/**
 * Files from a drop or a picker, folders included, and the specimen that their names tell.
 *
 * Invariant: from a folder only images by name; a file that the user named is always tried.
 */
import { t } from "./messages.js";

const IMAGE_NAME = /\.(png|tiff?|bmp|jpe?g)$/i;
/** What a name ends with that only counts the fields of a specimen: `_3`, `-f02`, ` (4)`. */
const COUNTER = /[\s_.-]*(?:field|feld|image|img|bild|pos|f)?[\s_.-]*\(?\d+\)?$/i;

/** @typedef {{ file: File, folder: string }} Given `folder`: path from what was dropped, or empty */

/** The files of a picker. @param {FileList | null} list @returns {Given[]} */
export function picked(list) {
  return [...(list ?? [])].map((file) => ({ file, folder: "" }));
}

/** The image files of a folder picker. @param {FileList | null} list @returns {Given[]} */
export function imagesOf(list) {
  return [...(list ?? [])]
    .filter((file) => IMAGE_NAME.test(file.name))
    .map((file) => ({ file, folder: file.webkitRelativePath.split("/").slice(0, -1).join("/") }));
}

/** The specimen a file belongs to: its folder, else its name without the counter. @param {Given} given */
export function specimenName({ file, folder }) {
  if (folder) return folder;
  const stem = file.name.replace(/\.[^.]+$/, "");
  return stem.replace(COUNTER, "") || t.specimen;
}

/**
 * The files of a drop, each folder's images after it in order of name.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<Given[]>}
 */
export async function dropped(transfer) {
  // Entries must be taken before the first await: the browser clears the list after the event.
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files = [];
  for (const { entry, file } of entries) {
    if (entry?.isDirectory) {
      const folder = await filesIn(/** @type {FileSystemDirectoryEntry} */ (entry), entry.name);
      files.push(...folder.filter((inner) => IMAGE_NAME.test(inner.file.name)));
    } else if (file) {
      files.push({ file, folder: "" });
    }
  }
  return files;
}

/** @param {FileSystemDirectoryEntry} directory @param {string} folder @returns {Promise<Given[]>} */
async function filesIn(directory, folder) {
  const reader = directory.createReader();
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
      const inner = /** @type {FileSystemDirectoryEntry} */ (entry);
      files.push(...(await filesIn(inner, `${folder}/${entry.name}`)));
    } else {
      const given = /** @type {FileSystemFileEntry} */ (entry);
      const file = await new Promise((resolve, reject) => given.file(resolve, reject));
      files.push({ file, folder });
    }
  }
  return files;
}
