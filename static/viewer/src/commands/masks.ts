/** What is done with masks as a whole, and how the mask tools work. */
import { type Command, register } from "../commands";
import {
  combine,
  fillBetween,
  fillHoles,
  growBy,
  keepLargest,
  maskToAxes,
  maskToOutline,
  outlineToMask,
  removeSmall,
  smooth,
  whyNoSegment,
} from "../masks/acts";
import { cancelJob, job } from "../masks/job";
import { options } from "../masks/options";
import { dropPreview, keepPreview, preview } from "../masks/preview";
import { copyHere, whyNoCopy } from "../masks/prior";
import { say } from "../masks/target";
import "../masks/figures";
import { t } from "../words";
import { isNoReader, whyNoMarks } from "./why";

const tell = (why: string | null): void => {
  if (why) say(why);
};

/** A command on the chosen segment. */
const act = (id: string, title: string, run: () => string | null, keys: string[] = []): Command => ({
  id: `mask.${id}`,
  title,
  group: "Mask",
  keys,
  hidden: isNoReader,
  off: () => whyNoSegment(),
  run: () => tell(run()),
});

const { getState, setState } = options;

register(
  // Before the commands that have Esc and Enter for everything else.
  {
    id: "mask.keep",
    title: t("Keep the mask that is shown"),
    group: "Mask",
    keys: ["Enter"],
    hidden: () => isNoReader() || preview.getState().shown === null,
    run: keepPreview,
  },
  {
    id: "mask.drop",
    title: t("Let go of the mask that is shown, or stop what is under way"),
    group: "Mask",
    keys: ["Escape"],
    hidden: () => isNoReader() || (preview.getState().shown === null && !job.getState().running),
    run: () => {
      if (!cancelJob()) dropPreview();
    },
  },
  {
    id: "mask.ball",
    title: t("Brush as a ball through the slices, or flat"),
    group: "Mask",
    keys: ["Shift+w"],
    hidden: isNoReader,
    run: () => setState(({ ball }) => ({ ball: !ball })),
  },
  {
    id: "mask.clear",
    title: t("Leave other segments alone while painting, or not"),
    group: "Mask",
    keys: [],
    hidden: isNoReader,
    run: () => setState(({ clear }) => ({ clear: !clear })),
  },
  act("between", t("Fill in between drawn slices"), fillBetween, ["Shift+i"]),
  act("grow", t("Grow the chosen segment by its margin"), () => growBy(getState().marginMm)),
  act("shrink", t("Shrink the chosen segment by its margin"), () => growBy(-getState().marginMm)),
  act("smooth", t("Smooth the chosen segment"), smooth),
  act("largest", t("Keep the largest part only"), keepLargest),
  act("islands", t("Remove small islands"), removeSmall),
  act("holes", t("Fill holes in each slice"), () => fillHoles(false)),
  act("cavities", t("Fill cavities that are closed on all sides"), () => fillHoles(true)),
  act("union", t("Add the other segment"), () => combine("union")),
  act("minus", t("Take the other segment away"), () => combine("minus")),
  act("intersect", t("Keep what both segments share"), () => combine("intersect")),
  act("to-outline", t("Mask to outlines, on this slice"), maskToOutline),
  act("to-axes", t("Mask to two axes, on this slice"), () => {
    void maskToAxes().then(tell);
    return null;
  }),
  {
    id: "mask.from-outline",
    title: t("Outline to mask"),
    group: "Mask",
    keys: [],
    hidden: isNoReader,
    off: () => whyNoMarks(),
    run: () => tell(outlineToMask()),
  },
  {
    id: "mask.copy-here",
    title: t("Copy the chosen segment onto the active image"),
    group: "Mask",
    keys: [],
    hidden: isNoReader,
    off: () => whyNoMarks() ?? whyNoCopy(),
    run: () => tell(copyHere()),
  },
);
