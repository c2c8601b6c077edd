/** Other planes: what a reader does with cuts through a volume. */
import { register } from "../commands";
import { isMpr, isTurned, leaveCut, setSlab, showCut, straighten, toggleMpr, whyNoCuts } from "../cutting";
import type { CutName, SlabMode } from "../engine/cut";
import { room } from "../store/room";
import { t } from "../words";
import { whyNoImage } from "./why";

const whyNot = (): string | null => whyNoImage() ?? whyNoCuts();

const active = () => {
  const state = room.getState();
  return state.panes[state.active];
};

const notCut = (): string | null => (active().cut ? null : t("This image shows slices, not a cut."));

const plane = (name: CutName, title: string) => ({
  id: `cut.${name}`,
  title,
  group: "See" as const,
  keys: [],
  run: () => showCut(name),
  off: whyNot,
});

const slab = (mode: SlabMode, title: string) => ({
  id: `cut.slab-${mode}`,
  title,
  group: "See" as const,
  keys: [],
  run: () => setSlab(room.getState().active, active().cut?.slab_mm || 10, mode),
  off: () => whyNot() ?? notCut(),
});

register(
  {
    id: "cut.mpr",
    get title() {
      return isMpr() ? t("Back to the slices") : t("Three planes and the masks in space");
    },
    group: "See",
    keys: ["u"],
    run: toggleMpr,
    off: () => (isMpr() ? null : whyNot()),
  },
  plane("axial", t("Axial plane")),
  plane("coronal", t("Coronal plane")),
  plane("sagittal", t("Sagittal plane")),
  {
    id: "cut.leave",
    title: t("Slices instead of a cut"),
    group: "See",
    keys: [],
    run: () => leaveCut(),
    off: () => whyNoImage() ?? notCut(),
  },
  {
    id: "cut.straighten",
    title: t("Cuts straight again"),
    group: "See",
    keys: ["Shift+k"],
    run: () => straighten(),
    off: () => whyNoImage() ?? notCut() ?? (isTurned(room.getState().active) ? null : t("No cut is turned.")),
  },
  slab("max", t("Thick cut: highest value")),
  slab("min", t("Thick cut: lowest value")),
  slab("mean", t("Thick cut: mean value")),
  {
    id: "cut.thin",
    title: t("Thin cut"),
    group: "See",
    keys: [],
    run: () => setSlab(room.getState().active, 0, active().cut?.mode ?? "max"),
    off: () => whyNot() ?? notCut(),
  },
);
