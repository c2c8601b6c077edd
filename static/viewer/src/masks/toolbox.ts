/** The tools that make masks, in the order of the bar. */
import { Brush, Eraser, PaintBucket, Scissors, Sparkles, WandSparkles } from "lucide-react";
import { addTools } from "../tools";
import { t } from "../words";
import { pouring, snipping } from "./cutting";
import { picking } from "./oneclick";
import { painting } from "./painting";

addTools(
  {
    name: "brush",
    title: t("Brush"),
    key: "b",
    icon: Brush,
    kind: "segment",
    group: "paint",
    onCuts: true,
    begin: (which, start, place) => painting("brush", which, start, place),
  },
  {
    name: "eraser",
    title: t("Eraser"),
    key: "e",
    icon: Eraser,
    kind: "segment",
    group: "paint",
    onCuts: true,
    begin: (which, start, place) => painting("eraser", which, start, place),
  },
  {
    name: "threshold",
    title: t("Brush within a range of values"),
    key: "t",
    icon: WandSparkles,
    kind: "segment",
    group: "paint",
    onCuts: true,
    begin: (which, start, place) => painting("threshold", which, start, place),
  },
  {
    name: "lesion",
    title: t("One-click lesion: the wheel makes it larger or smaller, Enter keeps it"),
    key: "Shift+t",
    icon: Sparkles,
    kind: "segment",
    group: "paint",
    onCuts: true,
    begin: picking,
  },
  {
    name: "scissors",
    title: t("Scissors: draw around what to cut"),
    key: "Shift+x",
    icon: Scissors,
    kind: "segment",
    group: "paint",
    begin: snipping,
  },
  {
    name: "bucket",
    title: t("Fill: press into a hole of a segment"),
    key: "Shift+u",
    icon: PaintBucket,
    kind: "segment",
    group: "paint",
    begin: pouring,
  },
);
