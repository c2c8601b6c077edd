// The cohort page: conditions, and the cases of the project that meet them.

import { makeEditor } from "./cohort/editor.js";
import { showBusy, showCases, showCounts, showNothing } from "./cohort/found.js";

const AGAIN_MS = 5000; // while facts are still being worked out
const AT_ONCE = 24;

const at = (id) => document.getElementById(id);
const page = at("cohort");
const freeze = at("freeze");

let again = 0;
let present = null; // what was answered last, to ask for more of it

const editor = makeEditor(page, {
  query: `?limit=${AT_ONCE}`,
  busy(isBusy) {
    clearTimeout(again);
    showBusy(isBusy);
  },
  nothing: showNothing,
  told(answer) {
    showCounts(answer);
    showCases(answer, false);
    if (answer.facts_waiting) again = setTimeout(() => editor.ask({ cohort: answer.text }, { from: "time" }), AGAIN_MS);
  },
  // Without an answer nothing can be frozen.
  settled(answer) {
    present = answer;
    const canFreeze = Boolean(answer?.counts.cases);
    freeze.setAttribute("aria-disabled", String(!canFreeze));
    if (canFreeze) freeze.href = `${page.dataset.release}?${new URLSearchParams({ cohort: answer.text })}`;
    else freeze.removeAttribute("href");
  },
});

at("more").addEventListener("click", async () => {
  const told = present;
  if (!told) return;
  const shown = at("cases").children.length;
  const next = await editor.sent(`?limit=${AT_ONCE}&offset=${shown}`, { cohort: told.text });
  if (present !== told || next.reason !== undefined) return;
  showCases(next, true);
  at("cases").children[shown]?.querySelector("a").focus();
});
