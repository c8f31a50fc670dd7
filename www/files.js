// @ts-check
/**
 * Files from a drop or a picker, folders included, and the specimen that their names tell.
 *
 * Invariant: from a folder only images by name; a file that the user named is always tried; what cannot
 * be read stands among the files and fails on its own.
 */
import { t } from "./messages.js";

const IMAGE_NAME = /\.(png|tiff?|bmp|jpe?g)$/i;
/** What a name ends with that only counts the fields of a specimen: `_3`, `-f02`, ` (4)`. */
const COUNTER = /(?:(?:^|[\s_.-]+)(?:field|feld|image|img|bild|pos|f))?[\s_.-]*\(?\d+\)?$/i;

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
      files.push(...(await imagesIn(/** @type {FileSystemDirectoryEntry} */ (entry), entry.name)));
    } else if (file) {
      files.push({ file, folder: "" });
    }
  }
  return files;
}

/** @param {FileSystemDirectoryEntry} directory @param {string} folder @returns {Promise<Given[]>} */
async function imagesIn(directory, folder) {
  const reader = directory.createReader();
  const files = [];
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[] | null} */
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve(null)));
    if (!some) files.push({ file: new Unreadable([], directory.name), folder });
    if (!some?.length) break; // a folder is read in portions of about a hundred
    entries.push(...some);
  }
  entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  for (const entry of entries) {
    if (entry.isDirectory) {
      const inner = /** @type {FileSystemDirectoryEntry} */ (entry);
      files.push(...(await imagesIn(inner, `${folder}/${entry.name}`)));
    } else if (IMAGE_NAME.test(entry.name)) {
      const given = /** @type {FileSystemFileEntry} */ (entry);
      /** @type {File} */
      const file = await new Promise((resolve) =>
        given.file(resolve, () => resolve(new Unreadable([], entry.name))),
      );
      files.push({ file, folder });
    }
  }
  return files;
}

/** Stands for what the browser cannot give, so that it gets a row that says so. */
class Unreadable extends File {
  /** @returns {Promise<never>} */
  arrayBuffer() {
    return Promise.reject(new Error(`${this.name} cannot be read`));
  }
}
