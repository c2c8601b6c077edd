/**
 * On the worklist: the room waits behind it, with the chosen case fetched, so that a row opens in this page at once.
 * Until the room is here, and in browsers that lack something for it, the links lead to its own page as ever.
 */
import type * as Opening from "./opening";

const LOOK_AFTER_MS = 150;

const element = document.getElementById("room");
let opening: typeof Opening | null = null;
let timer = 0;

const chosen = (): string | undefined =>
  document.querySelector<HTMLElement>("tr.chosen[data-read]")?.dataset.read;

function look(read: string | undefined): void {
  window.clearTimeout(timer);
  if (read) timer = window.setTimeout(() => void opening?.lookAhead(read, element?.dataset), LOOK_AFTER_MS);
}

async function prepare(): Promise<void> {
  opening = await import("./opening");
  opening.start();
  look(chosen());
}

function enter(room: HTMLElement, read: string): void {
  for (const sheet of document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")) {
    if ("room" in sheet.dataset) sheet.media = "all";
    else if (!("everywhere" in sheet.dataset)) sheet.disabled = true;
  }
  document.documentElement.dataset.theme = "dark";
  room.hidden = false;
  room.dataset.read = read;
  document.body.replaceChildren(room);
  history.pushState(null, "", `/reads/${read}/`);
  opening?.openRoom(room, read, opening.taken(read));
}

if (element) {
  const soon = window.requestIdleCallback ?? ((work: () => void) => window.setTimeout(work, LOOK_AFTER_MS));
  soon(() => void prepare().catch(() => {}));
  // Whichever way a row is chosen, this page shows it so.
  new MutationObserver(() => look(chosen())).observe(document.body, {
    attributeFilter: ["aria-current"],
    subtree: true,
  });
  document.addEventListener("pointerover", ({ target }) => {
    look((target as Element).closest<HTMLElement>("tr[data-read]")?.dataset.read);
  });
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[href^='/reads/']");
    const [, read] = /^\/reads\/([^/]+)\/$/.exec(link?.pathname ?? "") ?? [];
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!opening || !read || !isPlain || event.defaultPrevented || link?.target) return;
    event.preventDefault();
    enter(element, read);
  });
}
