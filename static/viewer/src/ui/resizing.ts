/** One observer for all images: a new layout changes them all at once, and the renderer is resized once. */
import { start } from "../engine/cornerstone";

const heard = new Map<Element, () => void>();
let observer: ResizeObserver | null = null;

/** Calls `hear` whenever the element has another size, after the renderer knows it. Returns how to stop. */
export function onResize(element: HTMLElement, hear: () => void): () => void {
  observer ??= new ResizeObserver((entries) => {
    // An image behind a maximised one has no size, and keeps what it had.
    const shown = entries.filter(({ target }) => target.clientWidth > 1 && target.clientHeight > 1);
    if (!shown.length) return;
    start().resize(true, true);
    for (const { target } of shown) heard.get(target)?.();
  });
  heard.set(element, hear);
  observer.observe(element);
  return () => {
    heard.delete(element);
    observer?.unobserve(element);
  };
}
