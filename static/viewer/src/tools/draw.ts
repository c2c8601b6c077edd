/** Marks drawn in one drag, or in two: length, two axes, ellipse, circle, rectangle, freehand, arrow, box; points. */
import { ArrowUpRight, Box, Circle, CircleDot, PenLine, Plus, Ruler, Square } from "lucide-react";
import type { Kind, Point2 } from "../api/types";
import { apply } from "../engine/camera";
import { CORNERS_LEAST } from "../journal/figures";
import { squared } from "../journal/handles";
import { addShape } from "../marking";
import { type Place, toIndex } from "../place";
import { draft } from "../store/draft";
import { addTools, type Gesture } from "../tools";
import { TwoAxes } from "../ui/icons";
import { t } from "../words";
import { apart, DRAG_PX } from "./gestures";
import { openShape, show } from "./open";

const FREEHAND_STEP_PX = 2;

const corners = ([x0, y0]: Point2, [x1, y1]: Point2): Point2[] => [
  [x0, y0],
  [x1, y0],
  [x1, y1],
  [x0, y1],
];

/** The points of a mark that is dragged from one point of an image to another. */
const DRAGGED: Partial<Record<Kind, (from: Point2, to: Point2) => Point2[]>> = {
  ellipse: ([x0, y0], [x1, y1]) => {
    const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
    return [
      [x0, cy],
      [x1, cy],
      [cx, y0],
      [cx, y1],
    ];
  },
  rectangle: corners,
  box: corners,
};

function drawing(kind: Kind, which: number, start: Point2, place: Place): Gesture {
  const from = toIndex(place, start);
  const made = DRAGGED[kind] ?? ((a: Point2, b: Point2) => [a, b]);
  let points: Point2[] = [];
  return {
    move(at) {
      points = made(from, toIndex(place, at));
      draft.setState({ shape: { pane: which, kind, points, of: null } });
    },
    end(at) {
      draft.setState({ shape: null });
      if (!points.length || apart(at, start) < DRAG_PX) return;
      // Without a width or a height it would enclose nothing.
      if (kind !== "length" && kind !== "arrow" && isFlat(points)) return;
      const id = addShape(place, kind, points);
      if (kind === "arrow") draft.setState({ naming: id });
    },
    cancel: () => draft.setState({ shape: null }),
  };
}

function isFlat(points: Point2[]): boolean {
  const spread = (k: 0 | 1) => Math.max(...points.map((p) => p[k])) - Math.min(...points.map((p) => p[k]));
  if (points.length === 2) return apart(points[0], points[1]) < 1e-6;
  return spread(0) < 1e-6 || spread(1) < 1e-6;
}

/** The long axis first; then the short one, which stands at a right angle on it wherever the hand goes. */
function twoAxes(which: number, start: Point2, place: Place): Gesture {
  const kind = "bidirectional";
  const from = toIndex(place, start);
  const open = openShape(kind, which, place);
  const long = open?.points.length === 2 ? (open.points as [Point2, Point2]) : null;
  let points: Point2[] = [];
  return {
    move(at) {
      const to = toIndex(place, at);
      points = [from, long ? squared(long, from, to, place.plane) : to];
      show(which, place, kind, [...(long ?? []), ...points]);
    },
    end(at) {
      const dragged = points.length > 0 && apart(at, start) >= DRAG_PX;
      if (dragged && !long) return; // the short axis comes next
      if (dragged && long) {
        draft.setState({ shape: null });
        addShape(place, kind, [...long, ...points]);
      } else if (long) show(which, place, kind, long);
      else draft.setState({ shape: null });
    },
    cancel: () => draft.setState({ shape: null }),
  };
}

function freehand(which: number, start: Point2, place: Place): Gesture {
  const points: Point2[] = [toIndex(place, start)];
  return {
    move(at) {
      const to = toIndex(place, at);
      const gap = apart(apply(place.matrix, to), apply(place.matrix, points[points.length - 1]));
      if (points.length > 1 && gap < FREEHAND_STEP_PX) return;
      points.push(to);
      draft.setState({ shape: { pane: which, kind: "freehand", points: [...points], of: null } });
    },
    end() {
      draft.setState({ shape: null });
      if (points.length >= CORNERS_LEAST) addShape(place, "freehand", points);
    },
    cancel: () => draft.setState({ shape: null }),
  };
}

const drawn = (kind: Kind) => (which: number, start: Point2, place: Place) =>
  drawing(kind, which, start, place);

addTools(
  {
    name: "length",
    title: t("Length"),
    key: "d",
    icon: Ruler,
    kind: "length",
    group: "measure",
    onCuts: true,
    begin: drawn("length"),
  },
  {
    name: "bidirectional",
    title: t("Two axes: the long one, then the short one"),
    key: "x",
    icon: TwoAxes,
    kind: "bidirectional",
    group: "measure",
    onCuts: true,
    begin: twoAxes,
  },
  {
    name: "ellipse",
    title: t("Ellipse: area and mean"),
    key: "o",
    icon: Circle,
    kind: "ellipse",
    group: "measure",
    onCuts: true,
    begin: drawn("ellipse"),
  },
  {
    name: "circle",
    title: t("Circle: from its centre to its rim"),
    key: "Shift+o",
    icon: CircleDot,
    kind: "circle",
    group: "measure",
    onCuts: true,
    begin: drawn("circle"),
  },
  {
    name: "rectangle",
    title: t("Rectangle"),
    key: "Shift+r",
    icon: Square,
    kind: "rectangle",
    group: "measure",
    onCuts: true,
    begin: drawn("rectangle"),
  },
  {
    name: "freehand",
    title: t("Freehand outline"),
    key: "f",
    icon: PenLine,
    kind: "freehand",
    group: "measure",
    onCuts: true,
    begin: freehand,
  },
  {
    name: "arrow",
    title: t("Arrow with text: from what it points at"),
    key: "Shift+a",
    icon: ArrowUpRight,
    kind: "arrow",
    group: "measure",
    onCuts: true,
    begin: drawn("arrow"),
  },
  {
    name: "point",
    title: t("Point"),
    key: "p",
    icon: Plus,
    kind: "point",
    group: "measure",
    onCuts: true,
    begin(_which, start, place) {
      addShape(place, "point", [toIndex(place, start)]);
      return null;
    },
  },
  {
    name: "box",
    title: t("Box: a rectangle, then made deeper on other slices"),
    key: "Shift+b",
    icon: Box,
    kind: "box",
    group: "measure",
    onCuts: true,
    begin: drawn("box"),
  },
);
