/** Marks made click by click: polygon, curve, live wire, angle, Cobb angle. A line runs ahead to the cursor. */
import { DraftingCompass, Magnet, Pentagon, Spline, TriangleRight } from "lucide-react";
import type { Kind, Point2 } from "../api/types";
import { apply } from "../engine/camera";
import { CORNERS_LEAST } from "../journal/figures";
import { addShape } from "../marking";
import { type Place, toIndex } from "../place";
import { addTools, type Gesture } from "../tools";
import { t } from "../words";
import { apart, DONE, DRAG_PX, HANDLE_PX } from "./gestures";
import { drop, groundOf, openAnywhere, openShape, show } from "./open";
import { wireFrom, wirePath } from "./wire";

const CLICKS: Partial<Record<Kind, number>> = { angle: 3, cobb: 4 };

const onFirst = (place: Place, points: Point2[], at: Point2): boolean =>
  points.length >= CORNERS_LEAST && apart(apply(place.matrix, points[0]), at) <= HANDLE_PX + 2;

/** A polygon or a curve: a click a corner; a click on the first, a double click or Enter closes it. */
function cornering(kind: Kind, which: number, start: Point2, place: Place): Gesture {
  const points = openShape(kind, which, place)?.points ?? [];
  if (onFirst(place, points, start)) finish(kind);
  else show(which, place, kind, [...points, toIndex(place, start)]);
  return DONE;
}

/** What is drawn so far becomes a mark; a double click has put its last corner there twice. */
function finish(kind: Kind): boolean {
  const shape = openAnywhere(kind);
  const place = groundOf();
  if (!shape || !place) return false;
  const points = shape.points.filter((point, i) => i === 0 || apart(point, shape.points[i - 1]) > 0.2);
  drop();
  if (points.length >= CORNERS_LEAST) addShape(place, kind, points);
  return true;
}

/** A fixed number of points, each by a click, or two by a drag. */
function clicking(kind: Kind, which: number, start: Point2, place: Place): Gesture {
  const wanted = CLICKS[kind] as number;
  const points = [...(openShape(kind, which, place)?.points ?? []), toIndex(place, start)];
  const settle = (all: Point2[]) => {
    if (all.length < wanted) show(which, place, kind, all);
    else {
      drop();
      addShape(place, kind, all.slice(0, wanted));
    }
  };
  show(which, place, kind, points);
  return {
    move(at) {
      if (points.length < wanted && apart(at, start) >= DRAG_PX)
        show(which, place, kind, points, [toIndex(place, at)]);
    },
    end(at) {
      const dragged = points.length < wanted && apart(at, start) >= DRAG_PX;
      settle(dragged ? [...points, toIndex(place, at)] : points);
    },
    cancel: drop,
  };
}

const ahead = (kind: Kind) => (which: number, at: Point2, place: Place) => {
  const open = openShape(kind, which, place);
  // Between the two lines of a Cobb angle there is none.
  if (open && !(kind === "cobb" && open.points.length === 2))
    show(which, place, kind, open.points, [toIndex(place, at)]);
};

// The live wire ------------------------------------------------------------------------------------

/** The outline so far, and behind its last anchor the cheapest ways to all around it. */
let anchors: Point2[] = [];

function anchoring(which: number, start: Point2, place: Place): Gesture {
  const open = openShape("livewire", which, place);
  const at = toIndex(place, start);
  if (!open) {
    anchors = [at];
    show(which, place, "livewire", [at]);
  } else if (anchors.length >= 2 && apart(apply(place.matrix, open.points[0]), start) <= HANDLE_PX + 2) {
    finishWire();
    return DONE;
  } else {
    anchors.push(at);
    show(which, place, "livewire", [...open.points, ...wirePath(place, at)]);
  }
  wireFrom(place, at);
  return DONE;
}

function finishWire(): boolean {
  const open = openAnywhere("livewire");
  const place = groundOf();
  if (!open || !place) return false;
  drop();
  // The last piece runs back to where the outline began.
  const home = anchors.length >= 2 ? wirePath(place, open.points[0]).slice(0, -1) : [];
  const ring = [...open.points, ...home].filter((p, i, all) => i === 0 || apart(p, all[i - 1]) > 1e-9);
  if (anchors.length >= 2 && ring.length >= CORNERS_LEAST) addShape(place, "livewire", ring);
  anchors = [];
  return true;
}

addTools(
  {
    name: "polygon",
    title: t("Polygon: a click a corner, double click closes"),
    key: "g",
    icon: Pentagon,
    kind: "polygon",
    group: "measure",
    onCuts: true,
    begin: (which, start, place) => cornering("polygon", which, start, place),
    hover: ahead("polygon"),
    finish: () => finish("polygon"),
  },
  {
    name: "spline",
    title: t("Curve: smooth through each click, double click closes"),
    key: "Shift+g",
    icon: Spline,
    kind: "spline",
    group: "measure",
    onCuts: true,
    begin: (which, start, place) => cornering("spline", which, start, place),
    hover: ahead("spline"),
    finish: () => finish("spline"),
  },
  {
    name: "livewire",
    title: t("Live wire: follows edges from click to click, double click closes"),
    key: "Shift+f",
    icon: Magnet,
    kind: "livewire",
    group: "measure",
    begin: anchoring,
    hover(which, at, place) {
      const open = openShape("livewire", which, place);
      if (open) show(which, place, "livewire", open.points, wirePath(place, toIndex(place, at)));
    },
    finish: finishWire,
  },
  {
    name: "angle",
    title: t("Angle: one arm, the corner, the other arm"),
    key: "Shift+d",
    icon: TriangleRight,
    kind: "angle",
    group: "measure",
    onCuts: true,
    begin: (which, start, place) => clicking("angle", which, start, place),
    hover: ahead("angle"),
  },
  {
    name: "cobb",
    title: t("Cobb angle: between two lines"),
    key: "Shift+c",
    icon: DraftingCompass,
    kind: "cobb",
    group: "measure",
    onCuts: true,
    begin: (which, start, place) => clicking("cobb", which, start, place),
    hover: ahead("cobb"),
  },
);
