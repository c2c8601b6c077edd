// A new release: what it would hold now, worked out by the server while the form is filled in.

import { follow } from "./follow.js";

const form = document.getElementById("new-release");

follow(form, document.getElementById("preview"), () => {});

// A second click freezes nothing a second time.
form.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => delete form.dataset.sent); // back from the release it made
