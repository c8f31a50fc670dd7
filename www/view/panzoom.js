// @ts-check
/**
 * Moves and enlarges a stage inside a window: by drag, pinch, wheel, double click and keys.
 *
 * Invariant: the picture always fills the window as far as it can; a drag is never also a click.
 */

/** Enlargement over the whole picture. */
const MOST = 16;
/** A pointer that moves less still clicks. */
const CLICK_PX = 4;

export class PanZoom {
  #window;
  #stage;
  #size = { width: 1, height: 1 };
  /** Of the window, measured when it changes. */
  #room = { width: 0, height: 0 };
  #scale = 1;
  #at = { x: 0, y: 0 };
  /** @type {Map<number, { x: number, y: number }>} */ #pointers = new Map();
  /** Whether the pointer's last press became a drag. */
  moved = false;

  /** @param {HTMLElement} window @param {HTMLElement} stage */
  constructor(window, stage) {
    this.#window = window;
    this.#stage = stage;
    new ResizeObserver(([{ contentRect }]) => {
      this.#room = { width: contentRect.width, height: contentRect.height };
      this.#place();
    }).observe(window);
    window.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    window.addEventListener("dblclick", (event) => this.zoom(2, this.#inside(event)));
    window.addEventListener("pointerdown", (event) => this.#down(event));
    window.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of /** @type {const} */ (["pointerup", "pointercancel"])) {
      window.addEventListener(type, (event) => this.#pointers.delete(event.pointerId));
    }
    window.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows a picture of this size, whole. @param {number} width @param {number} height */
  show(width, height) {
    this.#size = { width, height };
    this.#window.style.aspectRatio = `${width} / ${height}`;
    this.fit();
  }

  /** Shows the whole picture. */
  fit() {
    this.#scale = 1;
    this.#at = { x: 0, y: 0 };
    this.#place();
  }

  /** Enlarges around a point of the window, its middle when none is given. @param {number} factor @param {{ x: number, y: number }} [around] */
  zoom(factor, around) {
    const { x, y } = around ?? { x: this.#room.width / 2, y: this.#room.height / 2 };
    const scale = Math.max(1, Math.min(MOST, this.#scale * factor));
    const change = scale / this.#scale;
    this.#at = { x: x - change * (x - this.#at.x), y: y - change * (y - this.#at.y) };
    this.#scale = scale;
    this.#place();
  }

  /** Brings a point of the picture, given in shares of its sides, into the window. @param {number} x @param {number} y */
  reveal(x, y) {
    const { width, height } = this.#extent();
    const [left, top] = [this.#at.x + x * width, this.#at.y + y * height];
    const margin = 0.1;
    const inside = (/** @type {number} */ at, /** @type {number} */ room) =>
      at > margin * room && at < (1 - margin) * room;
    const seen = inside(left, this.#room.width) && inside(top, this.#room.height);
    if (seen || this.#scale === 1) return;
    this.#at = { x: this.#room.width / 2 - x * width, y: this.#room.height / 2 - y * height };
    this.#place();
  }

  /** Size of the stage in pixels of the screen. */
  #extent() {
    const { width, height } = this.#size;
    const room = this.#room;
    const fit = Math.min(room.width / width, room.height / height) * this.#scale;
    return { width: width * fit, height: height * fit };
  }

  #place() {
    const { width, height } = this.#extent();
    /** @param {number} at @param {number} room @param {number} length */
    const held = (at, room, length) =>
      length <= room ? (room - length) / 2 : Math.max(room - length, Math.min(0, at));
    this.#at.x = held(this.#at.x, this.#room.width, width);
    this.#at.y = held(this.#at.y, this.#room.height, height);
    this.#window.toggleAttribute("data-zoomed", this.#scale > 1);
    const { style } = this.#stage;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.transform = `translate(${this.#at.x}px, ${this.#at.y}px)`;
  }

  /** @param {MouseEvent} event */
  #inside(event) {
    const { left, top } = this.#window.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    // Without a key the page scrolls, unless the field is in use.
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.#window) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 300), this.#inside(event));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    if (this.#pointers.size === 0) this.moved = false;
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const last = this.#pointers.get(event.pointerId);
    if (!last) return;
    const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
    if (!this.moved && Math.hypot(dx, dy) < CLICK_PX) return;
    if (!this.moved) this.#window.setPointerCapture(event.pointerId);
    this.moved = true;
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const before = Math.hypot(last.x - other.x, last.y - other.y);
      const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      if (before > 0) this.zoom(after / before, this.#inside(event));
    } else {
      this.#at.x += dx;
      this.#at.y += dy;
      this.#place();
    }
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "+" || event.key === "=") this.zoom(1.5);
    else if (event.key === "-") this.zoom(1 / 1.5);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }
}
