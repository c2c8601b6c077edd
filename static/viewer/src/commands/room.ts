/** The room itself: its parts, its sheets, the way on. */
import { moveOn } from "../ahead";
import { register } from "../commands";
import { openDialog } from "../store/dialog";
import { room } from "../store/room";
import { t } from "../words";
import { isNoReader, isViewing } from "./why";

const PARTS = [".bar", ".tools", ".rail", ".panes", ".findings"];
const FOCUSABLE = "[role=application][tabindex='0'], button:not(:disabled), a[href], select, textarea, input";

/** The keyboard's focus goes on to the next part of the page, and after the last one back to the image. */
function nextPart(backwards: boolean): void {
  const parts = PARTS.map((name) => document.querySelector<HTMLElement>(name));
  const at = parts.findIndex((part) => part?.contains(document.activeElement));
  const next = backwards ? (at <= 0 ? parts.length - 1 : at - 1) : at + 1;
  if (next >= parts.length) (document.activeElement as HTMLElement | null)?.blur();
  else parts[next]?.querySelector<HTMLElement>(FOCUSABLE)?.focus();
}

const isDone = (): boolean => ["submitted", "accepted"].includes(room.getState().read?.state ?? "");

register(
  {
    id: "room.palette",
    title: t("Every command"),
    group: "Room",
    keys: ["Ctrl+k"],
    keyOnly: true,
    run: () => openDialog("palette"),
  },
  { id: "room.keys", title: t("All keys"), group: "Room", keys: ["?"], run: () => openDialog("keys") },
  {
    id: "room.preferences",
    title: t("Your keys, mouse and language"),
    group: "Room",
    keys: ["Ctrl+,"],
    run: () => openDialog("preferences"),
  },
  { id: "room.tour", title: t("Show me around"), group: "Room", keys: [], run: () => openDialog("tour") },
  {
    id: "room.submit",
    title: t("Submit the read"),
    group: "Room",
    keys: [],
    hidden: () => isNoReader() || isDone(),
    off: () => (document.querySelector(".submit .why") as HTMLElement | null)?.innerText ?? null,
    run: () => document.querySelector<HTMLElement>("[data-testid=submit]")?.focus(),
  },
  {
    id: "room.next-case",
    title: t("Next case, once submitted"),
    group: "Room",
    keys: ["n"],
    off: () => {
      if (!isDone()) return t("This read is not submitted yet.");
      return room.getState().read?.next ? null : t("No other case waits for you.");
    },
    run: moveOn,
  },
  {
    id: "room.worklist",
    title: t("To the worklist"),
    group: "Room",
    keys: [],
    hidden: isViewing,
    run: () => {
      const { read } = room.getState();
      if (read) location.assign(read.worklist_url);
    },
  },
  {
    id: "room.part-after",
    title: t("To the next part of the page"),
    group: "Room",
    keys: ["F6"],
    keyOnly: true,
    run: () => nextPart(false),
  },
  {
    id: "room.part-before",
    title: t("To the part of the page before"),
    group: "Room",
    keys: ["Shift+F6"],
    keyOnly: true,
    run: () => nextPart(true),
  },
);
