/** Window, pan and zoom: the tools that change how an image looks, and never a mark. */
import { Contrast, Hand, ZoomIn } from "lucide-react";
import type { Point2 } from "../api/types";
import { pan, zoomAt } from "../engine/camera";
import { scrollBy } from "../moving";
import { placeOf } from "../place";
import { room, setPane } from "../store/room";
import { addTools, type Gesture } from "../tools";
import { t } from "../words";
import { apart, DRAG_PX, nothing } from "./gestures";
import { markAt } from "./picking";

export function panning(which: number, start: Point2): Gesture {
  let last = start;
  return {
    move(at) {
      const { sight } = room.getState().panes[which];
      if (sight) setPane(which, { sight: pan(sight, at[0] - last[0], at[1] - last[1]) });
      last = at;
    },
    end: nothing,
    cancel: nothing,
  };
}

export function zooming(which: number, start: Point2): Gesture {
  let last = start;
  return {
    move(at) {
      const place = placeOf(which);
      const { sight, area } = room.getState().panes[which];
      const factor = Math.exp((last[1] - at[1]) * 0.008);
      if (place && sight) setPane(which, { sight: zoomAt(place.plane, sight, area, factor, start) });
      last = at;
    },
    end: nothing,
    cancel: nothing,
  };
}

const SCROLL_PX = 6;

/** One slice every few pixels, down for the next. */
export function scrolling(which: number, start: Point2): Gesture {
  let gone = 0;
  return {
    move(at) {
      const steps = Math.trunc((at[1] - start[1]) / SCROLL_PX);
      if (steps !== gone) scrollBy(steps - gone, which);
      gone = steps;
    },
    end: nothing,
    cancel: nothing,
  };
}

/** Across for width, down for level; a click chooses the mark under it. */
export function windowing(which: number, start: Point2): Gesture {
  const before = room.getState().panes[which].window;
  let moved = false;
  return {
    move(at) {
      if (!before) return;
      if (!moved && apart(at, start) < DRAG_PX) return;
      moved = true;
      // A window twice as wide moves twice as fast: the same hand works for stroke and for bone.
      const speed = Math.max(before.width, 1e-6) / 300;
      const whole = before.width > 20;
      const step = whole ? 1 : 10 ** (Math.floor(Math.log10(Math.max(before.width, 1e-6))) - 2);
      const round = (v: number) => (whole ? Math.round(v) : Number((Math.round(v / step) * step).toFixed(8)));
      const width = Math.max(2 * step, round(before.width + (at[0] - start[0]) * speed));
      const center = round(before.center + (at[1] - start[1]) * speed);
      setPane(which, { window: { width, center, preset: null } });
    },
    end(at) {
      if (!moved) room.setState({ selected: markAt(which, at) });
    },
    cancel() {
      setPane(which, { window: before });
    },
  };
}

addTools(
  {
    name: "window",
    title: t("Window and level"),
    key: "w",
    icon: Contrast,
    group: "view",
    onCuts: true,
    begin: windowing,
  },
  {
    name: "pan",
    title: t("Pan (also the middle button)"),
    key: "m",
    icon: Hand,
    group: "view",
    onCuts: true,
    begin: panning,
  },
  {
    name: "zoom",
    title: t("Zoom (also the right button)"),
    key: "z",
    icon: ZoomIn,
    group: "view",
    onCuts: true,
    begin: zooming,
  },
);
