import { createRoot } from "react-dom/client";
import { watchAdjudication } from "./adjudication/deciding";
import { aheadOf } from "./ahead";
import "./commands/index";
import { start } from "./engine/cornerstone";
import { watchReads } from "./hanging";
import { watchLinks } from "./linking";
import { watchTime } from "./readtime";
import { startSession, watchWindow } from "./session";
import { expose } from "./testhook";
import { Room } from "./ui/Room";
import "./ui/room.css";

const element = document.getElementById("room");
if (element?.dataset.read) {
  expose();
  watchWindow();
  watchReads();
  watchAdjudication();
  watchTime(element.dataset.csrf ?? "");
  watchLinks();
  aheadOf(element.dataset.user ?? "", element.dataset.csrf ?? "");
  void startSession(element.dataset.read, element.dataset.user ?? "", element.dataset.csrf ?? "");
  createRoot(element).render(<Room />);
  // The renderer starts while the first answers are on their way.
  start();
}
