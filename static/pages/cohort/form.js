// The form of a cohort: rows of conditions, and groups of what must hold of one and the same thing.

import { condition, group, joined } from "./tree.js";
import { element, words } from "./words.js";

let serial = 0;

/**
 * `language`: what the server says may be asked. `changed()` is called after each change. `texts` stand in for
 * words that say what is chosen from: {everything, casesThat, subjectOrCase}.
 */
export function makeForm(place, language, changed, texts = {}) {
  const said = { ...words, ...texts };
  const fields = new Map(language.fields.map((field) => [field.key, field]));
  const groups = language.levels.filter(
    (level) => level.key !== "case" && language.fields.some((field) => field.level === level.key),
  );
  const shown = new Map(); // by item its row, to say there what is wrong
  let root = null;

  function show(tree) {
    root = tree;
    shown.clear();
    place.replaceChildren(joinedPart(root, null, true));
  }

  // Everything is drawn anew when rows come or go; `focus` names what is focused then.
  function redraw(focus) {
    show(root);
    changed();
    if (focus) shown.get(focus)?.querySelector(".fact, .head select")?.focus();
    else place.querySelector(".add-row button")?.focus();
  }

  // Parts ----------------------------------------------------------------------------------------

  function joinedPart(part, level, isRoot = false) {
    const rows = part.items.map((item) => row(item, part, level));
    const none = level ? words.everyOne : said.everything;
    return element(
      "div",
      { class: "joined" },
      ...(isRoot && rows.length > 1 ? [element("div", { class: "how" }, element("span", {}, said.casesThat), how(part))] : []),
      ...(rows.length
        ? [element("div", { class: "conditions" }, ...rows)]
        : isRoot || level
          ? [element("p", { class: "no-conditions" }, none)]
          : []),
      adding(part, level),
    );
  }

  // Whether all of the rows, or any, must hold.
  function how(part) {
    const choices = [
      ["all", words.all],
      ["any", words.any],
    ];
    return select(said.casesThat, choices, part.word, (value) => {
      part.word = value;
      changed();
    });
  }

  function adding(part, level) {
    const add = (title, make) =>
      element(
        "button",
        {
          type: "button",
          class: "chip",
          onclick: () => {
            const item = make();
            part.items.push(item);
            redraw(item.kind === "group" && item.where.items.length ? item.where.items[0] : item);
          },
        },
        title,
      );
    if (level) return element("div", { class: "add-row" }, add(`+ ${words.addFact}`, () => condition(firstOf(level))));
    return element(
      "div",
      { class: "add-row", role: "group", "aria-label": words.add },
      element("span", {}, words.add),
      add(said.subjectOrCase, () => condition(firstOf("case"))),
      ...groups.map(({ key, one }) => add(words.level[key] ?? one, () => group(key, [condition(firstOf(key))]))),
      add(words.anyOfThese, () => joined("any")),
    );
  }

  const firstOf = (level) => language.fields.find((field) => field.level === level);

  function row(item, parent, level) {
    const made = { condition: conditionRow, group: groupRow, joined: joinedRow }[item.kind](item, level);
    const remove = element(
      "button",
      {
        type: "button",
        class: "remove",
        "aria-label": words.remove,
        title: words.remove,
        onclick: () => {
          parent.items.splice(parent.items.indexOf(item), 1);
          redraw();
        },
      },
      "×",
    );
    (made.querySelector(":scope > .head") ?? made).append(remove);
    shown.set(item, made);
    return made;
  }

  function groupRow(item) {
    const level = language.levels.find((one) => one.key === item.level);
    const { count } = item;
    const numberBox = (name) =>
      element("input", {
        type: "number",
        min: "0",
        step: "1",
        value: Number.isInteger(count[name]) ? count[name] : "",
        "aria-label": words.counted,
        oninput: (event) => {
          count[name] = event.target.value === "" ? null : Number(event.target.value);
          changed();
        },
      });
    const modes = [
      ["least", words.atLeast],
      ["most", words.atMost],
      ["exactly", words.exactly],
      ["between", words.between],
    ];
    const boxes = { least: ["least"], exactly: ["least"], most: ["most"], between: ["least", "most"] }[count.mode];
    const head = element(
      "div",
      { class: "head" },
      whether(item),
      select(words.counted, modes, count.mode, (value) => {
        count.mode = value;
        redraw(item);
      }),
      ...boxes.map(numberBox),
      element("span", { class: "strong" }, boxes.length === 1 && count[boxes[0]] === 1 ? level.one : level.many),
      ...(level.of_reads
        ? [
            select(
              words.whose,
              language.of.map((one) => [one.value, one.words]),
              item.of,
              (value) => {
                item.of = value;
                changed();
              },
            ),
          ]
        : []),
      ...(item.where.items.length > 1 ? [element("span", {}, words.thatMeet), how(item.where)] : []),
    );
    return element("div", { class: "grouped" }, head, joinedPart(item.where, item.level));
  }

  function joinedRow(item, level) {
    const head = element("div", { class: "head" }, whether(item), how(item));
    return element("div", { class: "grouped" }, head, joinedPart(item, level));
  }

  function conditionRow(item, level) {
    const field = fields.get(item.field);
    const choices = language.fields.filter((one) => one.level === (level ?? "case"));
    const fact = select(
      words.fact,
      choices.map((one) => [one.key, one.words]),
      item.field,
      (key) => {
        Object.assign(item, condition(fields.get(key)), { not: item.not });
        redraw(item);
      },
    );
    fact.classList.add("fact");
    const operator = select(
      words.operator,
      field.operators.map((one) => [one.key, one.words]),
      item.op,
      (value) => {
        if (value === "in" || item.op === "in") item.values = [];
        item.op = value;
        redraw(item);
        shown.get(item)?.querySelector(".values select, .values input")?.focus();
      },
    );
    if (field.help) fact.title = field.help;
    return element("div", { class: "condition" }, whether(item), fact, operator, values(item, field));
  }

  function whether(item) {
    return element(
      "button",
      {
        type: "button",
        class: item.not ? "not on" : "not",
        "aria-pressed": String(item.not),
        title: words.whether,
        onclick: (event) => {
          item.not = !item.not;
          event.target.setAttribute("aria-pressed", String(item.not));
          event.target.classList.toggle("on", item.not);
          changed();
        },
      },
      words.not,
    );
  }

  // Values ---------------------------------------------------------------------------------------

  function values(item, field) {
    const box = element("div", { class: "values" });
    if (item.op === "known" || item.op === "unknown") return box;
    if (field.kind === "number") {
      const names = item.op === "between" ? [words.lower, words.upper] : [words.value];
      box.append(...names.map((name, at) => numberValue(item, field, at, name)), ...unit(item, field));
    } else if (field.kind === "text" || (field.kind === "choice" && !field.values)) {
      box.append(
        element("input", {
          type: "text",
          maxlength: "200",
          value: item.values[0] ?? "",
          "aria-label": words.value,
          oninput: (event) => set(item, 0, event.target.value),
        }),
      );
    } else if (item.op === "in") {
      box.append(several(item, field));
    } else {
      const isYesNo = field.kind === "yes_no";
      const options = isYesNo
        ? [
            ["yes", words.yes],
            ["no", words.no],
          ]
        : field.values.map((one) => [one.value, one.words === one.value ? one.value : one.words]);
      const present = isYesNo && item.values.length ? (item.values[0] ? "yes" : "no") : (item.values[0] ?? "");
      box.append(
        select(words.value, [["", words.choose], ...options], present, (value) =>
          set(item, 0, isYesNo && value ? value === "yes" : value),
        ),
      );
    }
    return box;
  }

  function numberValue(item, field, at, name) {
    return element("input", {
      type: "number",
      step: field.whole ? "1" : "any",
      value: item.values[at] ?? "",
      "aria-label": name,
      oninput: (event) => set(item, at, event.target.value === "" ? "" : Number(event.target.value)),
    });
  }

  function unit(item, field) {
    if (field.units.length < 2) return field.units.map((name) => element("span", { class: "unit-word" }, name));
    const made = select(
      words.unit,
      field.units.map((name) => [name, name]),
      item.unit || field.units[0],
      (value) => {
        item.unit = value === field.units[0] ? "" : value;
        changed();
      },
    );
    made.classList.add("unit");
    return [made];
  }

  function several(item, field) {
    const name = `in-${++serial}`;
    const box = (one) =>
      element(
        "label",
        {},
        element("input", {
          type: "checkbox",
          name,
          value: one.value,
          checked: item.values.includes(one.value),
          onchange: (event) => {
            const others = item.values.filter((value) => value !== one.value);
            item.values = event.target.checked ? [...others, one.value] : others;
            changed();
          },
        }),
        one.words,
      );
    return element("div", { class: "several", role: "group", "aria-label": words.value }, ...field.values.map(box));
  }

  function set(item, at, value) {
    item.values[at] = value;
    changed();
  }

  // What is wrong --------------------------------------------------------------------------------

  /** Marks rows that lack something, and says under one what the server didn't understand. */
  function mark(lacking, wrong = null, reason = "") {
    for (const [item, made] of shown) {
      const isMarked = lacking.includes(item) || item === wrong;
      for (const control of made.querySelectorAll(":scope > .values input, :scope > .values select:not(.unit), :scope > .head input")) {
        const isEmpty = item === wrong || control.value === "" || control.type === "checkbox";
        control.toggleAttribute("aria-invalid", false);
        if (isMarked && isEmpty) control.setAttribute("aria-invalid", "true");
      }
      made.querySelector(":scope > .error")?.remove();
      if (item === wrong) made.append(element("span", { class: "error", role: "alert" }, reason));
    }
  }

  return { show, mark, tree: () => root };
}

function select(name, options, value, chosen) {
  const made = element(
    "select",
    { "aria-label": name, onchange: (event) => chosen(event.target.value) },
    ...options.map(([key, title]) => element("option", { value: key, selected: key === value }, title)),
  );
  made.value = value;
  return made;
}
