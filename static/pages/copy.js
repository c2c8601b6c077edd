// Buttons that copy a command. Where the browser has no clipboard for this page, they stay hidden.

const COPIED = { en: "Copied", es: "Copiado" };

function show() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  const words = button.lastChild;
  button.dataset.words ??= words.textContent;
  words.textContent = COPIED[document.documentElement.lang] ?? COPIED.en;
  setTimeout(() => (words.textContent = button.dataset.words), 2000);
});

document.addEventListener("atlas:fresh", show);
show();
