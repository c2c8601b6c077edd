// Menus made of <details>: they open and work without this. It closes them by Escape, by a click beside them,
// and moves through their entries by arrow keys.

const menus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu");
  if (!menu?.open) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const entries = [menu.querySelector("summary"), ...menu.querySelectorAll("a")];
  const at = entries.indexOf(event.target);
  entries[(at + step + entries.length) % entries.length].focus();
});

// On a narrow screen the list of filters begins folded.
const filters = document.querySelector(".filters > details");
if (filters && matchMedia("(max-width: 900px)").matches && !filters.querySelector(".on")) filters.open = false;
