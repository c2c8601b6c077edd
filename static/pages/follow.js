// What a form would do, said beside it by the server while it is filled in.

const PAUSE_MS = 250;

/** `atOnce` is what needs no server; it runs now, and before each question. */
export function follow(form, place, atOnce) {
  if (!form || !place) return;
  let timer = 0;
  let turn = 0;

  async function ask() {
    const mine = ++turn;
    let answer;
    try {
      answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) });
    } catch {
      return;
    }
    if (mine !== turn || !answer.ok) return;
    place.innerHTML = await answer.text(); // the server's own fragment, escaped there
  }

  form.addEventListener("input", () => {
    atOnce();
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
  atOnce();
}
