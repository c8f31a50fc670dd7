// @ts-check
/**
 * Addresses of the pictures, so that the browser itself decodes and draws them.
 *
 * Invariant: one address a picture, given back when its source is gone.
 *
 * @import { Thumbnails } from "../protocol.js"
 * @import { Cell, Study } from "../study.js"
 */

/** @type {Map<Blob, string>} */
const addresses = new Map();

/** @param {Blob} blob */
export function addressOf(blob) {
  let address = addresses.get(blob);
  if (!address) {
    address = URL.createObjectURL(blob);
    addresses.set(blob, address);
  }
  return address;
}

/** Gives back the addresses of all pictures but those of the study. @param {Study} study */
export function keepOnly({ sources, references }) {
  const kept = new Set(
    sources.flatMap(({ preview, thumbnails }) => [preview, ...(thumbnails?.sheets ?? [])]),
  );
  for (const sheet of references?.thumbnails.sheets ?? []) kept.add(sheet);
  for (const [blob, address] of addresses) {
    if (kept.has(blob)) continue;
    URL.revokeObjectURL(address);
    addresses.delete(blob);
  }
}

/** Shows a cell's thumbnail as the background of `element`. @param {HTMLElement} element @param {Cell} cell */
export function showThumbnail(element, { source, index }) {
  if (source.thumbnails) showOnSheet(element, source.thumbnails, source.cells.length, index);
}

/** Shows one of `count` pictures on sheets as the background of `element`. @param {HTMLElement} element @param {Thumbnails} thumbnails @param {number} count @param {number} index */
export function showOnSheet(element, { columns, rows, sheets }, count, index) {
  const [sheet, place] = [Math.floor(index / (columns * rows)), index % (columns * rows)];
  const here = Math.min(rows, Math.ceil(count / columns) - sheet * rows);
  const [column, row] = [place % columns, Math.floor(place / columns)];
  element.style.backgroundImage = `url("${addressOf(sheets[sheet])}")`;
  element.style.backgroundSize = `${100 * columns}% ${100 * here}%`;
  element.style.backgroundPosition = `${share(column, columns)}% ${share(row, here)}%`;
}

/** Shows the surroundings of a cell, three boxes wide, out of its field. @param {HTMLElement} element @param {Cell} cell */
export function showSurroundings(element, { source, box }) {
  if (!source.preview || !source.size) return false;
  const side = 3 * Math.max(box.w, box.h);
  const { width, height } = source.size;
  const [left, top] = [box.x + box.w / 2 - side / 2, box.y + box.h / 2 - side / 2];
  element.style.backgroundImage = `url("${addressOf(source.preview)}")`;
  element.style.backgroundSize = `${(100 * width) / side}% ${(100 * height) / side}%`;
  element.style.backgroundPosition = `${offset(left, width, side)}% ${offset(top, height, side)}%`;
  return true;
}

/** @param {number} place @param {number} places */
function share(place, places) {
  return places > 1 ? (100 * place) / (places - 1) : 0;
}

/** @param {number} from @param {number} whole @param {number} part */
function offset(from, whole, part) {
  return whole === part ? 0 : (100 * from) / (whole - part);
}
