// A cohort being written: the form and the text say the same, and the address follows what was understood.

import { makeForm } from "./form.js";
import { empty, fromJson, incomplete, toJson } from "./tree.js";
import { words } from "./words.js";

const PAUSE_MS = 250;

const at = (id) => document.getElementById(id);

/**
 * `page`: the element with data-api (what answers an expression), data-fields, data-text and data-csrf.
 * busy(isBusy), nothing(): what is shown has no question any more; told(answer): it was understood;
 * settled(answer or null): what the buttons may act upon; texts: what the form says of this page.
 */
export function makeEditor(page, { query = "", texts = {}, busy, nothing, told, settled }) {
  const text = at("text");
  const problem = at("problem");
  let form = null;
  let language = null;
  let timer = 0;
  let turn = 0;

  async function start() {
    const answer = await fetch(page.dataset.fields, { redirect: "error" }).catch(() => null);
    if (!answer?.ok) return say(words.gone);
    language = await answer.json();
    form = makeForm(at("conditions"), language, () => soon(askForm), texts);
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
      nothing();
      at("asking").textContent = words.incomplete;
      return;
    }
    const { expression, items } = toJson(tree);
    ask({ cohort: expression }, { from: "form", items });
  }

  async function ask(body, { from, items = new Map() }) {
    turn += 1;
    const mine = turn;
    busy(true);
    const answer = await sent(query, body);
    if (mine !== turn) return;
    busy(false);
    if (answer.reason !== undefined) return refused(answer, from, items);
    problem.hidden = true;
    at("conditions").classList.remove("outdated");
    text.removeAttribute("aria-invalid");
    if (from === "form") form.mark([]);
    else form.show(fromJson(answer.expression, levelOf));
    if (from !== "text") text.value = answer.text;
    settle(answer);
    told(answer);
  }

  async function sent(params, body) {
    try {
      const answer = await fetch(page.dataset.api + params, {
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

  function refused(answer, from, items) {
    settle(null);
    nothing();
    if (from === "form") {
      // The longest beginning of the place that a row stands for.
      const found = [...items.keys()]
        .filter((key) => `${answer.place}/`.startsWith(`${key}/`))
        .sort((a, b) => b.length - a.length)[0];
      if (found !== undefined) return form.mark([], items.get(found), answer.reason);
    }
    form?.mark([]);
    at("conditions").classList.add("outdated"); // they say what was asked before
    const where = /^character (\d+)$/.exec(answer.place ?? "");
    say(where ? `${words.characterAt} ${where[1]}: ${answer.reason}` : answer.reason);
  }

  function say(reason) {
    problem.textContent = reason;
    problem.hidden = false;
    text.setAttribute("aria-invalid", "true");
  }

  // The address and the link follow what was answered.
  function settle(answer) {
    at("copy").hidden = !answer || !navigator.clipboard;
    if (answer) history.replaceState(null, "", `?${new URLSearchParams({ cohort: answer.text })}`);
    settled(answer);
  }

  text.addEventListener("input", () => {
    text.removeAttribute("aria-invalid");
    soon(() => ask({ cohort: text.value }, { from: "text" }));
  });

  at("clear").addEventListener("click", () => {
    form?.show(empty());
    soon(askForm);
  });

  at("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(location.href);
    const said = at("copy").lastElementChild;
    at("copy").dataset.words ??= said.textContent;
    said.textContent = words.copied;
    setTimeout(() => (said.textContent = at("copy").dataset.words), 2000);
  });

  start();
  return { ask, sent };
}
