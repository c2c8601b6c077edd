// The cohort page: the form and the text say the same, and what they find follows.

import { makeForm } from "./cohort/form.js";
import { showBusy, showCases, showCounts, showNothing } from "./cohort/found.js";
import { empty, fromJson, incomplete, toJson } from "./cohort/tree.js";
import { words } from "./cohort/words.js";

const PAUSE_MS = 250;
const AGAIN_MS = 5000; // while facts are still being worked out
const AT_ONCE = 24;

const at = (id) => document.getElementById(id);
const page = at("cohort");
const text = at("text");
const problem = at("problem");
const freeze = at("freeze");

let form = null;
let language = null;
let timer = 0;
let again = 0;
let turn = 0;
let present = null; // what was answered last, to ask for more of it

async function start() {
  const answer = await fetch(page.dataset.fields, { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return say(words.gone);
  language = await answer.json();
  form = makeForm(at("conditions"), language, () => soon(askForm));
  form.show(empty());
  // Also what the server didn't understand is asked again: then it says so where it belongs.
  ask({ cohort: page.dataset.text }, { from: "address" });
}

const levelOf = (key) => language.fields.find((field) => field.key === key).level;

function soon(what) {
  turn += 1; // what is under way no longer matters
  settle(null);
  clearTimeout(timer);
  timer = setTimeout(what, PAUSE_MS);
}

function askForm() {
  const tree = form.tree();
  const lacking = incomplete(tree);
  form.mark(lacking);
  if (lacking.length) {
    showNothing();
    at("asking").textContent = words.incomplete;
    return;
  }
  const { expression, items } = toJson(tree);
  ask({ cohort: expression }, { from: "form", items });
}

async function ask(body, { from, items = new Map() }) {
  clearTimeout(again);
  turn += 1;
  const mine = turn;
  showBusy(true);
  const told = await sent(`?limit=${AT_ONCE}`, body);
  if (mine !== turn) return;
  showBusy(false);
  if (told.reason !== undefined) return refused(told, from, items);
  problem.hidden = true;
  at("conditions").classList.remove("outdated");
  text.removeAttribute("aria-invalid");
  if (from === "form") form.mark([]);
  else form.show(fromJson(told.expression, levelOf));
  if (from !== "text") text.value = told.text;
  settle(told);
  showCounts(told);
  showCases(told, false);
  if (told.facts_waiting) again = setTimeout(() => ask({ cohort: told.text }, { from: "time" }), AGAIN_MS);
}

async function sent(query, body) {
  try {
    const answer = await fetch(page.dataset.api + query, {
      method: "POST",
      body: JSON.stringify(body),
      redirect: "error",
      headers: { "Content-Type": "application/json", "X-CSRFToken": page.dataset.csrf },
    });
    return await answer.json();
  } catch {
    return { reason: words.gone, place: "" };
  }
}

function refused(told, from, items) {
  settle(null);
  showNothing();
  if (from === "form") {
    // The longest beginning of the place that a row stands for.
    const found = [...items.keys()].filter((key) => `${told.place}/`.startsWith(`${key}/`)).sort((a, b) => b.length - a.length)[0];
    if (found !== undefined) return form.mark([], items.get(found), told.reason);
  }
  form?.mark([]);
  at("conditions").classList.add("outdated"); // they say what was asked before
  const where = /^character (\d+)$/.exec(told.place ?? "");
  say(where ? `${words.characterAt} ${where[1]}: ${told.reason}` : told.reason);
}

function say(reason) {
  problem.textContent = reason;
  problem.hidden = false;
  text.setAttribute("aria-invalid", "true");
}

// The address, the link and the button follow what was answered; without an answer nothing can be frozen.
function settle(told) {
  present = told;
  const canFreeze = Boolean(told?.counts.cases);
  freeze.setAttribute("aria-disabled", String(!canFreeze));
  if (canFreeze) freeze.href = `${page.dataset.release}?${new URLSearchParams({ cohort: told.text })}`;
  else freeze.removeAttribute("href");
  at("copy").hidden = !told || !navigator.clipboard;
  if (told) history.replaceState(null, "", `?${new URLSearchParams({ cohort: told.text })}`);
}

text.addEventListener("input", () => {
  text.removeAttribute("aria-invalid");
  soon(() => ask({ cohort: text.value }, { from: "text" }));
});

at("clear").addEventListener("click", () => {
  form?.show(empty());
  soon(askForm);
});

at("more").addEventListener("click", async () => {
  const told = present;
  if (!told) return;
  const shown = at("cases").children.length;
  const next = await sent(`?limit=${AT_ONCE}&offset=${shown}`, { cohort: told.text });
  if (present !== told || next.reason !== undefined) return;
  showCases(next, true);
  at("cases").children[shown]?.querySelector("a").focus();
});

at("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(location.href);
  const said = at("copy").lastElementChild;
  at("copy").dataset.words ??= said.textContent;
  said.textContent = words.copied;
  setTimeout(() => (said.textContent = at("copy").dataset.words), 2000);
});

start();
