/** Opens the reading room in a page: once, for the first read; from there the room goes on by itself. */
import { createRoot } from "react-dom/client";
import { watchAdjudication } from "./adjudication/deciding";
import { aheadOf } from "./ahead";
import "./commands/index";
import { start } from "./engine/cornerstone";
import { watchReads } from "./hanging";
import { watchLinks } from "./linking";
import { watchTime } from "./readtime";
import { type Ahead, startSession, watchWindow } from "./session";
import { expose } from "./testhook";
import { Room } from "./ui/Room";

/** `element` carries who reads (`data-user`) and the token of their forms (`data-csrf`). */
export function openRoom(element: HTMLElement, read: string, ahead: Ahead | null = null): void {
  const { user = "", csrf = "" } = element.dataset;
  expose();
  watchWindow();
  watchReads();
  watchAdjudication();
  watchTime(csrf);
  watchLinks();
  aheadOf(user, csrf);
  void startSession(read, user, csrf, ahead);
  createRoot(element).render(<Room />);
  // The renderer starts while the first answers are on their way.
  start();
}

export { lookAhead, taken } from "./ahead";
export { start } from "./engine/cornerstone";
