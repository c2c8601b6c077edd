// Asking across hospitals: the form and the text say the same, and the button asks what was understood.

import { makeEditor } from "./cohort/editor.js";
import { words } from "./cohort/words.js";

const at = (id) => document.getElementById(id);
const page = at("cohort");
const button = at("ask").querySelector("button");
const isPossible = !button.disabled;

makeEditor(page, {
  texts: {
    everything: page.dataset.everything,
    casesThat: page.dataset.subjectsThat,
    subjectOrCase: page.dataset.subject,
  },
  busy(isBusy) {
    at("words").setAttribute("aria-busy", String(isBusy));
    at("asking").textContent = isBusy ? words.reading : "";
  },
  nothing() {
    at("words").textContent = "";
    at("asking").textContent = "";
  },
  told(answer) {
    at("words").textContent = answer.words;
  },
  settled(answer) {
    button.disabled = !isPossible || !answer;
  },
});
