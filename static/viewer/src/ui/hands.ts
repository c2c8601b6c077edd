/** From pointer events on a viewport to gestures: left = the tool, middle = pan, right = zoom. */
import type { Kind, Point2 } from "../api/types";
import { apply, pan, zoomAt } from "../engine/camera";
import { valueAt } from "../engine/decode";
import { indexToWorld } from "../engine/geometry";
import { paintPiece } from "../journal/brush";
import { uuid } from "../journal/ids";
import { indexPoints } from "../journal/measure";
import { addShape, labelFor, moveShape, pointsOf, segmentValue } from "../marking";
import { commitSlices, sliceOf } from "../masks/slices";
import { type FramePlace, onFrame, type Place, placeOf, toIndex, volumeIn } from "../place";
import { frames } from "../session";
import { unitsOf, whyOff } from "../spoilt";
import { draft } from "../store/draft";
import { marks, maskOf, sliceKey } from "../store/marks";
import { mayMark, rangeFor, room, setPane, type ToolName } from "../store/room";
import { movedHandle, squared } from "./handles";

interface Gesture {
  move(at: Point2, event: PointerEvent): void;
  end(at: Point2, event: PointerEvent): void;
  cancel(): void;
}

const nothing = () => {};
const HANDLE_PX = 7;
const DRAG_PX = 3;

/** A stored value in the units of the manifest, computed from the voxel under a point; null outside. */
export function valueUnder(place: Place, index: Point2): number[] | null {
  if (!onFrame(place)) return valueOnCut(place, index);
  const column = Math.round(index[0]);
  const row = Math.round(index[1]);
  const pixels = frames.get(place.manifest.series.id)?.pixels[place.index];
  if (!pixels || column < 0 || row < 0 || column >= pixels.columns || row >= pixels.rows) return null;
  const offset = row * pixels.columns + column;
  if (pixels.colour) return [0, 1, 2].map((s) => pixels.data[offset * 3 + s]);
  return [valueAt(place.manifest, place.index, pixels, offset)];
}

/** Between voxels a cut shows what lies between their values; so does the readout. */
function valueOnCut(place: Place, index: Point2): number[] | null {
  const volume = volumeIn(place.manifest.series.id, place.near);
  const value = volume?.sample(indexToWorld(place.plane, index));
  return typeof value === "number" ? [value] : null;
}

function panning(which: number, start: Point2): Gesture {
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

function zooming(which: number, start: Point2): Gesture {
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

function windowing(which: number, start: Point2): Gesture {
  const before = room.getState().panes[which].window;
  let moved = false;
  return {
    move(at) {
      if (!before) return;
      if (!moved && Math.hypot(at[0] - start[0], at[1] - start[1]) < DRAG_PX) return;
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

/** The mark whose line or mask lies under a point of the viewport. */
export function markAt(which: number, at: Point2): string | null {
  const place = placeOf(which);
  if (!place || !onFrame(place)) return null;
  const index = toIndex(place, at);
  const sop = place.manifest.frames.sop[place.index];
  const frame = place.manifest.frames.frame[place.index];
  let masked: string | null = null;
  for (const mark of marks.getState().marks.values()) {
    if (mark.value.series !== place.manifest.series.id) continue;
    if (mark.value.kind === "segment") {
      const slice = mark.slices.get(sliceKey(sop, frame));
      const offset = Math.round(index[1]) * place.plane.columns + Math.round(index[0]);
      if (slice && maskOf(slice)[offset]) masked = mark.id;
      continue;
    }
    if (mark.value.sop !== sop || mark.value.frame !== frame) continue;
    const points = indexPoints(mark.value, place.plane).map((point) => apply(place.matrix, point));
    const closed = mark.value.kind !== "length" && mark.value.kind !== "bidirectional";
    for (let i = 0; i < points.length; i++) {
      const next = points[(i + 1) % points.length];
      if (i === points.length - 1 && !closed) continue;
      if (away(at, points[i], next) < HANDLE_PX) return mark.id;
    }
  }
  return masked;
}

function away(p: Point2, a: Point2, b: Point2): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const t = length ? Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length)) : 0;
  return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy);
}

/** Only the chosen mark's handles take hold, so drawing beside a mark draws. */
function handleAt(
  which: number,
  at: Point2,
): { id: string; kind: Kind; handle: number; points: Point2[] } | null {
  const { selected } = room.getState();
  const mark = selected ? marks.getState().marks.get(selected) : null;
  const place = placeOf(which);
  if (!mark || !place || !onFrame(place) || mark.value.kind === "segment" || mark.value.kind === "freehand")
    return null;
  if (mark.value.sop !== place.manifest.frames.sop[place.index]) return null;
  if (mark.value.frame !== place.manifest.frames.frame[place.index]) return null;
  const points = indexPoints(mark.value, place.plane);
  const handle = points.findIndex((point) => {
    const [x, y] = apply(place.matrix, point);
    return Math.hypot(x - at[0], y - at[1]) <= HANDLE_PX;
  });
  return handle < 0 ? null : { id: mark.id, kind: mark.value.kind, handle, points };
}

function dragging(
  which: number,
  grabbed: NonNullable<ReturnType<typeof handleAt>>,
  place: FramePlace,
): Gesture {
  let points = grabbed.points;
  return {
    move(at) {
      points = movedHandle(grabbed.kind, grabbed.points, grabbed.handle, toIndex(place, at), place.plane);
      draft.setState({ shape: { pane: which, kind: grabbed.kind, points, of: grabbed.id } });
    },
    end() {
      draft.setState({ shape: null });
      if (points !== grabbed.points) moveShape(grabbed.id, place.manifest, place.index, points);
    },
    cancel: () => draft.setState({ shape: null }),
  };
}

function drawing(which: number, kind: Kind, start: Point2, place: FramePlace): Gesture {
  const from = toIndex(place, start);
  const open = draft.getState().shape;
  const second = kind === "bidirectional" && open?.kind === "bidirectional" && open.points.length === 2;
  const long = second ? (open.points as [Point2, Point2]) : null;
  let points: Point2[] = [];
  const show = () =>
    draft.setState({ shape: { pane: which, kind, points: [...(long ?? []), ...points], of: null } });
  return {
    move(at) {
      const to = toIndex(place, at);
      if (kind === "freehand") {
        const last = points.at(-1) ?? from;
        const gap = Math.hypot(
          ...([0, 1] as const).map((i) => apply(place.matrix, to)[i] - apply(place.matrix, last)[i]),
        );
        points = points.length ? (gap >= 2 ? [...points, to] : points) : [from, to];
      } else if (kind === "ellipse") {
        const [x0, x1] = [from[0], to[0]];
        const [y0, y1] = [from[1], to[1]];
        const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
        points = [
          [x0, cy],
          [x1, cy],
          [cx, y0],
          [cx, y1],
        ];
      } else points = [from, long ? squared(long, from, to, place.plane) : to];
      show();
    },
    end(at) {
      const dragged = Math.hypot(at[0] - start[0], at[1] - start[1]) >= DRAG_PX || kind === "freehand";
      if (!points.length || !dragged) {
        draft.setState({ shape: long ? { pane: which, kind, points: long, of: null } : null });
        return;
      }
      if (kind === "bidirectional" && !long) return; // the short axis comes next
      draft.setState({ shape: null });
      if (kind === "freehand" && points.length < 3) return;
      addShape(place.manifest, place.index, kind, [...(long ?? []), ...points]);
    },
    cancel: () => draft.setState({ shape: null }),
  };
}

function painting(which: number, tool: ToolName, start: Point2, place: FramePlace): Gesture | null {
  const state = room.getState();
  const { manifest, index, plane } = place;
  const series = manifest.series.id;
  const sop = manifest.frames.sop[index];
  const frame = manifest.frames.frame[index];
  const all = marks.getState().marks;
  const chosen = state.selected ? all.get(state.selected) : undefined;
  let target = chosen?.value.kind === "segment" && chosen.value.series === series ? chosen : undefined;
  if (!target && tool === "eraser") {
    const under = markAt(which, start);
    target = under ? all.get(under) : undefined;
    if (target?.value.kind !== "segment") return null;
  }
  const label = target?.value.label ?? labelFor("segment");
  // Without a chosen segment the brush goes on with the newest one of its label; A begins another.
  target ??= [...all.values()].findLast(
    ({ value }) =>
      value.kind === "segment" &&
      value.series === series &&
      value.label === label &&
      value.state !== "absent",
  );
  if (!label) {
    room.setState({ notice: { sentence: "No label of this project takes a mask.", act: null, does: null } });
    return null;
  }
  const id = target?.id ?? uuid();
  const create = target ? null : segmentValue(series, label);
  const key = sliceKey(sop, frame);
  const slice = sliceOf(target, key, { sop, frame, rows: plane.rows, columns: plane.columns });
  const slices = new Map([[key, slice]]);
  const color = state.read?.schema.labels.find((one) => one.key === label)?.color ?? "#ffffff";
  const value = tool === "eraser" ? 0 : 1;
  const { low, high } = rangeFor(state, unitsOf(manifest));
  const pixels = frames.get(series)?.pixels[index];
  const within =
    tool === "threshold" && pixels && !pixels.colour
      ? (offset: number) => {
          const v = valueAt(manifest, index, pixels, offset);
          return (low === null || v >= low) && (high === null || v <= high);
        }
      : undefined;
  let last = toIndex(place, start);
  const paint = (to: Point2) => {
    paintPiece(slice.mask, plane, last, to, state.brushMm, value, within);
    last = to;
    draft.setState((now) => ({
      painted: now.painted + 1,
      stroke: { pane: which, annotation: id, color, slices },
    }));
  };
  paint(last);
  return {
    move: (_, event) => {
      const box = (event.currentTarget as Element | null)?.getBoundingClientRect();
      // A fast hand makes more points than frames: all of them belong to the stroke.
      const all = event.getCoalescedEvents?.() ?? [];
      for (const one of all.length ? all : [event]) {
        if (box) paint(toIndex(place, [one.clientX - box.left, one.clientY - box.top]));
      }
    },
    end() {
      draft.setState({ stroke: null });
      commitSlices(id, create, slices);
      room.setState({ selected: id });
    },
    cancel: () => draft.setState({ stroke: null }),
  };
}

/** Polygon: a click a corner; a click on the first corner, a double click or Enter closes it. */
function cornering(which: number, start: Point2, place: Place): Gesture {
  const open = draft.getState().shape;
  const going = open?.kind === "polygon" && open.pane === which && !open.of;
  const points = going ? open.points : [];
  const at = toIndex(place, start);
  if (points.length > 2) {
    const [x, y] = apply(place.matrix, points[0]);
    if (Math.hypot(x - start[0], y - start[1]) <= HANDLE_PX + 2) {
      closePolygon();
      return { move: nothing, end: nothing, cancel: nothing };
    }
  }
  draft.setState({ shape: { pane: which, kind: "polygon", points: [...points, at], of: null } });
  return { move: nothing, end: nothing, cancel: nothing };
}

export function closePolygon(): void {
  const { shape } = draft.getState();
  if (shape?.kind !== "polygon" || shape.of) return;
  const place = placeOf(shape.pane);
  const corners = shape.points.filter((point, i) => {
    const before = shape.points[i - 1];
    return !before || Math.hypot(point[0] - before[0], point[1] - before[1]) > 0.2;
  });
  draft.setState({ shape: null });
  if (place && onFrame(place) && corners.length > 2)
    addShape(place.manifest, place.index, "polygon", corners);
}

export function pinAt(place: FramePlace, index: Point2): void {
  const points = pointsOf(place.manifest, place.index, [index]);
  room.setState({
    pin: {
      series: place.manifest.series.id,
      sop: place.manifest.frames.sop[place.index],
      frame: place.manifest.frames.frame[place.index],
      point_patient_mm: points.points_patient_mm?.[0] ?? null,
      point_image: points.points_image?.[0] ?? null,
    },
  });
}

export function begin(which: number, button: number, start: Point2): Gesture | null {
  const place = placeOf(which);
  const { tool } = room.getState();
  if (!place) return null;
  if (button === 1) return panning(which, start);
  if (button === 2) return zooming(which, start);
  if (tool === "pan") return panning(which, start);
  if (tool === "zoom") return zooming(which, start);
  if (tool === "comment") {
    if (!onFrame(place)) return null;
    pinAt(place, toIndex(place, start));
    return null;
  }
  if (!mayMark(room.getState()) || !onFrame(place)) return windowing(which, start);
  const off = whyOff(tool, place.manifest);
  if (off) {
    room.setState({ notice: { sentence: `This tool is off here: ${off}`, act: null, does: null } });
    return null;
  }
  if (tool === "brush" || tool === "eraser" || tool === "threshold")
    return painting(which, tool, start, place);
  const busy = draft.getState().shape;
  const grabbed = busy ? null : handleAt(which, start);
  if (grabbed) return dragging(which, grabbed, place);
  if (tool === "window") return windowing(which, start);
  if (!labelFor(tool)) {
    room.setState({
      notice: { sentence: `No label of this project takes this kind of mark.`, act: null, does: null },
    });
    return null;
  }
  if (tool === "polygon") return cornering(which, start, place);
  if (tool === "point") {
    addShape(place.manifest, place.index, "point", [toIndex(place, start)]);
    return null;
  }
  return drawing(which, tool, start, place);
}

export type { Gesture };
