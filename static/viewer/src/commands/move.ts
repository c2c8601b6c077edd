/** Through slices, phases, series and panes. */
import { register } from "../commands";
import { stackAt } from "../engine/stacks";
import { scrollBy, scrollTo, stepPane, stepPhase, stepSeries } from "../moving";
import { activeManifest, room, shownPanes } from "../store/room";
import { t } from "../words";
import { whyNoImage } from "./why";

function activeStack(): { first: number; count: number; of: number } {
  const state = room.getState();
  const manifest = activeManifest(state);
  return manifest ? stackAt(manifest, state.panes[state.active].wanted) : { first: 0, count: 0, of: 1 };
}

function toEnd(last: boolean): void {
  const { first, count } = activeStack();
  scrollTo(room.getState().active, last ? first + count - 1 : first);
}

const noPhases = (): string | null =>
  whyNoImage() ?? (activeStack().of > 1 ? null : t("This series has one phase."));
const onePane = (): string | null =>
  shownPanes(room.getState()).length > 1 ? null : t("One image is on the screen.");

register(
  {
    id: "move.slice-before",
    title: t("Slice before"),
    group: "Move",
    keys: ["ArrowUp"],
    run: () => scrollBy(-1),
    off: whyNoImage,
  },
  {
    id: "move.slice-after",
    title: t("Slice after"),
    group: "Move",
    keys: ["ArrowDown"],
    run: () => scrollBy(1),
    off: whyNoImage,
  },
  {
    id: "move.first",
    title: t("First slice"),
    group: "Move",
    keys: ["Home"],
    run: () => toEnd(false),
    off: whyNoImage,
  },
  {
    id: "move.last",
    title: t("Last slice"),
    group: "Move",
    keys: ["End"],
    run: () => toEnd(true),
    off: whyNoImage,
  },
  {
    id: "move.series-before",
    title: t("Series before"),
    group: "Move",
    keys: ["PageUp"],
    run: () => stepSeries(-1),
  },
  {
    id: "move.series-after",
    title: t("Series after"),
    group: "Move",
    keys: ["PageDown"],
    run: () => stepSeries(1),
  },
  {
    id: "move.phase-before",
    title: t("Phase before, at the same place"),
    group: "Move",
    keys: [","],
    run: () => stepPhase(-1),
    off: noPhases,
  },
  {
    id: "move.phase-after",
    title: t("Phase after, at the same place"),
    group: "Move",
    keys: ["."],
    run: () => stepPhase(1),
    off: noPhases,
  },
  {
    id: "move.pane-before",
    title: t("Image before"),
    group: "Move",
    keys: ["ArrowLeft"],
    run: () => stepPane(-1),
    off: onePane,
  },
  {
    id: "move.pane-after",
    title: t("Image after"),
    group: "Move",
    keys: ["ArrowRight"],
    run: () => stepPane(1),
    off: onePane,
  },
  {
    id: "move.cine",
    title: t("Play the slices, or stop"),
    group: "Move",
    keys: ["c"],
    repeats: false,
    run: () => room.setState(({ cine }) => ({ cine: !cine })),
    off: whyNoImage,
  },
);
