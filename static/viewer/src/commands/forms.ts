/** What the case shows, what is missing, and what was done. */
import { owedBy, stateLabel } from "../answering";
import type { FourState } from "../api/types";
import { register } from "../commands";
import { backToNow } from "../past";
import { marks } from "../store/marks";
import { room } from "../store/room";
import { goToFirstOwed } from "../ui/missing";
import { side } from "../ui/side";
import { t } from "../words";
import { isNoReader, whyNoMarks } from "./why";

const STATES: [FourState, string, string][] = [
  ["present", t("The label is present in this case"), "Shift+y"],
  ["absent", t("The label is absent in this case: looked, nothing there"), "Shift+n"],
  ["indeterminate", t("The label is indeterminate in this case"), "Shift+q"],
  ["not_assessed", t("The label was not assessed in this case"), "Shift+s"],
];

register(
  ...STATES.map(([state, title, key]) => ({
    id: `label.${state}`,
    title,
    group: "Mark" as const,
    keys: [key],
    hidden: isNoReader,
    off: () => whyNoMarks() ?? (room.getState().label ? null : t("No label is chosen.")),
    run: () => {
      const { label } = room.getState();
      if (label) stateLabel(label, state);
    },
  })),
  {
    id: "change.missing",
    title: t("To the first missing answer"),
    group: "Change",
    keys: ["Shift+m"],
    hidden: isNoReader,
    off: () => {
      const { read } = room.getState();
      const owed = read ? owedBy(read, marks.getState()) : [];
      return whyNoMarks() ?? (owed.length ? null : t("Nothing is missing."));
    },
    run: goToFirstOwed,
  },
  {
    id: "room.history",
    title: t("What was done, and back to the findings"),
    group: "Room",
    keys: ["Shift+j"],
    run: () => side.setState(({ shown }) => ({ shown: shown === "history" ? "findings" : "history" })),
  },
  {
    id: "room.now",
    title: t("Back to now, from an earlier moment"),
    group: "Room",
    keys: [],
    off: () => (room.getState().past ? null : t("You see the marks as they are now.")),
    run: backToNow,
  },
);
