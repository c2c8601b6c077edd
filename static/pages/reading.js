// The reading design: what is written in the form, in words beside it.

const form = document.getElementById("reading");
const said = document.getElementById("said");
const PAUSE_MS = 250;
let timer = 0;
let turn = 0;

function alone() {
  form.classList.toggle("alone", Number(form.elements.readers_per_case.value) === 1);
}

async function say() {
  const mine = ++turn;
  let answer;
  try {
    answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) });
  } catch {
    return;
  }
  if (mine !== turn || !answer.ok) return;
  said.innerHTML = await answer.text(); // the server's own fragment, escaped there
}

if (form && said) {
  form.addEventListener("input", () => {
    alone();
    clearTimeout(timer);
    timer = setTimeout(say, PAUSE_MS);
  });
  alone();
}
