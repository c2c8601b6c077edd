/** What happens to marks: made, undone, taken away. */
import { register } from "../commands";
import { addSegment, labelFor, redo, remove, undo } from "../marking";
import { draft } from "../store/draft";
import { room } from "../store/room";
import { finishDrawing } from "../tools";
import { t } from "../words";
import { isNoReader, whyNoImage, whyNoMarks } from "./why";

/** Esc goes back one step at a time: what is half drawn, what is asked, what is chosen, the tool. */
function stepBack(): void {
  const state = room.getState();
  if (draft.getState().shape) draft.setState({ shape: null });
  else if (state.pin) room.setState({ pin: null });
  else if (state.notice) room.setState({ notice: null });
  else if (state.selected) room.setState({ selected: null });
  else room.setState({ tool: "window" });
}

const chosen = (): string | null =>
  whyNoMarks() ?? (room.getState().selected ? null : t("No finding is chosen."));

register(
  {
    id: "mask.segment",
    title: t("New segment"),
    group: "Mask",
    keys: ["a"],
    hidden: isNoReader,
    off: () =>
      whyNoMarks() ??
      whyNoImage() ??
      (labelFor("segment") ? null : t("No label of this project takes a mask.")),
    run: () => {
      const { panes, active } = room.getState();
      const { series } = panes[active];
      if (series && addSegment(series)) room.setState({ tool: "brush" });
    },
  },
  {
    id: "mark.close",
    title: t("Close what is drawn corner by corner"),
    group: "Mark",
    keys: ["Enter"],
    keyOnly: true,
    hidden: isNoReader,
    run: () => void finishDrawing(),
  },
  {
    id: "change.undo",
    title: t("Undo"),
    group: "Change",
    keys: ["Ctrl+z"],
    repeats: true,
    hidden: isNoReader,
    off: () => whyNoMarks() ?? (room.getState().report?.canUndo ? null : t("Nothing to undo.")),
    run: () => undo(),
  },
  {
    id: "change.redo",
    title: t("Redo"),
    group: "Change",
    keys: ["Ctrl+Shift+z", "Ctrl+y"],
    repeats: true,
    hidden: isNoReader,
    off: () => whyNoMarks() ?? (room.getState().report?.canRedo ? null : t("Nothing to redo.")),
    run: () => redo(),
  },
  {
    id: "change.delete",
    title: t("Delete the chosen finding"),
    group: "Change",
    keys: ["Backspace", "Delete"],
    hidden: isNoReader,
    off: chosen,
    run: () => {
      const { selected } = room.getState();
      if (selected) remove(selected);
    },
  },
  {
    id: "change.cancel",
    title: t("Cancel: one step back"),
    group: "Change",
    keys: ["Escape"],
    keyOnly: true,
    run: stepBack,
  },
);
