// @ts-check
/**
 * Every word the page shows, in one table; another language is another table of the same shape.
 */

/** @param {number} count @param {string} one @param {string} many */
const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

const english = {
  tagline: "Finds mitotic HEp-2 cells in immunofluorescence images.",
  notice: "Research use only, not for diagnostic procedures",
  privacy: "Your images stay on this computer: they are read and classified inside this page.",
  dropTitle: "Drop images or a folder here",
  dropFormats: "Whole fields or single cells, as PNG, TIFF, BMP or JPEG, 8 or 16 bit.",
  chooseFiles: "Choose images",
  chooseFolder: "Choose a folder",
  kindLabel: "Images are",
  kindAuto: "automatic",
  kindField: "whole fields",
  kindCell: "single cells",
  files: "Images",
  gallery: "Cells by decision value",
  galleryHint: "Above zero: mitotic. Highest first.",
  cancel: "Cancel",
  clear: "Clear all",

  loading: "Loading the model…",
  ready: "Ready.",
  noFiles: "No PNG, TIFF, BMP or JPEG file found there.",
  loadFailed: "mitoscope cannot start.",

  label: { mitotic: "mitotic", interphase: "interphase", unknown: "not classified yet" },
  /** @param {number} mitotic @param {number} cells */
  verdict: (mitotic, cells) => `${mitotic} mitotic of ${plural(cells, "cell", "cells")}`,
  /** @param {number} images @param {number} failed */
  verdictScope: (images, failed) =>
    `in ${plural(images, "image", "images")}` + (failed ? `, ${failed} not classified` : ""),
  /** @param {number} images */
  singleCells: (images) => plural(images, "single-cell image", "single-cell images"),
  waiting: "waiting",
  reading: "finding cells…",
  /** @param {number} done @param {number} cells */
  working: (done, cells) => `${done} of ${cells} cells`,
  /** @param {string} counts */
  stopped: (counts) => `stopped: ${counts}`,
  notStarted: "stopped before it was read",

  /** @param {number} image @param {number} images @param {number} done @param {number} cells */
  progress: (image, images, done, cells) =>
    `Image ${image} of ${images}` + (cells ? `: ${done} of ${plural(cells, "cell", "cells")}` : ""),
  /** @param {number} seconds */
  timeLeft: (seconds) =>
    seconds < 90
      ? `about ${Math.max(1, Math.round(seconds))} s left`
      : `about ${Math.round(seconds / 60)} min left`,
  cancelling: "Stopping after this batch…",
  /** @param {string} verdict */
  finished: (verdict) => `Finished: ${verdict}.`,

  /** @param {string} name @param {string} counts */
  fieldLabel: (name, counts) => `Field ${name}, ${counts}. Arrow keys go from cell to cell.`,
  /** @param {string} label @param {string} value @param {string} name */
  cellLabel: (label, value, name) => `${label}, decision value ${value}, ${name}`,
  legendMitotic: "mitotic",
  legendInterphase: "interphase",

  backendCpu: "Runs on the CPU",
  /** @param {string} adapter @param {boolean} software */
  backendGpu: (adapter, software) =>
    `Runs on ${software ? "a software GPU" : "the GPU"}: ${adapter}`,
  /** @param {string} program @param {string} preset @param {string} model @param {string} sha */
  identity: (program, preset, model, sha) =>
    `mitoscope ${program} · model ${preset} ${model} · SHA-256 ${sha}`,

  /** What went wrong, when the error's own sentence is not meant for a person. */
  what: /** @type {Record<string, string>} */ ({
    crashed: "The classifier stopped while it worked on this image and was started again.",
    unreadable: "The browser could not read this file.",
    internal: "Something unexpected went wrong.",
  }),
  /** What to do about it, where the error's own sentence cannot know. */
  remedy: /** @type {Record<string, string>} */ ({
    cell: "A picture of one cell? Set “Images are” to “single cells” and drop it again.",
    "not-classifiable": "Check the image; no label is given for it.",
    model: "Reload the page; if that does not help, the site's model file must be replaced.",
    device: "Put “?backend=cpu” at the end of the page's address to use the CPU.",
    load: "Check that the page is served completely, then reload it.",
    crashed: "The other images go on. If it happens again, try a smaller image.",
    unreadable: "Check that it still exists and that you may open it, then drop it again.",
    internal: "Reload the page and try again.",
  }),
};

/** The words in use. */
export const t = english;

/** A decision value with sign and two decimals. @param {number} value */
export function decisionValue(value) {
  const digits = Math.abs(value).toFixed(2);
  return (value < 0 && Number(digits) !== 0 ? "−" : "+") + digits;
}

/**
 * One sentence on what happened and one on what to do.
 *
 * @param {{ code: string, message: string }} failure
 */
export function explain({ code, message }) {
  const what = t.what[code] ?? message;
  const sentence = what.charAt(0).toUpperCase() + what.slice(1).replace(/\.?$/, ".");
  return { what: sentence, remedy: t.remedy[code] ?? "" };
}
