// @ts-check
/** Project files of any size, for what would take hours to classify. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { png } from "./images.mjs";
import { DIST } from "./site.mjs";

const SIDE = 128;
const [COLUMNS, ROWS] = [8, 8];

/** SHA-256 of the site's own model. */
export async function modelSha256() {
  return digest(await readFile(join(DIST, "www/model/model.safetensors")));
}

/** The manifest of the bundled model. @returns {Promise<any>} */
export async function modelManifest() {
  const bytes = await readFile(join(DIST, "www/model/model.safetensors"));
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE()));
  return JSON.parse(JSON.parse(header.toString()).__metadata__.mitoscope);
}

/**
 * A project of fields with made-up decision values, points and neighbours.
 *
 * @param {number} fields
 * @param {number} cellsOfField
 * @param {object} [options]
 * @param {boolean} [options.together] as one specimen; else each field is its own
 * @param {string} [options.sha256] of the model that is said to have classified it
 * @param {{ name: string, threshold: number }[]} [options.operatingPoints] of that model
 */
export function madeUpProject(
  fields,
  cellsOfField,
  { together = false, sha256 = "00".repeat(32), operatingPoints = [] } = {},
) {
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
      model: { sha256, name: "made up", mitoscope: "0", operatingPoints },
      cells: cells.map(({ box }, i) => ({ name, box, prediction: prediction(f, i) })),
    };
  });
  const records = pictures.map((bytes) => ({
    bytes: bytes.length,
    type: "image/png",
    sha256: digest(bytes),
  }));
  return sealed({ notice: "made up", ledger, sources, pictures: records }, pictures);
}

/** A project whose content is changed and sealed anew. @param {Buffer} project @param {(content: any) => void} change */
export function forged(project, change) {
  const start = project.indexOf("\n") + 1;
  const end = start + Number(project.subarray(0, start).toString().split(" ")[2]);
  const content = JSON.parse(project.subarray(start, end).toString());
  change(content);
  return sealed(content, [project.subarray(end)]);
}

/** @param {unknown} content @param {Buffer[]} pictures */
function sealed(content, pictures) {
  const json = Buffer.from(JSON.stringify(content));
  const head = Buffer.from(`mitoscope-project 1 ${json.length} ${digest(json)}\n`);
  return Buffer.concat([head, json, ...pictures]);
}

/** @param {number} field @param {number} cell */
function prediction(field, cell) {
  const spread = Math.sin(12.9898 * (field + 1) + 78.233 * (cell + 1)) * 43758.5453;
  const decisionValue = 3.4 * (spread - Math.floor(spread)) - 2.6;
  const label = decisionValue > 0 ? "mitotic" : "interphase";
  const angle = 2.4 * (cell + 1); // a spiral, so that no two lie on one another
  const radius = 0.02 * Math.sqrt(1 + (cell % 100)) + 0.2 * (field / 100);
  return {
    decisionValue,
    probability: 1 / (1 + Math.exp(-2 * decisionValue)),
    prediction: label,
    point: [0.1 * decisionValue + radius * Math.cos(angle), radius * Math.sin(angle)],
    neighbours: [0, 1, 2, 3, 4].map((index) => ({ index, distance: 0.31415926 + 0.1 * index })),
  };
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
