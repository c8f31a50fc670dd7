// @ts-check
/**
 * The verdict on what is in view, and what a person may set: threshold, number needed, name, note.
 *
 * @import { Study } from "../study.js"
 */
import { percent, t } from "../messages.js";
import { countImages } from "../study.js";
import { byId, html, on, refill, write } from "./dom.js";
import { ThresholdView } from "./threshold.js";

export class SummaryView {
  #study;
  #threshold;

  /** @param {Study} study @param {() => void} review shows the cells to review */
  constructor(study, review) {
    this.#study = study;
    this.#threshold = new ThresholdView(study);
    on("review", "click", review);
    on("needed", "change", ({ target }) => {
      const needed = Math.max(1, Math.round(Number(target.value) || 1));
      study.ledger.set([["needed", needed]]);
      target.value = `${needed}`;
    });
    on("specimen-name", "change", ({ target }) => {
      if (study.specimen) study.rename(study.specimen, target.value.trim());
      this.update();
    });
    on("merge", "change", ({ target }) => {
      const into = study.specimens.find(({ id }) => id === target.value);
      if (study.specimen && into) study.merge(study.specimen, into);
    });
    on("note", "change", ({ target }) => {
      const note = target.value.trim() || undefined;
      if (study.specimen) study.ledger.set([[`specimen/${study.specimen.id}/note`, note]]);
    });
    on("ungradable", "change", ({ target }) => {
      const key = `specimen/${study.specimen?.id}/ungradable`;
      if (study.specimen) study.ledger.set([[key, target.checked || undefined]]);
    });
  }

  /** Brings everything up to date. */
  update() {
    const { specimen, specimens } = this.#study;
    const sources = specimen?.sources ?? this.#study.sources;
    const sum = (/** @type {"cells" | "mitotic" | "doubtful" | "candidates"} */ key) =>
      specimens.reduce((sum, { verdict }) => sum + verdict[key], 0);
    const { cells, mitotic, doubtful, candidates } = specimen?.verdict ?? {
      ...{ cells: sum("cells"), mitotic: sum("mitotic") },
      ...{ doubtful: sum("doubtful"), candidates: sum("candidates") },
    };
    const { images, missing } = countImages(sources);
    const share = cells > 0 ? `${percent(mitotic / cells)} ` : "";
    write(byId("scope-name"), specimen?.name ?? t.allSpecimens);
    write(byId("verdict"), t.verdict(mitotic, cells));
    write(byId("scope"), t.verdictScope(share, images, missing));
    this.#preparation();
    byId("review").disabled = doubtful + candidates === 0;
    byId("specimen-form").hidden = !specimen;
    if (specimen) this.#form(specimen);
    if (document.activeElement !== byId("needed")) byId("needed").value = `${this.#study.needed}`;
    this.#threshold.update();
  }

  #preparation() {
    const { specimen, specimens } = this.#study;
    const preparation = byId("preparation");
    if (specimen) {
      preparation.className = specimen.verdict.preparation;
      write(preparation, t.preparation(specimen.verdict));
      return write(byId("preparation-why"), t.preparationWhy(specimen.verdict));
    }
    const passed = specimens.filter(({ verdict }) => verdict.preparation === "passed").length;
    preparation.className = passed === specimens.length ? "passed" : "open";
    write(preparation, t.preparations(passed, specimens.length));
    write(byId("preparation-why"), "");
  }

  /** @param {import("../study.js").Specimen} specimen */
  #form(specimen) {
    const { name, note, gradable } = specimen;
    // What is being typed stays.
    if (document.activeElement !== byId("specimen-name")) byId("specimen-name").value = name;
    if (document.activeElement !== byId("note")) byId("note").value = note;
    byId("ungradable").checked = !gradable;
    const others = this.#study.specimens.filter((other) => other !== specimen);
    const names = others.map(({ id, name }) => [id, name]);
    refill(byId("merge"), [t.mergeChoose, names], () =>
      [["", t.mergeChoose], ...names].map(([id, name]) => html("option", { value: id }, name)),
    );
    byId("merge").value = "";
    byId("merge").closest("label").hidden = others.length === 0;
  }
}
