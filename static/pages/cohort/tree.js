// A cohort as the form holds it, to and from the JSON of the language. No document in here.
//
// Item: {not, kind: "condition", field, op, values, unit}
//     | {not, kind: "group", level, count: {mode, least, most}, of, where: Joined}
//     | {not, kind: "joined", ...Joined}
// Joined: {word: "all" | "any", items}. Conditions stand in a group of what they are about, unless they are
// about the case itself.

const RESULT = "result";
const WITHOUT_VALUE = ["known", "unknown"];

export const empty = () => ({ word: "all", items: [] });

export function condition(field) {
  const [op] = field.operators;
  return { not: false, kind: "condition", field: field.key, op: op.key, values: [], unit: "" };
}

export function group(level, items = []) {
  return {
    not: false,
    kind: "group",
    level,
    count: { mode: "least", least: 1, most: 1 },
    of: RESULT,
    where: { word: "all", items },
  };
}

export function joined(word) {
  return { not: false, kind: "joined", word, items: [] };
}

// From JSON --------------------------------------------------------------------------------------

/** `levelOf(field)` says what a field is about. */
export function fromJson(expression, levelOf) {
  return asJoined(expression, null, levelOf);
}

function asJoined(node, level, levelOf) {
  for (const word of ["all", "any"]) {
    if (node[word]) return { word, items: node[word].map((part) => asItem(part, level, levelOf)) };
  }
  return { word: "all", items: [asItem(node, level, levelOf)] };
}

function asItem(node, level, levelOf) {
  if (node.not) {
    const inner = asItem(node.not, level, levelOf);
    return { ...inner, not: !inner.not };
  }
  if (node.all || node.any) return { not: false, kind: "joined", ...asJoined(node, level, levelOf) };
  if (node.field) {
    const its = levelOf(node.field);
    const made = asCondition(node);
    return level === null && its !== "case" ? group(its, [made]) : made;
  }
  const key = Object.keys(node).find((name) => name !== "count" && name !== "of");
  return {
    not: false,
    kind: "group",
    level: key,
    count: asCount(node.count),
    of: node.of ?? RESULT,
    where: asJoined(node[key], key, levelOf),
  };
}

function asCondition(node) {
  const values = WITHOUT_VALUE.includes(node.op) ? [] : Array.isArray(node.value) ? node.value : [node.value];
  return { not: false, kind: "condition", field: node.field, op: node.op, values, unit: node.unit ?? "" };
}

function asCount(count) {
  if (!count) return { mode: "least", least: 1, most: 1 };
  if ("exactly" in count) return { mode: "exactly", least: count.exactly, most: count.exactly };
  const { at_least: least = 0, at_most: most } = count;
  if (most === undefined) return { mode: "least", least, most: least };
  return least ? { mode: "between", least, most } : { mode: "most", least: 0, most };
}

// To JSON ----------------------------------------------------------------------------------------

/** The expression, and by JSON pointer the item that each part came from. */
export function toJson(root) {
  const items = new Map();
  return { expression: ofJoined(root, "", items), items };
}

function ofJoined(part, place, items) {
  return { [part.word]: part.items.map((item, at) => ofItem(item, `${place}/${part.word}/${at}`, items)) };
}

function ofItem(item, place, items) {
  items.set(place, item);
  return item.not ? { not: ofPlain(item, `${place}/not`, items) } : ofPlain(item, place, items);
}

function ofPlain(item, place, items) {
  if (item.kind === "joined") return ofJoined(item, place, items);
  if (item.kind === "condition") return ofCondition(item);
  const [only] = item.where.items;
  const isPlain = item.count.mode === "least" && item.count.least === 1 && item.of === RESULT;
  if (isPlain && item.where.items.length === 1 && only.kind === "condition" && !only.not) {
    items.set(place, only);
    return ofCondition(only);
  }
  return {
    [item.level]: item.where.items.length ? ofJoined(item.where, `${place}/${item.level}`, items) : { all: [] },
    ...ofCount(item.count),
    ...(item.of === RESULT ? {} : { of: item.of }),
  };
}

function ofCondition(item) {
  const node = { field: item.field, op: item.op };
  if (!WITHOUT_VALUE.includes(item.op)) {
    node.value = item.op === "in" || item.op === "between" ? item.values : item.values[0];
  }
  if (item.unit && !WITHOUT_VALUE.includes(item.op)) node.unit = item.unit;
  return node;
}

function ofCount({ mode, least, most }) {
  if (mode === "exactly") return { count: { exactly: least } };
  if (mode === "most") return { count: { at_most: most } };
  if (mode === "between") return { count: { at_least: least, at_most: most } };
  return least === 1 ? {} : { count: { at_least: least } };
}

// Whether all of it can be asked -----------------------------------------------------------------

/** The items that still lack something. */
export function incomplete(part) {
  return part.items.flatMap((item) => {
    if (item.kind === "condition") return isComplete(item) ? [] : [item];
    if (item.kind === "joined") return item.items.length ? incomplete(item) : [item];
    return [...(isCounted(item.count) ? [] : [item]), ...incomplete(item.where)];
  });
}

function isComplete({ op, values }) {
  if (WITHOUT_VALUE.includes(op)) return true;
  const given = values.filter((value) => value !== "" && value !== null && value !== undefined);
  return op === "between" ? given.length === 2 : given.length > 0;
}

function isCounted({ mode, least, most }) {
  const asked = { least: [least], exactly: [least], most: [most], between: [least, most] }[mode];
  return asked.every((value) => Number.isInteger(value));
}
