// @ts-check
/**
 * The drawing of the map: places on the screen, marks, and which marks lie inside an outline.
 *
 * Invariant: both axes have one scale, so distances on the screen are distances on the map; classes
 * differ in shape, not only in colour.
 *
 * @typedef {{ x: number, y: number }} Place in pixels of the screen, or on the map
 * @typedef {{ width: number, height: number }} Room in pixels of the screen
 * @typedef {Record<"mitotic" | "interphase" | "ink" | "accent", string>} Colours
 */

/** Free border around all marks, in pixels. */
const BORDER = 14;
/** Half the size of a cell's mark in pixels, and of a reference cell's. */
const [CELL, REFERENCE] = [4.5, 3];
/** Shapes in one path; drawing time grows faster than their number. */
const TOGETHER = 50;

/** How to get from the map to the screen so that all points fit. @param {Place[]} points @param {Room} room */
export function fitted(points, { width, height }) {
  const bounds = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
  for (const { x, y } of points) {
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x);
    bounds.low = Math.min(bounds.low, y);
    bounds.high = Math.max(bounds.high, y);
  }
  const { left, right, low, high } = bounds;
  const scale = Math.min(
    (width - 2 * BORDER) / Math.max(right - left, 1e-6),
    (height - 2 * BORDER) / Math.max(high - low, 1e-6),
  );
  /** @param {Place} point @returns {Place} upwards is up */
  return ({ x, y }) => ({
    x: width / 2 + scale * (x - (left + right) / 2),
    y: height / 2 - scale * (y - (low + high) / 2),
  });
}

/** A canvas of this room, cleared, whose unit is a pixel of the page. @param {HTMLCanvasElement} canvas @param {Room} room */
export function cleared(canvas, { width, height }) {
  const density = devicePixelRatio;
  canvas.width = Math.max(1, Math.round(width * density));
  canvas.height = Math.max(1, Math.round(height * density));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser draws no pictures");
  context.scale(density, density);
  return context;
}

/**
 * Draws cells over reference cells: triangles are mitotic, squares and dots interphase; cells are
 * strong, references faint.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Colours} colours
 * @param {(Place & { label: string })[]} cells
 * @param {(Place & { label: string })[]} references
 */
export function drawMarks(context, colours, cells, references) {
  const of = (/** @type {typeof cells} */ all, /** @type {string} */ label) =>
    all.filter((mark) => mark.label === label);
  context.strokeStyle = colours.mitotic;
  context.globalAlpha = 0.6;
  context.lineWidth = 1;
  context.fillStyle = colours.interphase;
  for (const { x, y } of of(references, "interphase"))
    context.fillRect(x - 1.25, y - 1.25, 2.5, 2.5);
  triangles(context, of(references, "mitotic"), REFERENCE, () => context.stroke());
  context.globalAlpha = 1;
  context.lineWidth = 1.4;
  context.strokeStyle = colours.interphase;
  squares(context, of(cells, "interphase"), CELL - 1);
  context.fillStyle = colours.mitotic;
  triangles(context, of(cells, "mitotic"), CELL, () => context.fill());
}

/** Squares around places. @param {CanvasRenderingContext2D} context @param {Place[]} places @param {number} half */
export function squares(context, places, half) {
  for (const { x, y } of places) context.strokeRect(x - half, y - half, 2 * half, 2 * half);
}

/** Lines from one place, if there is one, to others. @param {CanvasRenderingContext2D} context @param {Place | undefined} from @param {Place[]} places */
export function spokes(context, from, places) {
  if (!from) return;
  context.beginPath();
  for (const { x, y } of places) {
    context.moveTo(from.x, from.y);
    context.lineTo(x, y);
  }
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {Place[]} places @param {number} half @param {() => void} draw */
function triangles(context, places, half, draw) {
  for (let from = 0; from < places.length; from += TOGETHER) {
    context.beginPath();
    for (const { x, y } of places.slice(from, from + TOGETHER)) {
      context.moveTo(x, y - half);
      context.lineTo(x + half, y + 0.8 * half);
      context.lineTo(x - half, y + 0.8 * half);
      context.closePath();
    }
    draw();
  }
}

/** The places inside an outline, which closes itself. @template {Place} P @param {P[]} places @param {Place[]} outline */
export function inside(places, outline) {
  return places.filter(({ x, y }) => {
    let within = false;
    for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
      const [a, b] = [outline[i], outline[j]];
      if (a.y > y === b.y > y) continue;
      if (x < a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)) within = !within;
    }
    return within;
  });
}

/** The place nearest to a point, if one is as near as `most`. @template {Place} P @param {P[]} places @param {Place} point @param {number} most */
export function nearest(places, { x, y }, most) {
  let [best, least] = [/** @type {P | null} */ (null), most];
  for (const place of places) {
    const distance = Math.hypot(place.x - x, place.y - y);
    if (distance <= least) [best, least] = [place, distance];
  }
  return best;
}
