// The reading design: what is written in the form, in words beside it.

import { follow } from "./follow.js";

const form = document.getElementById("reading");

follow(form, document.getElementById("said"), () => {
  form.classList.toggle("alone", Number(form.elements.readers_per_case.value) === 1);
});
