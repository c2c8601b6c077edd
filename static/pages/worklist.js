// The worklist by keys: arrows choose, Enter opens, N opens the next case. A click chooses, a second opens.

const panel = document.getElementById("panel");
const find = document.getElementById("find");
const rows = () => [...document.querySelectorAll("tr[data-panel]")].filter((row) => !row.hidden);
const chosen = () => document.querySelector("tr.chosen");
const PANEL_PAUSE_MS = 90;
const kept = new Map();
let wanted = 0;
let chosenRow = chosen()?.dataset.panel;

if (panel) {
  const first = chosen();
  if (first) kept.set(first.dataset.panel, panel.innerHTML);

  document.addEventListener("click", (event) => {
    const row = event.target.closest?.("tr[data-panel]");
    if (!row || event.target.closest("a, button")) return;
    if (row === chosen()) open(row);
    else choose(row);
  });

  document.addEventListener("keydown", (event) => {
    if (!panel.isConnected) return; // the reading room opened in this page
    const typing = event.target.closest("input, select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (event.target.closest("select")) return;
      step(event.key === "ArrowDown" ? 1 : -1);
      event.preventDefault();
    } else if (event.key === "Enter" && !event.target.closest("a, button, select")) {
      if (!chosen()) return;
      event.preventDefault(); // the field stands in a form
      open(chosen());
    } else if ((event.key === "n" || event.key === "N") && !typing) {
      const take = document.querySelector("[data-take]");
      const waits = document.querySelector("tr[data-read][data-waits]");
      if (take && !waits) take.form.requestSubmit();
      else location.assign("/worklist/next/");
    } else if (event.key === "Home" && !typing) choose(rows()[0]);
    else if (event.key === "End" && !typing) choose(rows().at(-1));
    else if (event.key === "Escape" && typing === find) {
      find.value = "";
      narrow();
    } else if (event.key === "/" && !typing) {
      find.focus();
      event.preventDefault();
    }
  });

  find.addEventListener("input", () => {
    narrow();
    keepInAddress();
  });

  // The list was read again: the same case stays chosen, if it is still there.
  document.addEventListener("atlas:fresh", () => {
    kept.clear();
    const row = rows().find((one) => one.dataset.panel === chosenRow);
    if (row && row !== chosen()) {
      mark(row);
    } else if (!row && chosen()) {
      const fresh = chosen();
      unmark(fresh);
      choose(fresh);
    }
    narrow();
    if (rows().length === 0) panel.replaceChildren(); // what it told of is no longer in the list
  });
}

for (const select of document.querySelectorAll("select[data-sends]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

function step(by) {
  const shown = rows();
  const place = shown.indexOf(chosen());
  const next = shown[Math.min(Math.max(place + by, 0), shown.length - 1)];
  if (next) choose(next);
}

function open(row) {
  row.querySelector("a, button").click(); // a case that nobody judges yet is taken
}

async function choose(row) {
  if (!row || row === chosen()) return;
  mark(row);
  row.scrollIntoView({ block: "nearest" });
  const address = row.dataset.panel;
  const turn = ++wanted;
  if (!kept.has(address)) {
    await new Promise((done) => setTimeout(done, PANEL_PAUSE_MS)); // holding an arrow key asks for the last only
    if (turn !== wanted) return;
    let answer;
    try {
      answer = await fetch(address);
    } catch {
      answer = { ok: false };
    }
    if (!answer.ok) {
      if (turn === wanted) panel.textContent = "This case could not be loaded. Load the page again.";
      return;
    }
    kept.set(address, await answer.text());
  }
  if (turn === wanted) panel.innerHTML = kept.get(address);
}

function unmark(row) {
  row?.removeAttribute("aria-current");
  row?.classList.remove("chosen");
}

function mark(row) {
  unmark(chosen());
  row.classList.add("chosen");
  row.setAttribute("aria-current", "true");
  chosenRow = row.dataset.panel;
}

// What is typed stands in the address, and is looked for among those cases, too, that are not shown.
function keepInAddress() {
  const address = new URL(location.href);
  if (find.value.trim()) address.searchParams.set("text", find.value.trim());
  else address.searchParams.delete("text");
  history.replaceState(history.state, "", address);
  if (document.querySelector("tr.more") || address.searchParams.size > 0) {
    document.dispatchEvent(new CustomEvent("atlas:look"));
  }
}

function narrow() {
  const words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  for (const group of document.querySelectorAll("tbody[data-group]")) {
    const own = [...group.querySelectorAll("tr[data-panel]")];
    for (const row of own) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    for (const other of group.querySelectorAll("tr.group, tr.more")) {
      other.hidden = words.length > 0 && own.every((row) => row.hidden);
    }
  }
  const shown = rows();
  const any = document.querySelector("tr[data-panel]") !== null;
  document.getElementById("none-found").hidden = shown.length > 0 || !any;
  if (shown.length > 0 && !shown.includes(chosen())) choose(shown[0]);
}
