// @ts-check
/**
 * The few DOM helpers that the views share.
 */

/** The element with this id, which the page is known to hold. @param {string} id @returns {any} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

/** Shows text in an element, touching it only when it differs. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @type {WeakMap<Element, string>} what each element was filled with */
const filled = new WeakMap();

/**
 * Fills an element anew only when its state has changed, so that a press that has begun on a child
 * ends on the same child, and an open list stays open; keeps the focus on the child of the same id.
 *
 * @param {Element} element
 * @param {unknown[]} state all that the children show
 * @param {() => Node[]} children
 */
export function refill(element, state, children) {
  const words = JSON.stringify(state);
  if (filled.get(element) === words) return;
  filled.set(element, words);
  const focused = element.contains(document.activeElement) ? document.activeElement?.id : "";
  element.replaceChildren(...children());
  if (focused) document.getElementById(focused)?.focus();
}

/** Calls `react` when an element of this id is used. @param {string} id @param {string} type @param {(event: any) => void} react */
export function on(id, type, react) {
  byId(id).addEventListener(type, react);
}

/**
 * A new element with attributes and children; a missing attribute value leaves it out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | undefined>} [attributes]
 * @param {(Node | string)[]} children
 */
export function html(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/**
 * The same for SVG.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | undefined>} [attributes]
 * @param {Node[]} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/**
 * Makes arrow keys, Home and End walk through the options of a listbox.
 *
 * @param {HTMLElement} list
 * @param {object} options
 * @param {() => number} options.count
 * @param {() => number} options.current index of the chosen option, -1 for none
 * @param {() => number} options.columns
 * @param {(index: number, extend: boolean) => void} options.choose `extend`: with Shift held
 */
export function walkable(list, { count, current, columns, choose }) {
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || count() === 0) return;
    const last = count() - 1;
    /** @type {Record<string, number>} */
    const targets = {
      ArrowRight: current() + 1,
      ArrowLeft: current() - 1,
      ArrowDown: current() + columns(),
      ArrowUp: current() - columns(),
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    choose(current() < 0 ? 0 : Math.max(0, Math.min(last, target)), event.shiftKey);
  });
}

/** @param {Element} element @param {Record<string, string | undefined>} attributes */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
}
