/** The images beside each other: how many, which is the hand's, what is linked, what is compared. */
import { type Command, register } from "../commands";
import { isLinked, type Link, others, setLinked } from "../linking";
import { scrollBy } from "../moving";
import {
  compareWith,
  emptyPane,
  fillPanes,
  LAYOUTS,
  maximise,
  moveTo,
  offers,
  paneTowards,
  studyBeside,
  studyIn,
  swapPanes,
} from "../panes";
import { type Layout, room, setLayout, shownPanes } from "../store/room";
import { t } from "../words";
import { whyNoImage } from "./why";

const whyOne = (): string | null =>
  shownPanes(room.getState()).length > 1 ? null : t("One image is on the screen.");

function layoutCommand(layout: Layout, key: string | null): Command {
  const { rows, columns } = layout;
  const one = rows * columns === 1;
  return {
    id: `layout.${rows}x${columns}`,
    title: one ? t("One image") : t("Images: {rows} × {columns}", { rows, columns }),
    group: "See",
    keys: key === null ? [] : [`Ctrl+${key}`],
    run: () => setLayout(layout),
  };
}

const keyed = Object.entries(LAYOUTS).map(([key, layout]) => layoutCommand(layout, key));
const others2d: Layout[] = [
  { rows: 2, columns: 1 },
  { rows: 3, columns: 1 },
  { rows: 3, columns: 2 },
];

const moveCommand = (id: string, title: string, key: string, across: number, down: number): Command => ({
  id: `panes.${id}`,
  title,
  group: "Move",
  keys: [key],
  run: () => moveTo(across, down),
  off: whyOne,
});

const swapCommand = (id: string, title: string, across: number, down: number): Command => ({
  id: `panes.swap-${id}`,
  title,
  group: "See",
  keys: [],
  run: () => {
    const { active, layout } = room.getState();
    swapPanes(active, paneTowards(active, across, down, layout));
  },
  off: () => {
    const { active, layout } = room.getState();
    return (
      whyOne() ?? (paneTowards(active, across, down, layout) === active ? t("No image is there.") : null)
    );
  },
});

const linkCommand = (link: Link, title: string, keys: string[]): Command => ({
  id: `link.${link}`,
  title,
  group: "See",
  keys,
  run: () => setLinked(link, !isLinked(link)),
  off: whyOne,
});

function aloneCommand(id: string, title: string, key: string, steps: number): Command {
  return {
    id: `move.${id}`,
    title,
    group: "Move",
    keys: [key],
    run: () => scrollBy(steps, room.getState().active, true),
    off: () =>
      whyNoImage() ?? whyOne() ?? (room.getState().linked ? null : t("Images scroll alone already.")),
  };
}

const studyNow = () => {
  const { active, read } = room.getState();
  return studyBeside(read?.studies ?? [], studyIn(active));
};

register(
  ...keyed,
  ...others2d.map((layout) => layoutCommand(layout, null)),
  moveCommand("left", t("Image at the left"), "Shift+ArrowLeft", -1, 0),
  moveCommand("right", t("Image at the right"), "Shift+ArrowRight", 1, 0),
  moveCommand("above", t("Image above"), "Shift+ArrowUp", 0, -1),
  moveCommand("below", t("Image below"), "Shift+ArrowDown", 0, 1),
  {
    id: "panes.maximise",
    title: t("This image large, and back"),
    group: "See",
    keys: ["Shift+Enter"],
    run: () => maximise(),
    off: whyOne,
  },
  swapCommand("right", t("Change places with the image at the right"), 1, 0),
  swapCommand("left", t("Change places with the image at the left"), -1, 0),
  swapCommand("below", t("Change places with the image below"), 0, 1),
  swapCommand("above", t("Change places with the image above"), 0, -1),
  {
    id: "panes.fill",
    title: t("Fill empty images"),
    group: "See",
    keys: [],
    run: () => void fillPanes(),
    off: () => {
      const { panes, layout, read } = room.getState();
      if (!shownPanes({ layout }).some((which) => panes[which].series === null))
        return t("No image is empty.");
      return read && offers(read, panes, layout).size ? null : t("Every series is on the screen.");
    },
  },
  {
    id: "panes.empty",
    title: t("Empty this image"),
    group: "See",
    keys: [],
    run: () => emptyPane(),
    off: whyNoImage,
  },
  {
    id: "panes.compare",
    title: t("Compare with the study before"),
    group: "See",
    keys: ["y"],
    run: () => {
      const study = studyNow();
      if (study) void compareWith(study);
    },
    off: () => whyNoImage() ?? (studyNow() ? null : t("The case has one study.")),
  },
  linkCommand("scroll", t("Scroll images together, or not"), ["j"]),
  linkCommand("sight", t("Zoom and pan images together, or not"), []),
  linkCommand("window", t("One window for all images, or not"), []),
  aloneCommand("alone-before", t("Slice before, in this image alone"), "Alt+ArrowUp", -1),
  aloneCommand("alone-after", t("Slice after, in this image alone"), "Alt+ArrowDown", 1),
  {
    id: "see.cross-lines",
    title: t("Lines where other images cut, or not"),
    group: "See",
    keys: [],
    run: () => room.setState(({ crossLines }) => ({ crossLines: !crossLines })),
    off: () => (others(room.getState().active).length ? null : t("One image is on the screen.")),
  },
);
