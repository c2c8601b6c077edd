// The form of a hanging protocol: as many panes as the layout has, and a preview that follows what is written.

import { follow } from "./follow.js";

const form = document.getElementById("hanging");

follow(form, document.getElementById("preview"), () => {
  const shown = Number(form.elements.rows.value) * Number(form.elements.columns.value);
  for (const pane of form.querySelectorAll("[data-pane]")) pane.hidden = Number(pane.dataset.pane) >= shown;
});
