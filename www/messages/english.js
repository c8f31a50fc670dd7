// @ts-check
/** English, and with it the shape of every other language. */

/** @param {number} count @param {string} one @param {string} many */
const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

export const english = {
  decimal: ".",
  tagline: "Finds mitotic HEp-2 cells in immunofluorescence images.",
  notice: "Research use only, not for diagnostic procedures",
  privacy: "Your images stay on this computer: they are read and classified inside this page.",
  language: "Language",
  help: "How it works",
  dropTitle: "Drop the fields of a specimen here",
  dropFormats: "Whole fields, single cells or folders, as PNG, TIFF, BMP or JPEG, 8 or 16 bit.",
  chooseFiles: "Choose images",
  chooseFolder: "Choose a folder",
  samples: "Try simulated samples",
  openProject: "Open a project",
  kindLabel: "Images are",
  kindAuto: "automatic",
  kindField: "whole fields",
  kindCell: "single cells",

  guideTitle: "From fields to a confirmed verdict in three steps",
  guideSteps: [
    "Drop all fields of a specimen together. Files of one folder, or whose names differ only in their number, become one specimen; rename or merge specimens at any time.",
    "Read what the model found, uncertain cells first: one key each. M is mitotic, I is interphase, C agrees with the model, U takes your answer back. Ctrl+Z undoes.",
    "When enough mitotic cells are confirmed, the preparation check is passed. Export the cells, a printable report, or a project file that opens here again.",
  ],
  guideClose: "Got it",

  actions: "Actions",
  reader: "Reader",
  undo: "Undo",
  redo: "Redo",
  exportMenu: "Export",
  exportCsv: "Cells as CSV",
  exportJson: "All as JSON",
  exportReport: "Print a report",
  exportProject: "Project file",
  keep: "Keep my work in this browser",
  erase: "Erase all that is kept",
  erased: "Nothing of your work is kept in this browser any more.",
  kept: "Your work is kept in this browser until you erase it.",
  keepAsk:
    "Other work is kept in this browser already, from another tab. Keep the work on this page in its place?",
  keepYes: "Replace it",
  lost: {
    overtaken:
      "Another tab has changed the work that is kept: this tab keeps nothing any more. Export a project file, or reload to see the other tab's work.",
    erased: "Another tab has erased what was kept: this tab keeps nothing any more.",
  },
  resumed: "Your work of the last visit is back.",
  clear: "Clear all",
  cancel: "Cancel",
  report: "Report",
  no: "Cancel",
  replaceAsk: "Open this project in place of the work on the page? What is not exported is lost.",
  replaceYes: "Open the project",
  clearAsk: "Clear all images, cells and answers? What is not exported is lost.",
  clearYes: "Clear all",
  opened: "The project is open.",

  specimen: "Specimen",
  specimens: "Specimens",
  allSpecimens: "All specimens",
  specimenName: "Specimen",
  mergeInto: "Merge into",
  mergeChoose: "choose…",
  note: "Note",
  ungradable: "Not gradable (out of focus, too few cells, damaged)",
  newSpecimen: "a new specimen",
  moveTo: "Belongs to",

  needed: "Confirmed mitotic cells needed",
  review: "Review uncertain cells first",
  /** @param {import("../verdict.js").Verdict} v */
  preparation: (v) =>
    ({
      passed: `Preparation check: ≥ ${plural(v.needed, "confirmed mitotic cell", "confirmed mitotic cells")}`,
      open: "Preparation check: open",
      few: `Preparation check: fewer than ${v.needed} confirmed`,
      none: "Preparation check: none found",
      ungradable: "Preparation check: not gradable",
    })[v.preparation],
  /** @param {import("../verdict.js").Verdict} v */
  preparationWhy: (v) =>
    `${v.confirmed} confirmed, ${plural(v.candidates, "candidate", "candidates")} and ` +
    `${plural(v.doubtful, "uncertain cell", "uncertain cells")} not yet read.`,
  /** @param {number} passed @param {number} specimens */
  preparations: (passed, specimens) =>
    `Preparation check passed by ${passed} of ${plural(specimens, "specimen", "specimens")}`,
  short: {
    passed: "passed",
    open: "open",
    few: "too few",
    none: "none found",
    ungradable: "not gradable",
  },

  points: "Operating points",
  /** @type {Record<string, string>} */
  point: {
    boundary: "SVM boundary",
    balanced: "balanced",
    triage: "triage",
    precise: "precise",
  },
  custom: "own threshold",
  threshold: "Threshold on the decision value",
  /** @param {string} value @param {string} name */
  thresholdWords: (value, name) =>
    `Mitotic above ${value} (${name}). Shaded: uncertain.`,
  /** @param {number} above @param {number} below @param {string} value */
  histogram: (above, below, value) =>
    `Histogram of decision values: ${above} above the threshold of ${value}, ${below} not above.`,

  gallery: "Cells",
  detail: "Cell",
  detailEmpty: "Choose a cell in the field or in the gallery.",
  filterClass: "Class",
  filterState: "Show",
  sort: "Order",
  all: "all",
  mitotic: "mitotic",
  interphase: "interphase",
  stateReview: "to review",
  stateUncertain: "uncertain",
  stateCertain: "certain",
  stateAnswered: "read",
  stateDisagreement: "reader ≠ model",
  stateGathered: "chosen on the map",
  sortValue: "decision value",
  sortDoubt: "uncertain first",
  /** @param {number} shown @param {number} all @param {number} selected */
  galleryHint: (shown, all, selected) =>
    `${shown === all ? plural(all, "cell", "cells") : `${shown} of ${plural(all, "cell", "cells")}`}` +
    (selected > 1 ? `, ${selected} selected` : ""),
  keys: "Keys: arrows move, Shift or Ctrl selects several, M mitotic, I interphase, C confirm, U unread.",

  map: "Map of embeddings",
  /** @param {string} counts @param {number} references */
  mapLabel: (counts, references) =>
    `Map of embeddings: ${counts} among ${plural(references, "reference cell", "reference cells")}.`,
  mapReference: "reference",
  mapLasso: "Draw with the finger",
  mapHint:
    "Like lies by like; lines lead to the nearest reference cells. Draw around cells to choose them, Shift adds. Keys: arrows move a frame, + and − size it, Enter chooses the cells inside.",
  mapNone: "The model holds no reference cells, or another one classified these cells: no map.",
  /** @param {string} counts */
  mapChosen: (counts) => `Chosen: ${counts}.`,
  /** @param {string} counts */
  mapFramed: (counts) => `In the frame: ${counts}.`,

  loading: "Loading the model…",
  ready: "Ready.",
  noFiles: "No PNG, TIFF, BMP or JPEG file found there.",
  loadFailed: "mitoscope cannot start.",

  label: { mitotic: "mitotic", interphase: "interphase", unknown: "not classified yet" },
  /** @param {number} mitotic @param {number} cells */
  verdict: (mitotic, cells) => `${mitotic} mitotic of ${plural(cells, "cell", "cells")}`,
  /** @param {string} percent @param {number} images @param {number} failed */
  verdictScope: (percent, images, failed) =>
    `${percent}in ${plural(images, "image", "images")}` +
    (failed ? `, ${failed} not classified` : ""),
  /** @param {number} images */
  singleCells: (images) => plural(images, "single-cell image", "single-cell images"),
  page: "Page",
  /** @param {number} pages */
  ofPages: (pages) => `of ${pages}`,
  channel: "Channel",
  channels: { brightest: "brightest", red: "red", green: "green", blue: "blue" },
  /** @param {string} name @param {number} page @param {string} channel */
  readingName: (name, page, channel) => `${name}, page ${page}, ${channel}`,
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
  /** @param {string} verdict */
  finished: (verdict) => `Finished: ${verdict}.`,

  /** @param {string} name @param {string} counts */
  fieldLabel: (name, counts) => `Field ${name}, ${counts}. Arrow keys go from cell to cell.`,
  /** @param {string[]} words */
  cellLabel: (words) => words.join(", "),
  /** @param {string} value */
  valueLabel: (value) => `decision value ${value}`,
  uncertain: "uncertain",
  certain: "certain",
  /** @param {string} reader */
  answered: (reader) => (reader ? `read by ${reader}` : "read"),
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  zoomFit: "Whole field",
  brightness: "Brightness",
  contrast: "Contrast",
  reset: "Reset contrast",
  colourBy: "Colour by",
  colourClass: "class",
  colourDoubt: "certainty",

  value: "Decision value",
  probability: "Probability of mitosis",
  model: "Model",
  answer: "Reader",
  image: "Image",
  networkView: "As the network sees it",
  fieldView: "In the field",
  confirm: "Confirm (C)",
  setMitotic: "Mitotic (M)",
  setInterphase: "Interphase (I)",
  setUnread: "Unread (U)",
  notRead: "not read yet",
  /** @param {number} cells */
  several: (cells) => `${cells} cells are selected; an answer applies to all of them.`,
  doubt: {
    margin:
      "Uncertain: it lies inside the margin of the support vector machine, nearer to the boundary than its support vectors (decision value between −1 and +1).",
    points:
      "Uncertain: the boundary, the threshold and the operating points do not all call it the same.",
    faint: "Uncertain: it hardly stands out from its background.",
    saturated: "Uncertain: much of it is as bright as the camera can tell. Expose for less time.",
    blurred: "Uncertain: it is more out of focus than the cells that the model was made from.",
    unlike: "Uncertain: it is unlike all cells that the model was made from.",
  },
  /** @param {string} mitotic @param {string} interphase */
  abstains: (mitotic, interphase) =>
    `Uncertain: the model abstains at this decision value. On images like those of its calibration at least ${mitotic} of mitotic and ${interphase} of interphase cells are either called right or abstained from.`,
  noDoubt: "Nothing the model knows of makes it uncertain.",
  atEdge: "It touches the edge of the image, so a part may be missing.",
  neighbours: "Nearest reference cells",
  /** @param {number} mitotic @param {number} cells */
  neighbourCounts: (mitotic, cells) =>
    `${mitotic} of its ${cells} nearest reference cells ${mitotic === 1 ? "is" : "are"} mitotic.`,
  /** @param {string} label */
  neighboursAgainst: (label) => `The model disagrees with most of them, which are ${label}.`,
  /** @param {string} value */
  distance: (value) => `distance ${value}`,
  noReferences: "This model holds no reference cells to compare with.",
  otherModel: "Another model than the one that is loaded has classified it.",

  backendCpu: "Runs on the CPU",
  /** @param {string} adapter @param {boolean} software */
  backendGpu: (adapter, software) =>
    `Runs on ${software ? "a software GPU" : "the GPU"}: ${adapter}`,
  /** Why it is the CPU. @param {import("../protocol.js").Backend} backend */
  backendReason: ({ note }) => note,
  /** @param {string} program @param {string} model @param {string} sha */
  identity: (program, model, sha) => `mitoscope ${program} · model ${model} · SHA-256 ${sha}`,
  offline: {
    kept: "Kept in this browser: opens without a network.",
    newer: "A newer version is here: it opens when all tabs with this one are closed.",
    failed: "The page could not be kept: its next start needs the network.",
  },

  reportTitle: "Mitotic cells: specimen report",
  reportDate: "Printed",
  reportPoint: "Operating point",
  reportModel: "Model",
  reportFields: "Fields",
  reportCells: "Cells with the highest decision values",
  reportMore: "Further fields are not pictured.",
  signature: "Signature",

  /** What went wrong, when the error's own sentence is not meant for a person. */
  what: /** @type {Record<string, string>} */ ({
    crashed: "The classifier stopped while it worked on this image and was started again.",
    unreadable: "The browser could not read this file.",
    internal: "Something unexpected went wrong.",
    insecure: "Project files need a page served over https or from this machine.",
    storage: "The browser could not keep your work.",
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
    project: "Take another copy of the file; the work on the page is unchanged.",
    insecure: "Open the page at its https address, or with `cargo xtask serve`.",
    storage: "Free some disk space or export a project file instead.",
  }),
};
