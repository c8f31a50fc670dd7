// @ts-check
/**
 * A study as CSV and as JSON.
 *
 * Invariant: every row and every file names model, operating point, version and the intended use; no
 * text can run as a formula in a spreadsheet.
 *
 * @import { Cell, Source, Study } from "./study.js"
 */
import { RESEARCH_USE } from "./messages.js";

/**
 * The first columns are those of `mitoscope detect` and of the cell table, which can be trained on: an image
 * lies below what was dropped, and one of a single cell has no box.
 */
const COLUMNS =
  "image,x,y,w,h,decision_value,probability,prediction,doubt,label,specimen,page,channel,cell,final," +
  "reader,read_at,operating_point,threshold,model,model_sha256,mitoscope_version,notice";

/** Name of the threshold in use. @param {Study} study */
export function operatingPoint(study) {
  const names = study.points
    .filter(({ threshold }) => threshold === study.threshold)
    .map(({ name }) => name);
  return names.join(" = ") || "custom";
}

/** One row a classified cell; `label` is the reader's answer. @param {Study} study */
export function csv(study) {
  const point = [operatingPoint(study), study.threshold];
  const rows = study.specimens.flatMap((specimen) =>
    classified(specimen.cells).map((cell) => {
      const { box, prediction, call, answer, source } = cell;
      const { sha256, name, mitoscope } = source.model ?? {};
      return [
        ...[imageOf(cell), ...(source.size ? [box.x, box.y, box.w, box.h] : ["", "", "", ""])],
        ...[prediction?.decisionValue, prediction?.probability, call.model, call.doubt],
        ...[answer?.label, specimen.name, source.page + 1, source.channel, cell.id, call.label],
        ...[answer?.reader, answer?.at, ...point, name, sha256, mitoscope, RESEARCH_USE],
      ];
    }),
  );
  return [COLUMNS, ...rows.map((row) => row.map(field).join(","))].join("\r\n") + "\r\n";
}

/** Verdicts and cells of every specimen. @param {Study} study */
export function json(study) {
  const models = new Map(
    study.sources.flatMap(({ model }) => (model ? [[model.sha256, model]] : [])),
  );
  const content = {
    notice: RESEARCH_USE,
    operatingPoint: { name: operatingPoint(study), threshold: study.threshold },
    models: [...models.values()].map(({ sha256, name, mitoscope }) => ({
      ...{ sha256, name, mitoscopeVersion: mitoscope },
    })),
    reader: study.reader,
    specimens: study.specimens.map(({ name, note, gradable, verdict, sources, cells }) => ({
      ...{ name, note, gradable, verdict },
      images: sources.map((source) => ({
        ...{ name: source.name, folder: source.folder, images: source.images, status: source.status },
        ...{ page: source.page + 1, channel: source.channel, size: source.size },
        ...{ failure: source.failure, modelSha256: source.model?.sha256 ?? null },
      })),
      cells: classified(cells).map((cell) => ({
        ...{ id: cell.id, image: imageOf(cell), box: cell.box, ...cell.prediction },
        ...{ prediction: cell.call.model, final: cell.call.label, doubt: cell.call.doubt },
        answer: cell.answer,
      })),
    })),
  };
  return JSON.stringify(content, null, 1) + "\n";
}

/** The path of a cell's image, from what was dropped. @param {Cell} cell */
function imageOf({ name, source }) {
  return source.folder ? `${source.folder}/${name}` : name;
}

/** @param {Cell[]} cells */
function classified(cells) {
  return cells.filter(({ prediction }) => prediction);
}

/** One field of a CSV row. @param {string | number | null | undefined} value */
function field(value) {
  if (typeof value === "number") return String(value);
  // A spreadsheet takes these for the start of a formula, after blanks and some other signs too, and where it
  // parts columns at semicolons, after each.
  const starts = /(^|;)(?=[\s'"]*[=+\-@|%＝＋－＠])|^(?=[\t\r\n])/g;
  const safe = (value ?? "").replace(starts, "$1'");
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
