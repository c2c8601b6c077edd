/** The crosshair as a tool: a press brings every image of the same body to the place under the cursor. */
import { Crosshair } from "lucide-react";
import type { Point2 } from "../api/types";
import { moveCrosshair } from "../cutting";
import { indexToWorld } from "../engine/geometry";
import { placeOf, toIndex } from "../place";
import { addTools, type Gesture } from "../tools";
import { t } from "../words";
import { nothing } from "./gestures";

function bringing(which: number, start: Point2): Gesture {
  const bring = (at: Point2) => {
    const place = placeOf(which);
    if (place?.plane.kind === "patient")
      moveCrosshair(which, indexToWorld(place.plane, toIndex(place, at)), true);
  };
  bring(start);
  return { move: bring, end: nothing, cancel: nothing };
}

addTools({
  name: "crosshair",
  title: t("Crosshair: bring the other images to this place"),
  key: "k",
  icon: Crosshair,
  group: "view",
  onCuts: true,
  begin: bringing,
});
