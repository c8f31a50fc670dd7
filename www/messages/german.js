// @ts-check
/** German. @import { english } from "./english.js" */

/** @param {number} count @param {string} one @param {string} many */
const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** What an error is about whose own sentence is English and is shown behind. @type {Record<string, string>} */
export const faults = {
  image: "Diese Datei lässt sich nicht als Bild lesen.",
  cell: "Die Zellen dieses Bildes lassen sich nicht bestimmen.",
  model: "Die Modelldatei lässt sich nicht verwenden.",
  fit: "Der Klassifikator lässt sich nicht anpassen.",
  device: "Das Rechenwerk steht nicht zur Verfügung.",
  "not-classifiable": "Diese Zellen lassen sich nicht klassifizieren.",
  load: "Ein Teil der Seite konnte nicht geladen werden.",
  project: "Das Projekt lässt sich nicht öffnen.",
};

/** Phases, look-alikes and staining patterns. @type {Record<string, string>} */
export const kinds = {
  prophase: "Prophase",
  prometaphase: "Prometaphase",
  metaphase: "Metaphase",
  anaphase: "Anaphase",
  telophase: "Telophase",
  "early G1": "frühe G1",
  overlap: "überlappend",
  rounded: "abgerundet",
  "small bright": "klein und hell",
  homogeneous: "homogen",
  "fine speckled": "fein gesprenkelt",
  "coarse speckled": "grob gesprenkelt",
  "dense fine speckled": "dicht fein gesprenkelt",
  centromere: "Zentromer",
  nucleolar: "nukleolär",
  "nuclear membrane": "Kernmembran",
  "nuclear dots": "Kernpunkte",
  golgi: "Golgi",
  cytoplasmic: "zytoplasmatisch",
  negative: "negativ",
};

/** @type {typeof english} */
export const german = {
  decimal: ",",
  tagline: "Findet mitotische HEp-2-Zellen in Immunfluoreszenz-Bildern.",
  notice: "Nur für Forschungszwecke, nicht für diagnostische Verfahren",
  privacy:
    "Ihre Bilder bleiben auf diesem Rechner: Sie werden in dieser Seite gelesen und klassifiziert.",
  language: "Sprache",
  help: "So geht es",
  dropTitle: "Gesichtsfelder einer Probe hier ablegen",
  dropFormats:
    "Ganze Felder, einzelne Zellen oder Ordner, als PNG, TIFF, BMP oder JPEG, 8 oder 16 Bit.",
  chooseFiles: "Bilder wählen",
  chooseFolder: "Ordner wählen",
  samples: "Simulierte Beispiele",
  openProject: "Projekt öffnen",
  kindLabel: "Bilder sind",
  kindAuto: "automatisch",
  kindField: "ganze Felder",
  kindCell: "einzelne Zellen",

  guideTitle: "In drei Schritten vom Feld zum bestätigten Befund",
  guideSteps: [
    "Legen Sie alle Felder einer Probe zusammen ab. Dateien eines Ordners, oder solche, deren Namen sich nur in der Nummer unterscheiden, werden eine Probe; Proben lassen sich jederzeit umbenennen und vereinen.",
    "Prüfen Sie, was das Modell fand, unsichere Zellen zuerst, je eine Taste: M ist mitotisch, I ist Interphase, C stimmt dem Modell zu, U nimmt die Antwort zurück. Strg+Z macht rückgängig.",
    "Sind genug mitotische Zellen bestätigt, ist die Präparation bestanden. Exportieren Sie die Zellen, einen Bericht zum Drucken oder eine Projektdatei, die sich hier wieder öffnen lässt.",
  ],
  guideClose: "Verstanden",

  actions: "Aktionen",
  reader: "Befunder",
  undo: "Rückgängig",
  redo: "Wiederholen",
  exportMenu: "Export",
  exportCsv: "Zellen als CSV",
  exportJson: "Alles als JSON",
  exportReport: "Bericht drucken",
  exportProject: "Projektdatei",
  keep: "Arbeit in diesem Browser behalten",
  erase: "Alles Behaltene löschen",
  erased: "Von Ihrer Arbeit ist in diesem Browser nichts mehr gespeichert.",
  kept: "Ihre Arbeit bleibt in diesem Browser, bis Sie sie löschen.",
  keepAsk:
    "In diesem Browser ist schon andere Arbeit gespeichert, aus einem anderen Tab. Soll die Arbeit dieser Seite an ihre Stelle treten?",
  keepYes: "Ersetzen",
  lost: {
    overtaken:
      "Ein anderer Tab hat die gespeicherte Arbeit geändert; dieser Tab speichert nichts mehr. Exportieren Sie eine Projektdatei, oder laden Sie neu, um die Arbeit des anderen zu sehen.",
    erased: "Ein anderer Tab hat das Gespeicherte gelöscht; dieser Tab speichert nichts mehr.",
  },
  resumed: "Ihre Arbeit vom letzten Besuch ist wieder da.",
  clear: "Alles leeren",
  cancel: "Abbrechen",
  report: "Bericht",
  no: "Abbrechen",
  replaceAsk:
    "Dieses Projekt anstelle der Arbeit auf der Seite öffnen? Nicht Exportiertes geht verloren.",
  replaceYes: "Projekt öffnen",
  clearAsk: "Alle Bilder, Zellen und Antworten leeren? Nicht Exportiertes geht verloren.",
  clearYes: "Alles leeren",
  opened: "Das Projekt ist geöffnet.",

  specimen: "Probe",
  specimens: "Proben",
  allSpecimens: "Alle Proben",
  specimenName: "Probe",
  mergeInto: "Vereinen mit",
  mergeChoose: "wählen…",
  note: "Notiz",
  ungradable: "Nicht beurteilbar (unscharf, zu wenige Zellen, beschädigt)",
  newSpecimen: "einer neuen Probe",
  moveTo: "Gehört zu",

  needed: "Nötige bestätigte mitotische Zellen",
  review: "Unsichere Zellen zuerst prüfen",
  preparation: (v) =>
    ({
      passed: `Präparation: ≥ ${plural(v.needed, "bestätigte mitotische Zelle", "bestätigte mitotische Zellen")}`,
      open: "Präparation: offen",
      few: `Präparation: weniger als ${v.needed} bestätigt`,
      none: "Präparation: keine gefunden",
      ungradable: "Präparation: nicht beurteilbar",
    })[v.preparation],
  preparationWhy: (v) =>
    `${v.confirmed} bestätigt, ${plural(v.candidates, "Kandidat", "Kandidaten")} und ` +
    `${plural(v.doubtful, "unsichere Zelle", "unsichere Zellen")} noch nicht geprüft.`,
  preparations: (passed, specimens) =>
    `Präparation bestanden bei ${passed} von ${plural(specimens, "Probe", "Proben")}`,
  short: {
    passed: "bestanden",
    open: "offen",
    few: "zu wenige",
    none: "keine gefunden",
    ungradable: "nicht beurteilbar",
  },

  points: "Arbeitspunkte",
  point: {
    boundary: "SVM-Grenze",
    balanced: "ausgewogen",
    triage: "Vorauswahl",
    precise: "präzise",
  },
  custom: "eigene Schwelle",
  threshold: "Schwelle des Entscheidungswerts",
  thresholdWords: (value, name) =>
    `Mitotisch über ${value} (${name}). Schattiert: unsicher.`,
  histogram: (above, below, value) =>
    `Histogramm der Entscheidungswerte: ${above} über der Schwelle von ${value}, ${below} nicht darüber.`,

  gallery: "Zellen",
  detail: "Zelle",
  detailEmpty: "Wählen Sie eine Zelle im Feld oder in der Galerie.",
  filterClass: "Klasse",
  filterState: "Zeige",
  sort: "Reihenfolge",
  all: "alle",
  mitotic: "mitotisch",
  interphase: "Interphase",
  stateReview: "zu prüfen",
  stateUncertain: "unsicher",
  stateCertain: "sicher",
  stateAnswered: "geprüft",
  stateDisagreement: "Befunder ≠ Modell",
  stateGathered: "auf der Karte gewählt",
  sortValue: "Entscheidungswert",
  sortDoubt: "unsichere zuerst",
  galleryHint: (shown, all, selected) =>
    `${shown === all ? plural(all, "Zelle", "Zellen") : `${shown} von ${plural(all, "Zelle", "Zellen")}`}` +
    (selected > 1 ? `, ${selected} ausgewählt` : ""),
  keys: "Tasten: Pfeile bewegen, Umschalt oder Strg wählt mehrere, M mitotisch, I Interphase, C bestätigen, U ungeprüft.",

  map: "Karte der Einbettungen",
  mapLabel: (counts, references) =>
    `Karte der Einbettungen: ${counts} unter ${plural(references, "Referenzzelle", "Referenzzellen")}.`,
  mapReference: "Referenz",
  mapLasso: "Mit dem Finger zeichnen",
  mapHint:
    "Ähnliches liegt beieinander; Linien führen zu den nächsten Referenzzellen. Umfahren Sie Zellen, um sie zu wählen; Umschalt fügt hinzu. Tasten: Pfeile bewegen einen Rahmen, + und − ändern seine Größe, Eingabe wählt die Zellen darin.",
  mapNone:
    "Das Modell enthält keine Referenzzellen, oder ein anderes hat diese Zellen klassifiziert: keine Karte.",
  mapChosen: (counts) => `Gewählt: ${counts}.`,
  mapFramed: (counts) => `Im Rahmen: ${counts}.`,

  loading: "Das Modell wird geladen…",
  ready: "Bereit.",
  noFiles: "Dort ist keine PNG-, TIFF-, BMP- oder JPEG-Datei.",
  loadFailed: "mitoscope kann nicht starten.",

  label: { mitotic: "mitotisch", interphase: "Interphase", unknown: "noch nicht klassifiziert" },
  verdict: (mitotic, cells) => `${mitotic} mitotisch von ${plural(cells, "Zelle", "Zellen")}`,
  verdictScope: (percent, images, failed) =>
    `${percent}in ${plural(images, "Bild", "Bildern")}` +
    (failed ? `, ${failed} nicht klassifiziert` : ""),
  singleCells: (images) => plural(images, "Einzelzellbild", "Einzelzellbilder"),
  page: "Seite",
  ofPages: (pages) => `von ${pages}`,
  channel: "Kanal",
  channels: { brightest: "hellster", red: "Rot", green: "Grün", blue: "Blau" },
  readingName: (name, page, channel) => `${name}, Seite ${page}, ${channel}`,
  waiting: "wartet",
  reading: "sucht Zellen…",
  working: (done, cells) => `${done} von ${cells} Zellen`,
  stopped: (counts) => `abgebrochen: ${counts}`,
  notStarted: "abgebrochen, bevor es gelesen wurde",

  progress: (image, images, done, cells) =>
    `Bild ${image} von ${images}` +
    (cells ? `: ${done} von ${plural(cells, "Zelle", "Zellen")}` : ""),
  timeLeft: (seconds) =>
    seconds < 90
      ? `noch etwa ${Math.max(1, Math.round(seconds))} s`
      : `noch etwa ${Math.round(seconds / 60)} min`,
  finished: (verdict) => `Fertig: ${verdict}.`,

  fieldLabel: (name, counts) => `Feld ${name}, ${counts}. Pfeiltasten gehen von Zelle zu Zelle.`,
  cellLabel: (words) => words.join(", "),
  valueLabel: (value) => `Entscheidungswert ${value}`,
  uncertain: "unsicher",
  certain: "sicher",
  answered: (reader) => (reader ? `geprüft von ${reader}` : "geprüft"),
  zoomIn: "Vergrößern",
  zoomOut: "Verkleinern",
  zoomFit: "Ganzes Feld",
  brightness: "Helligkeit",
  contrast: "Kontrast",
  reset: "Kontrast zurücksetzen",
  colourBy: "Farbe nach",
  colourClass: "Klasse",
  colourDoubt: "Sicherheit",

  value: "Entscheidungswert",
  probability: "Wahrscheinlichkeit der Mitose",
  model: "Modell",
  answer: "Befunder",
  image: "Bild",
  networkView: "Wie das Netz sie sieht",
  fieldView: "Im Feld",
  confirm: "Bestätigen (C)",
  setMitotic: "Mitotisch (M)",
  setInterphase: "Interphase (I)",
  setUnread: "Ungeprüft (U)",
  notRead: "noch nicht geprüft",
  several: (cells) => `${cells} Zellen sind ausgewählt; eine Antwort gilt für alle.`,
  doubt: {
    margin:
      "Unsicher: Sie liegt im Rand der Support-Vektor-Maschine, näher an der Grenze als deren Stützvektoren (Entscheidungswert zwischen −1 und +1).",
    points: "Unsicher: Grenze, Schwelle und Arbeitspunkte ordnen sie nicht alle gleich ein.",
    faint: "Unsicher: Sie hebt sich kaum vom Hintergrund ab.",
    saturated:
      "Unsicher: Ein großer Teil ist so hell, wie die Kamera höchstens misst. Kürzer belichten.",
    blurred: "Unsicher: Sie ist unschärfer als die Zellen, aus denen das Modell entstand.",
    unlike: "Unsicher: Sie gleicht keiner der Zellen, aus denen das Modell entstand.",
  },
  abstains: (mitotic, interphase) =>
    `Unsicher: Das Modell enthält sich bei diesem Entscheidungswert. Auf Bildern wie denen seiner Kalibrierung werden mindestens ${mitotic} der mitotischen und ${interphase} der Interphase-Zellen richtig genannt, oder es enthält sich.`,
  noDoubt: "Nichts, was das Modell weiß, macht sie unsicher.",
  atEdge: "Sie berührt den Bildrand, ein Teil kann fehlen.",
  neighbours: "Nächste Referenzzellen",
  neighbourCounts: (mitotic, cells) =>
    `Von ihren ${cells} nächsten Referenzzellen ${mitotic === 1 ? "ist eine" : `sind ${mitotic}`} mitotisch.`,
  neighboursAgainst: (label) =>
    `Das Modell widerspricht den meisten von ihnen; deren Klasse ist ${label}.`,
  distance: (value) => `Abstand ${value}`,
  noReferences: "Dieses Modell enthält keine Referenzzellen zum Vergleich.",
  otherModel: "Ein anderes Modell als das geladene hat sie klassifiziert.",

  backendCpu: "Läuft auf der CPU",
  backendGpu: (adapter, software) =>
    `Läuft auf ${software ? "einer Software-GPU" : "der GPU"}: ${adapter}`,
  backendReason: ({ reason, note }) =>
    reason === null
      ? ""
      : {
          asked: "wie verlangt",
          absent: "weil dieser Browser keine GPU über WebGPU anbietet",
          emulated: "weil die GPU nur in Software nachgebildet wird, was langsamer ist",
          failed: `weil die GPU versagt (${note})`,
        }[reason],
  identity: (program, model, sha) => `mitoscope ${program} · Modell ${model} · SHA-256 ${sha}`,
  offline: {
    kept: "In diesem Browser gespeichert: öffnet sich auch ohne Netz.",
    newer: "Eine neuere Fassung ist da; sie öffnet sich, wenn alle Tabs mit dieser geschlossen sind.",
    failed: "Die Seite konnte nicht gespeichert werden; der nächste Start braucht das Netz.",
  },

  reportTitle: "Mitotische Zellen: Bericht zur Probe",
  reportDate: "Gedruckt",
  reportPoint: "Arbeitspunkt",
  reportModel: "Modell",
  reportFields: "Felder",
  reportCells: "Zellen mit den höchsten Entscheidungswerten",
  reportMore: "Weitere Felder sind nicht abgebildet.",
  signature: "Unterschrift",

  what: {
    crashed: "Der Klassifikator brach bei diesem Bild ab und wurde neu gestartet.",
    unreadable: "Der Browser konnte diese Datei nicht lesen.",
    internal: "Etwas Unerwartetes ging schief.",
    insecure: "Projektdateien brauchen eine Seite über https oder von diesem Rechner.",
    storage: "Der Browser konnte Ihre Arbeit nicht behalten.",
  },
  remedy: {
    cell: "Ein Bild einer einzelnen Zelle? Stellen Sie „Bilder sind“ auf „einzelne Zellen“ und legen Sie es erneut ab.",
    "not-classifiable": "Prüfen Sie das Bild; es bekommt keine Klasse.",
    model:
      "Laden Sie die Seite neu; hilft das nicht, muss die Modelldatei der Seite ersetzt werden.",
    device: "Hängen Sie „?backend=cpu“ an die Adresse der Seite, um die CPU zu nutzen.",
    load: "Prüfen Sie, ob die Seite vollständig ausgeliefert wird, und laden Sie sie neu.",
    crashed:
      "Die anderen Bilder gehen weiter. Geschieht es wieder, versuchen Sie ein kleineres Bild.",
    unreadable:
      "Prüfen Sie, ob es noch da ist und Sie es öffnen dürfen, und legen Sie es erneut ab.",
    internal: "Laden Sie die Seite neu und versuchen Sie es noch einmal.",
    project: "Nehmen Sie eine andere Kopie der Datei; die Arbeit auf der Seite ist unverändert.",
    insecure: "Öffnen Sie die Seite unter ihrer https-Adresse oder mit `cargo xtask serve`.",
    storage: "Schaffen Sie Speicherplatz oder exportieren Sie stattdessen eine Projektdatei.",
  },
};
