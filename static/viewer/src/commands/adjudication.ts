/** Settling what readers disagree about. While the hands only look, letters are readers; with a brush they are tools. */
import {
  accept,
  consider,
  drawAnew,
  editResult,
  goOn,
  reopen,
  step,
  toggleReader,
  whyNotAccept,
} from "../adjudication/deciding";
import { arrange } from "../adjudication/panes";
import { isArranged, isLooking, judging, lesionOf } from "../adjudication/store";
import { type Command, register } from "../commands";
import { room } from "../store/room";
import { side } from "../ui/side";
import { t } from "../words";

const LETTERS = "ABCDEFGH";
const KEYED = "ABCD";

const isNone = (): boolean => !room.getState().read?.adjudication;
const isDone = (): boolean => ["submitted", "accepted"].includes(room.getState().read?.state ?? "");
const hasReader = (letter: string): boolean =>
  judging.getState().now?.readers.some((reader) => reader.letter === letter) ?? false;
const noLesion = (): string | null => (lesionOf(judging.getState()) ? null : t("No lesion is chosen."));

const readerCommand = (letter: string): Command => ({
  id: `adjudication.reader-${letter.toLowerCase()}`,
  title: t("Lines of reader {letter}, on or off", { letter }),
  group: "See",
  keys: KEYED.includes(letter) ? [letter.toLowerCase()] : [],
  repeats: false,
  hidden: () => isNone() || !isLooking() || !hasReader(letter),
  run: () => toggleReader(letter),
});

const takeCommand = (letter: string): Command => ({
  id: `adjudication.take-${letter.toLowerCase()}`,
  title: t("Take what reader {letter} marked", { letter }),
  group: "Change",
  keys: KEYED.includes(letter) ? [`Shift+${letter.toLowerCase()}`] : [],
  hidden: () => isNone() || !isLooking() || !hasReader(letter),
  off: noLesion,
  run: () => {
    const { now } = judging.getState();
    const read = now?.readers.find((reader) => reader.letter === letter)?.read;
    const lesion = lesionOf(judging.getState());
    if (lesion?.options.some((option) => option.take === "read" && option.read === read))
      consider({ take: "read", read });
  },
});

register(
  ...[...LETTERS].map(readerCommand),
  ...[...LETTERS].map(takeCommand),
  {
    id: "adjudication.accept",
    title: t("Accept this lesion and go to the next"),
    group: "Change",
    keys: ["n"],
    hidden: () => isNone() || isDone(),
    run: () => {
      if (!isLooking()) return;
      // The button knows what is still missing and says it.
      const button = document.querySelector<HTMLElement>("[data-testid=accept-lesion]");
      if (button) button.click();
      else if (whyNotAccept() === null) void accept();
    },
  },
  {
    id: "adjudication.next",
    title: t("Next open lesion, nothing decided"),
    group: "Move",
    keys: ["Shift+n"],
    repeats: false,
    hidden: isNone,
    run: goOn,
  },
  {
    id: "adjudication.before",
    title: t("Lesion before"),
    group: "Move",
    keys: ["Ctrl+ArrowUp"],
    hidden: isNone,
    run: () => step(-1),
  },
  {
    id: "adjudication.after",
    title: t("Lesion after"),
    group: "Move",
    keys: ["Ctrl+ArrowDown"],
    hidden: isNone,
    run: () => step(1),
  },
  {
    id: "adjudication.edit",
    title: t("Edit this result with the brush"),
    group: "Mask",
    keys: ["Shift+e"],
    hidden: () => isNone() || isDone(),
    off: () => whyNotAccept(),
    run: () => void editResult(),
  },
  {
    id: "adjudication.draw",
    title: t("Draw this lesion anew"),
    group: "Mask",
    keys: [],
    hidden: () => isNone() || isDone(),
    off: noLesion,
    run: drawAnew,
  },
  {
    id: "adjudication.reopen",
    title: t("Open a settled lesion again"),
    group: "Change",
    keys: [],
    hidden: () => isNone() || isDone(),
    off: () => (lesionOf(judging.getState())?.state === "open" ? t("This lesion is open.") : noLesion()),
    run: () => void reopen(),
  },
  {
    id: "adjudication.beside",
    title: t("Readers beside each other"),
    group: "See",
    keys: ["Ctrl+0"],
    hidden: isNone,
    off: () => (isArranged() ? t("They stand beside each other already.") : noLesion()),
    run: () => {
      side.setState({ shown: "compare" });
      arrange();
    },
  },
);
