// The form of a hanging protocol: as many panes as the layout has, and a preview that follows what is written.

const form = document.getElementById("hanging");
const preview = document.getElementById("preview");
const PAUSE_MS = 250;
let timer = 0;
let turn = 0;

function layout() {
  const shown = Number(form.elements.rows.value) * Number(form.elements.columns.value);
  for (const pane of form.querySelectorAll("[data-pane]")) pane.hidden = Number(pane.dataset.pane) >= shown;
}

async function look() {
  const mine = ++turn;
  let answer;
  try {
    answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) });
  } catch {
    return;
  }
  if (mine !== turn || !answer.ok) return;
  preview.innerHTML = await answer.text(); // the server's own fragment, escaped there
}

if (form && preview) {
  form.addEventListener("input", () => {
    layout();
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  layout();
}
