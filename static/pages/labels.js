// The form of labels: each row says in short what is chosen in it, and coded terms are found as one types.

const form = document.querySelector("form[data-terms]");
const PAUSE_MS = 150;

function faint(text) {
  const span = document.createElement("span");
  span.className = "faint";
  span.textContent = text;
  return span;
}

function sayKinds(pick) {
  const chosen = [...pick.querySelectorAll("label:has(:checked)")].map((label) => label.textContent.trim());
  pick.querySelector(".said").replaceChildren(chosen.length ? chosen.join(", ") : faint(form.dataset.wordsNoKind));
}

function partsOf(pick) {
  const part = (name) => pick.querySelector(`[name$="-code-${name}"]`);
  return { value: part("value"), scheme: part("scheme"), meaning: part("meaning") };
}

function sayCode(pick) {
  const { value, scheme, meaning } = partsOf(pick);
  const code = `${scheme.value} ${value.value}`.trim();
  const said = meaning.value || code ? [`${meaning.value} `, faint(code)] : [faint(form.dataset.wordsNoCode)];
  pick.querySelector(".said").replaceChildren(...said);
}

function say(event) {
  const pick = event.target.closest("[data-pick]");
  if (pick?.dataset.pick === "kinds") sayKinds(pick);
  else if (pick && event.target.name) sayCode(pick);
}

// Terms -------------------------------------------------------------------------------------------

/** What a chosen term is written into: the fields of a code, or a line of the answers to choose from. */
function take(search, term) {
  const { append } = search.dataset;
  if (append) {
    const lines = form.elements[append];
    const before = lines.value.trimEnd();
    lines.value = `${before}${before ? "\n" : ""}${term.meaning} | ${term.value} | ${term.scheme}`;
    return;
  }
  const pick = search.closest("[data-pick]");
  const parts = partsOf(pick);
  for (const [name, field] of Object.entries(parts)) field.value = term[name];
  sayCode(pick);
  const name = pick.closest("tr").querySelector('[name$="-name"]');
  if (!name.value) name.value = term.meaning;
}

function option(term, id) {
  const row = document.createElement("li");
  row.id = id;
  row.role = "option";
  const meaning = document.createElement("span");
  meaning.textContent = term.meaning;
  const code = faint(`${term.scheme} ${term.value}${term.own ? `, ${form.dataset.wordsOwn}` : ""}`);
  row.append(meaning, code);
  if (term.also) row.title = term.also;
  return row;
}

function watch(search) {
  const input = search.querySelector("input");
  const list = search.querySelector(".terms");
  let terms = [];
  let at = -1;
  let timer = 0;
  let turn = 0;

  const point = (next) => {
    at = next;
    for (const [index, row] of [...list.children].entries()) row.ariaSelected = String(index === at);
    if (terms[at]) {
      input.setAttribute("aria-activedescendant", list.children[at].id);
      list.children[at].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };

  const show = (found, isAsked = true) => {
    terms = found;
    const rows = found.map((term, index) => option(term, `${list.id}-${index}`));
    const none = document.createElement("li");
    none.className = "none";
    none.textContent = form.dataset.wordsNone;
    list.replaceChildren(...(rows.length || !isAsked ? rows : [none]));
    list.hidden = !isAsked;
    input.ariaExpanded = String(isAsked && rows.length > 0);
    point(rows.length ? 0 : -1);
  };

  const choose = (term) => {
    if (!term) return;
    take(search, term);
    input.value = "";
    show([], false);
  };

  const look = async () => {
    const mine = ++turn;
    const text = input.value.trim();
    if (!text) return show([], false);
    let answer;
    try {
      answer = await fetch(`${form.dataset.terms}?q=${encodeURIComponent(text)}`);
    } catch {
      return; // offline: the fields can be filled in by hand
    }
    if (mine === turn && answer.ok) show((await answer.json()).terms);
  };

  search.hidden = false;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key === "Enter") {
      event.preventDefault(); // never the whole form
      choose(terms[at]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      show([], false);
    } else if (steps[event.key] && terms.length) {
      event.preventDefault();
      point((at + steps[event.key] + terms.length) % terms.length);
    }
  });
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the field keeps the focus
    choose(terms[[...list.children].indexOf(event.target.closest("li"))]);
  });
}

if (form) {
  form.addEventListener("input", say);
  for (const search of form.querySelectorAll(".term-search")) watch(search);
}
