// What the cohort page says itself; names of facts and their values come from the server.

const WORDS = {
  en: {
    add: "Add",
    addFact: "Add a fact",
    all: "all of these",
    any: "any of these",
    anyOfThese: "Any of these",
    atLeast: "at least",
    atMost: "at most",
    between: "between",
    casesThat: "Cases that meet",
    characterAt: "Character",
    copied: "Copied",
    counted: "How many",
    everything: "No conditions: every case of the project.",
    everyOne: "Any counts. Add facts that must hold of one and the same.",
    exactly: "exactly",
    fact: "Fact",
    gone: "The node can't be reached, or you are signed out. Load this page again.",
    not: "not",
    images: "No picture",
    incomplete: "Fill in what is marked.",
    lower: "From",
    none: "No case fits.",
    noneHint: "Loosen a condition, or take one away.",
    ofAll: (n) => `of ${n}`,
    thatMeet: "with",
    operator: "Asked of it",
    points: (n) => (n === 1 ? "1 time point" : `${n} time points`),
    reading: "Reading …",
    remove: "Remove",
    seeking: "Counting …",
    shown: (n, all) => `${n} of ${all}`,
    unit: "Unit",
    upper: "To",
    value: "Value",
    waiting: (n) =>
      n === 1
        ? "What one read says is still being worked out. Counts may change; this page follows."
        : `What ${n} reads say is still being worked out. Counts may change; this page follows.`,
    beingRead: (n) =>
      n === 1
        ? "A case that you still read yourself is left out, because this asks about marks or reads."
        : `${n} cases that you still read yourself are left out, because this asks about marks or reads.`,
    whose: "In which read",
    whether: "Only where it does not hold",
    yes: "yes",
    no: "no",
    case: "Case {number}",
    choose: "Choose …",
    subjectOrCase: "Subject or case",
    level: {
      study: "Time point",
      series: "Image series",
      mark: "Mark",
      label: "Label",
      agreement: "Agreement",
      read: "Read",
      release: "Release",
      clinical: "Clinical fact",
    },
  },
  es: {
    add: "Añadir",
    addFact: "Añadir un dato",
    all: "todo esto",
    any: "algo de esto",
    anyOfThese: "Algo de esto",
    atLeast: "al menos",
    atMost: "como máximo",
    between: "entre",
    casesThat: "Casos que cumplen",
    characterAt: "Carácter",
    copied: "Copiado",
    counted: "Cuántos",
    everything: "Sin condiciones: todos los casos del proyecto.",
    everyOne: "Cuenta cualquiera. Añada datos que deban cumplirse de uno y el mismo.",
    exactly: "exactamente",
    fact: "Dato",
    gone: "No se alcanza el nodo, o su sesión terminó. Vuelva a cargar esta página.",
    not: "no",
    images: "Sin imagen",
    incomplete: "Complete lo señalado.",
    lower: "Desde",
    none: "Ningún caso coincide.",
    noneHint: "Afloje una condición o quite una.",
    ofAll: (n) => `de ${n}`,
    thatMeet: "con",
    operator: "Qué se pide",
    points: (n) => (n === 1 ? "1 momento" : `${n} momentos`),
    reading: "Leyendo …",
    remove: "Quitar",
    seeking: "Contando …",
    shown: (n, all) => `${n} de ${all}`,
    unit: "Unidad",
    upper: "Hasta",
    value: "Valor",
    waiting: (n) => `Aún se calcula lo que dicen ${n} lecturas. Los números pueden cambiar; la página los sigue.`,
    beingRead: (n) => `Se omiten ${n} casos que usted aún lee, porque se pregunta por marcas o lecturas.`,
    whose: "En qué lectura",
    whether: "Solo donde no se cumple",
    yes: "sí",
    no: "no",
    case: "Caso {number}",
    choose: "Elija …",
    subjectOrCase: "Sujeto o caso",
    level: {
      study: "Momento",
      series: "Serie de imágenes",
      mark: "Marca",
      label: "Etiqueta",
      agreement: "Acuerdo",
      read: "Lectura",
      release: "Publicación",
      clinical: "Dato clínico",
    },
  },
};

export const words = WORDS[document.documentElement.lang] ?? WORDS.en;

const LOCALE = document.documentElement.lang || "en";

// As the server writes numbers: a thin space between thousands.
export const number = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
export const list = (values) => new Intl.ListFormat(LOCALE, { style: "short", type: "unit" }).format(values);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
