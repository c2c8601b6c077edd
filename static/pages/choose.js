// Tables with boxes to tick: one box for the whole page, Shift for a run of rows, and a count beside the form.

for (const all of document.querySelectorAll("[data-choose-all]")) follow(all.dataset.chooseAll);

function follow(name) {
  const boxes = () => [...document.querySelectorAll(`input[type="checkbox"][name="${name}"]`)];
  let last = null;

  const tell = () => {
    const found = boxes();
    const matching = document.querySelector(`[data-choose-matching="${name}"]`);
    const here = found.filter((box) => box.checked).length;
    const n = matching?.checked ? Number(matching.value) : here;
    const all = document.querySelector(`[data-choose-all="${name}"]`);
    if (all) {
      all.checked = here > 0 && here === found.length;
      all.indeterminate = here > 0 && here < found.length;
    }
    for (const place of document.querySelectorAll(`[data-chosen-count="${name}"]`)) {
      const words = name === "study" ? ["study", "studies"] : ["case", "cases"];
      place.dataset.none ??= place.textContent;
      place.textContent = n === 0 ? place.dataset.none : `${n.toLocaleString("en")} ${n === 1 ? words[0] : words[1]} chosen`;
    }
  };

  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.type !== "checkbox") return;
    const matching = document.querySelector(`[data-choose-matching="${name}"]`);
    if (matching && box !== matching) matching.checked = false; // whoever picks cases means those
    if (box === matching) {
      for (const one of boxes()) one.checked = box.checked;
      last = null;
    } else if (box.dataset.chooseAll === name) {
      for (const one of boxes()) one.checked = box.checked;
      last = null;
    } else if (box.name === name) {
      const found = boxes();
      if (event.shiftKey && last && found.includes(last)) {
        const [from, to] = [found.indexOf(last), found.indexOf(box)].sort((a, b) => a - b);
        for (const one of found.slice(from, to + 1)) one.checked = box.checked;
      }
      last = box;
    } else return;
    tell();
  });
  document.addEventListener("atlas:fresh", tell);
  tell();
}
