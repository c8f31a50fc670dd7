// @ts-check
/** Test images: real fields where they are, simulated ones otherwise, and damaged files. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { PROJECT } from "./site.mjs";

export const DATA = process.env.MITOSCOPE_DATA ?? join(PROJECT, "../shared/data/hep2-agh");

/** Whether the real fields are there; says loudly when not. @param {string} what needs them */
export function realData(what) {
  const there = existsSync(join(DATA, "cells.csv"));
  if (!there) console.log(`\nSKIPPED: real cells for "${what}": ${DATA} holds no cells.csv\n`);
  return there;
}

/**
 * Rows of the cell table of the real fields.
 *
 * @returns {Promise<Record<string, string>[]>}
 */
export async function cellTable() {
  const [head, ...lines] = (await readFile(join(DATA, "cells.csv"), "utf8")).trim().split(/\r?\n/);
  const names = head.split(",");
  return lines.map((line) => {
    const values = line.split(",");
    return Object.fromEntries(names.map((name, i) => [name, values[i]]));
  });
}

/**
 * A dark, noisy field with bright textured discs on a jittered grid.
 *
 * @param {number} columns @param {number} rows
 */
export function simulatedField(columns = 4, rows = 3) {
  const pitch = 120;
  const [width, height] = [columns * pitch, rows * pitch];
  const grey = new Uint8Array(width * height);
  const boxes = [];
  const random = seeded(7);
  for (let i = 0; i < grey.length; i++) grey[i] = 12 + 10 * random();
  for (let cell = 0; cell < columns * rows; cell++) {
    const cx = ((cell % columns) + 0.5) * pitch + 12 * (random() - 0.5);
    const cy = (Math.floor(cell / columns) + 0.5) * pitch + 12 * (random() - 0.5);
    const radius = 30 + 5 * random();
    boxes.push({ x: cx - radius, y: cy - radius, w: 2 * radius, h: 2 * radius });
    for (let y = Math.floor(cy - radius); y <= cy + radius; y++) {
      for (let x = Math.floor(cx - radius); x <= cx + radius; x++) {
        if (Math.hypot(x - cx, y - cy) < radius) grey[y * width + x] = 120 + 60 * random();
      }
    }
  }
  return { width, height, grey, boxes };
}

/** One bright disc on dark ground, as a crop of a cell. @param {number} seed */
export function simulatedCell(seed) {
  const side = 80;
  const random = seeded(seed);
  const grey = new Uint8Array(side * side).map((_, i) => {
    const distance = Math.hypot((i % side) - 40, Math.floor(i / side) - 40);
    return distance < 26 ? 100 + 90 * random() : 14 + 8 * random();
  });
  return { width: side, height: side, grey };
}

/** 8-bit grey PNG. @param {{ width: number, height: number, grey: Uint8Array }} image */
export function png({ width, height, grey }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    rows.set(grey.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  /** @param {string} type @param {Buffer} data */
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** 24-bit BMP. @param {{ width: number, height: number, grey: Uint8Array }} image */
export function bmp({ width, height, grey }) {
  const stride = Math.ceil((3 * width) / 4) * 4;
  const file = Buffer.alloc(54 + stride * height);
  file.write("BM");
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  file.writeUInt32LE(stride * height, 34);
  for (let y = 0; y < height; y++) {
    const row = 54 + (height - 1 - y) * stride;
    for (let x = 0; x < width; x++) file.fill(grey[y * width + x], row + 3 * x, row + 3 * x + 3);
  }
  return file;
}

/**
 * An uncompressed little-endian TIFF: one page each of 8 or 16 bit grey, or of 8 bit red, green, blue.
 *
 * @typedef {{ width: number, height: number, samples: Uint8Array | Uint16Array, colours: 1 | 3 }} Page
 * @param {Page[]} pages
 */
export function tiff(pages) {
  const parts = [Buffer.from("II*\0\0\0\0\0", "latin1")];
  let [at, link] = [8, 4];
  for (const { width, height, samples, colours } of pages) {
    const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    const bits = 8 * samples.BYTES_PER_ELEMENT;
    // Three equal 16-bit numbers do not fit into an entry, so they lie behind the samples.
    const depths = Buffer.alloc(6);
    for (const place of [0, 2, 4]) depths.writeUInt16LE(bits, place);
    const directory = Buffer.alloc(2 + 12 * 9 + 4);
    const entries = [
      ...[
        [256, 4, 1, width],
        [257, 4, 1, height],
      ],
      colours === 1 ? [258, 3, 1, bits] : [258, 3, 3, at + data.length],
      ...[
        [259, 3, 1, 1],
        [262, 3, 1, colours === 1 ? 1 : 2],
        [273, 4, 1, at],
      ],
      ...[
        [277, 3, 1, colours],
        [278, 4, 1, height],
        [279, 4, 1, data.length],
      ],
    ];
    directory.writeUInt16LE(entries.length, 0);
    entries.forEach(([tag, type, count, value], i) => {
      directory.writeUInt16LE(tag, 2 + 12 * i);
      directory.writeUInt16LE(type, 4 + 12 * i);
      directory.writeUInt32LE(count, 6 + 12 * i);
      directory.writeUInt32LE(value, 10 + 12 * i);
    });
    const start = at + data.length + depths.length;
    // The link before this page, which lies in the part before it.
    parts[parts.length - 1].writeUInt32LE(start, link);
    parts.push(data, depths, directory);
    at = start + directory.length;
    link = directory.length - 4;
  }
  return Buffer.concat(parts);
}

/** The header of a TIFF whose directory lies beyond the end of the file. */
export function truncatedTiff() {
  return Buffer.concat([
    Buffer.from("II*\0", "latin1"),
    Buffer.from([0xff, 0xff, 0, 0]),
    Buffer.alloc(64),
  ]);
}

/** A file as the picker gives it. @param {string} name @param {Buffer} buffer */
export function file(name, buffer) {
  return { name, mimeType: "application/octet-stream", buffer };
}

/** Uniform numbers in [0, 1) from a seed. @param {number} seed */
export function seeded(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x80000000;
}
