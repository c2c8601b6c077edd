// A release: its formats as tabs, and the list of files by format. Without this each is a page of its own.

function choose(key, from) {
  for (const tab of document.querySelectorAll("[data-format-tab]")) {
    if (tab.dataset.formatTab === key) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  for (const panel of document.querySelectorAll("[data-format-panel]")) {
    panel.hidden = panel.dataset.formatPanel !== key;
  }
  for (const row of document.querySelectorAll("tr[data-format]")) {
    row.classList.toggle("chosen", row.dataset.format === key);
  }
  const address = new URL(from.href);
  history.replaceState(null, "", address.pathname + address.search); // news read the page again as it is now
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest?.("[data-format-tab]");
  if (tab && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    choose(tab.dataset.formatTab, tab);
    return;
  }
  // The list of other releases closes when one looks elsewhere.
  for (const open of document.querySelectorAll(".pick-release[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector(".pick-release[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

document.addEventListener("change", (event) => {
  if (event.target.matches?.("select[data-sends]")) event.target.form.requestSubmit();
});
