// Buttons that copy a command. Where the browser has no clipboard for this page, they stay hidden.

for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  const words = button.lastChild;
  words.textContent = "Copied";
  setTimeout(() => (words.textContent = "Copy"), 2000);
});
