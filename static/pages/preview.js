// Sends one file to be looked at, and shows attribute by attribute what de-identification would do to it.

import { dropPlace } from "./drop.js";
import { counted, number, say } from "./import/words.js";

const ACTIONS = [
  ["", "All"],
  ["removed", "Removed"],
  ["emptied", "Emptied"],
  ["changed", "Changed"],
  ["added", "Added"],
  ["kept", "Kept"],
];
const COUNT = 6; // how many attributes a line stands for
const VERDICTS = { removed: "bad", emptied: "warn", changed: "warn", added: "good" };

const element = (id) => document.getElementById(id);
const page = element("preview");
let file = null;
let changes = [];
let action = "";
let asked = 0;

async function look() {
  if (!file) return;
  asked += 1;
  const mine = asked; // an answer to an earlier question comes too late
  say(element("verdict"), "", `Looking at ${file.name} …`);
  const query = new URLSearchParams();
  for (const box of page.querySelectorAll('input[name="option"]:checked')) query.append("option", box.value);
  let told;
  try {
    const answer = await fetch(`?${query}`, {
      method: "POST",
      body: file,
      redirect: "error", // to the page for signing in
      headers: { "X-CSRFToken": page.dataset.csrf, "Content-Type": "application/octet-stream" },
    });
    told = await answer.json().catch(() => ({ reason: `The node answered ${answer.status}.` }));
  } catch {
    told = { reason: "The node can't be reached, or you are signed out. Load this page again." };
  }
  if (mine === asked) show(told);
}

function show(told) {
  element("result").hidden = !told.changes?.length;
  if (told.reason) return say(element("verdict"), "bad", told.reason);
  if (told.refusal) return say(element("verdict"), "bad", `It would be refused: ${told.refusal}`);
  changes = told.changes.map(([path, ...rest]) => [tag(path), ...rest]);
  const count = (wanted) =>
    changes.reduce((sum, change) => sum + (!wanted || change[3] === wanted ? change[COUNT] : 0), 0);
  const done = `${number(count("removed"))} removed, ${number(count("emptied"))} emptied, ${number(count("changed"))} changed, ${number(count("added"))} added, ${number(count("kept"))} kept.`;
  const check = told.check.length
    ? ` As it is, it would not pass as de-identified: ${told.check.slice(0, 3).join(" ")}${told.check.length > 3 ? ` And ${told.check.length - 3} more.` : ""}`
    : " As it is, it would pass as de-identified.";
  say(element("verdict"), "good", `${file.name}: ${done}${check}`);
  element("kind").textContent = [told.kind, counted(count(), "attribute", "attributes")].filter(Boolean).join(", ");
  element("drop").classList.add("small");
  chips(count);
  rows();
}

// "0040A730[2].0040A160" as people write it.
const tag = (path) =>
  path
    .split(".")
    .map((step) => step.replace(/^([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})/, "($1,$2)").replace(/\[(\d+)\]/, " item $1"))
    .join(" ");

function chips(count) {
  element("actions").replaceChildren(
    ...ACTIONS.filter(([value]) => !value || count(value) > 0).map(([value, words]) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = `chip${value === action ? " on" : ""}`;
      chip.setAttribute("aria-pressed", String(value === action));
      chip.textContent = value ? `${words} ${number(count(value))}` : words;
      chip.addEventListener("click", () => {
        action = value;
        chips(count);
        rows();
        element("actions").querySelector(".on")?.focus();
      });
      return chip;
    }),
  );
}

function rows() {
  const words = element("words").value.trim().toLowerCase();
  const wanted = changes.filter(
    (change) =>
      (!action || change[3] === action) && (!words || change.slice(0, COUNT).some((value) => value.toLowerCase().includes(words))),
  );
  element("none").hidden = wanted.length > 0;
  element("rows").replaceChildren(...wanted.map(row));
}

function row([path, keyword, vr, what, before, after, count]) {
  const made = document.createElement("tr");
  made.className = what;
  const verdict = document.createElement("span");
  verdict.className = `tag ${VERDICTS[what] ?? ""}`;
  verdict.textContent = what;
  const named = path ? keyword || "private or unknown" : counted(count, "further attribute", "further attributes");
  for (const value of [path, named, vr, verdict, before, after]) {
    made.insertCell().append(value);
  }
  for (const cell of [made.cells[4], made.cells[5]]) cell.className = "value";
  return made;
}

function choose(files) {
  if (files.length === 0) return;
  file = files[0];
  look();
}

dropPlace(element("drop"), (dropped) => choose([...dropped.files]));
element("file").addEventListener("change", (event) => {
  choose([...event.target.files]);
  event.target.value = "";
});
element("words").addEventListener("input", rows);
for (const box of page.querySelectorAll('input[name="option"]')) box.addEventListener("change", look);
