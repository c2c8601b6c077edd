/** What changed since a round, and telling of what lies outside the question. */
import { register } from "../commands";
import { changes, stepChange, toggleChanges } from "../review";
import { openDialog } from "../store/dialog";
import { room } from "../store/room";
import { t } from "../words";
import { isViewing } from "./why";

const whyNone = (): string | null =>
  changes.getState().diff ? null : t("There is no earlier round to compare this read with.");
const isFirstRound = (): boolean => (room.getState().read?.round ?? 1) < 2;

register(
  {
    id: "review.changes",
    title: t("Show on the images what changed since a round, or not"),
    group: "See",
    keys: ["Shift+t"],
    off: whyNone,
    hidden: isFirstRound,
    run: toggleChanges,
  },
  {
    id: "review.next-change",
    title: t("To the next change since a round"),
    group: "Move",
    keys: ["Shift+u"],
    off: whyNone,
    hidden: isFirstRound,
    run: () => stepChange(1),
  },
  {
    id: "review.incidental",
    title: t("Tell of an incidental finding"),
    group: "Room",
    keys: ["Shift+i"],
    hidden: isViewing,
    run: () => openDialog("incidental"),
  },
);
