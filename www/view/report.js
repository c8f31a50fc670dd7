// @ts-check
/**
 * The printable report: one page a specimen, with its field pictures and all that identifies it.
 *
 * Invariant: each page stands alone and names model, operating point, version and intended use.
 *
 * @import { Source, Specimen, Study } from "../study.js"
 */
import { RESEARCH_USE, percent, t } from "../messages.js";
import { countImages } from "../study.js";
import { labelOf, sourceName, stateOf, valueOf } from "./cell.js";
import { html, svg } from "./dom.js";
import { addressOf, showThumbnail } from "./pictures.js";
import { thresholdInWords } from "./threshold.js";

/** So many fit on one page with everything else. */
const FIELDS = 4;
const CELLS = 8;
const FIELD_HEIGHT_MM = 60;

/** Fills `section` with one page for each specimen in view; settles when all pictures are there. @param {HTMLElement} section @param {Study} study */
export async function fillReport(section, study) {
  const specimens = study.specimen ? [study.specimen] : study.specimens;
  section.replaceChildren(...specimens.map((specimen) => page(specimen, study)));
  await Promise.all([...section.querySelectorAll("img")].map((picture) => picture.decode()));
}

/** @param {Specimen} specimen @param {Study} study */
function page({ name, note, verdict, sources, cells }, study) {
  const { value, name: point } = thresholdInWords(study);
  const models = new Map(sources.flatMap(({ model }) => (model ? [[model.sha256, model]] : [])));
  /** @type {[string, string][]} */
  const facts = [
    [t.reportPoint, `${point} (${value})`],
    ...[...models.values()].map(
      ({ name, sha256, mitoscope }) =>
        /** @type {[string, string]} */ ([
          t.reportModel,
          `${name}, SHA-256 ${sha256}, mitoscope ${mitoscope}`,
        ]),
    ),
    [t.answer, readersOf(cells) || "–"],
    [t.reportDate, new Date().toLocaleString(document.documentElement.lang)],
  ];
  const { images, missing } = countImages(sources);
  facts.push([t.image, t.verdictScope("", images, missing)]);
  if (note) facts.push([t.note, note]);
  const list = html("dl");
  for (const [term, words] of facts) list.append(html("dt", {}, term), html("dd", {}, words));
  const fields = sources.filter(({ preview, size }) => preview && size);
  const best = cells
    .filter(({ prediction }) => prediction)
    .sort((a, b) => Number(b.prediction?.decisionValue) - Number(a.prediction?.decisionValue))
    .slice(0, CELLS);
  const share = verdict.fraction === null ? "" : ` (${percent(verdict.fraction)})`;
  return html(
    "article",
    {},
    html("p", { class: "notice" }, RESEARCH_USE),
    html("h2", {}, t.reportTitle),
    html("h3", {}, name),
    html("p", { class: "big" }, t.preparation(verdict)),
    html(
      "p",
      {},
      `${t.verdict(verdict.mitotic, verdict.cells)}${share}. ${t.preparationWhy(verdict)}`,
    ),
    list,
    html("h3", {}, t.reportFields),
    html("div", { class: "fields" }, ...fields.slice(0, FIELDS).map(field)),
    html("p", {}, fields.length > FIELDS ? t.reportMore : ""),
    html("h3", {}, t.reportCells),
    html("div", { class: "best" }, ...best.map(cellPicture)),
    html("p", { class: "signature" }, `${t.signature}: `),
  );
}

/** Who has answered, not who prints. @param {import("../study.js").Cell[]} cells */
function readersOf(cells) {
  return [...new Set(cells.flatMap(({ answer }) => answer?.reader || []))].join(", ");
}

/** @param {Source} source */
function field(source) {
  const { preview, size, cells, classified } = source;
  if (!preview || !size) throw new Error("a field has a picture and a size");
  const boxes = cells.map((cell) => {
    const { x, y, w, h } = cell.box;
    const frame = { x: `${x}`, y: `${y}`, width: `${w}`, height: `${h}` };
    return svg("rect", { class: `box ${stateOf(cell)}`, ...frame });
  });
  const image = html("img", { alt: "", src: addressOf(preview) });
  const overlay = svg("svg", { viewBox: `0 0 ${size.width} ${size.height}` }, ...boxes);
  const mitotic = cells.filter((cell) => labelOf(cell) === "mitotic").length;
  const words = `${sourceName(source)}: ${t.verdict(mitotic, classified)}`;
  const picture = html("div", { class: "picture" }, image, overlay);
  picture.style.aspectRatio = `${size.width} / ${size.height}`;
  picture.style.maxWidth = `${(FIELD_HEIGHT_MM * size.width) / size.height}mm`;
  return html("figure", {}, picture, html("figcaption", {}, words));
}

/** @param {import("../study.js").Cell} cell */
function cellPicture(cell) {
  const thumbnail = html("span", { class: "thumbnail" });
  showThumbnail(thumbnail, cell);
  const mark = cell.answer ? " ✓" : cell.call.doubt ? " ?" : "";
  return html(
    "div",
    {},
    thumbnail,
    html("span", {}, `${valueOf(cell)} ${t.label[labelOf(cell)]}${mark}`),
  );
}
