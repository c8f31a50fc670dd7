// @ts-check
/** Project files of any size, for what would take hours to classify. */
import { createHash } from "node:crypto";
import { png } from "./images.mjs";

const SIDE = 128;
const [COLUMNS, ROWS] = [8, 8];

/**
 * A project of fields with made-up decision values.
 *
 * @param {number} fields
 * @param {number} cellsOfField
 * @param {boolean} [together] as one specimen; else each field is its own
 */
export function madeUpProject(fields, cellsOfField, together = false) {
  const cells = Array.from({ length: cellsOfField }, (_, i) => {
    const box = { x: 40 + 100 * (i % 12), y: 40 + 100 * Math.floor(i / 12), w: 80, h: 80 };
    return { name: "", box };
  });
  const sheets = Math.ceil(cellsOfField / (COLUMNS * ROWS));
  const [field, sheet] = [png(discs(1280, 960)), png(discs(COLUMNS * SIDE, ROWS * SIDE))];
  const last = Math.ceil(cellsOfField / COLUMNS) - (sheets - 1) * ROWS;
  const lastSheet = png(discs(COLUMNS * SIDE, last * SIDE));
  /** @type {Buffer[]} */
  const pictures = [];
  /** @type {Record<string, string | number>} */
  const ledger = {};
  const sources = Array.from({ length: fields }, (_, f) => {
    const id = f + 1;
    const specimen = together ? 1 : id;
    ledger[`source/${id}`] = `${specimen}`;
    ledger[`specimen/${specimen}/name`] = `S${String(specimen).padStart(3, "0")}`;
    const name = `S${id}-1.png`;
    const first = pictures.push(field) - 1;
    for (let i = 0; i < sheets; i++) pictures.push(i < sheets - 1 ? sheet : lastSheet);
    return {
      ...{ id, name, images: 1, status: "done", size: { width: 1280, height: 960 } },
      preview: first,
      thumbnails: {
        ...{ columns: COLUMNS, rows: ROWS },
        sheets: Array.from({ length: sheets }, (_, i) => first + 1 + i),
      },
      failure: null,
      model: { sha256: "00".repeat(32), name: "made up", mitoscope: "0", operatingPoints: [] },
      cells: cells.map(({ box }, i) => ({ name, box, prediction: prediction(f, i) })),
    };
  });
  const records = pictures.map((bytes) => ({
    bytes: bytes.length,
    type: "image/png",
    sha256: digest(bytes),
  }));
  const content = { notice: "made up", ledger, sources, pictures: records };
  const json = Buffer.from(JSON.stringify(content));
  const head = Buffer.from(`mitoscope-project 1 ${json.length} ${digest(json)}\n`);
  return Buffer.concat([head, json, ...pictures]);
}

/** @param {number} field @param {number} cell */
function prediction(field, cell) {
  const spread = Math.sin(12.9898 * (field + 1) + 78.233 * (cell + 1)) * 43758.5453;
  const decisionValue = 3.4 * (spread - Math.floor(spread)) - 2.6;
  const label = decisionValue > 0 ? "mitotic" : "interphase";
  return { decisionValue, probability: 1 / (1 + Math.exp(-2 * decisionValue)), prediction: label };
}

/** @param {number} width @param {number} height */
function discs(width, height) {
  const grey = new Uint8Array(width * height).map((_, i) => {
    const distance = Math.hypot((i % SIDE) - 64, (Math.floor(i / width) % SIDE) - 64);
    return distance < 42 ? 150 : 16;
  });
  return { width, height, grey };
}

/** @param {Buffer} bytes */
function digest(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
