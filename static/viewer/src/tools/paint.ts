/** The brushes: a stroke paints, or erases, voxels of one segment on the slice shown. */
import { Brush, Eraser, WandSparkles } from "lucide-react";
import type { Point2 } from "../api/types";
import { valueAt } from "../engine/decode";
import { paintPiece } from "../journal/brush";
import { uuid } from "../journal/ids";
import { labelFor, segmentValue } from "../marking";
import { commitSlices, sliceOf } from "../masks/slices";
import { onFrame, type Place, toIndex } from "../place";
import { frames } from "../session";
import { unitsOf } from "../spoilt";
import { draft } from "../store/draft";
import { marks, sliceKey } from "../store/marks";
import { rangeFor, room, type ToolName } from "../store/room";
import { addTools, type Gesture } from "../tools";
import { t } from "../words";
import { markAt } from "./picking";

function painting(tool: ToolName, which: number, start: Point2, place: Place): Gesture | null {
  if (!onFrame(place)) return null;
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

addTools(
  {
    name: "brush",
    title: t("Brush"),
    key: "b",
    icon: Brush,
    kind: "segment",
    group: "paint",
    begin: (which, start, place) => painting("brush", which, start, place),
  },
  {
    name: "eraser",
    title: t("Eraser"),
    key: "e",
    icon: Eraser,
    kind: "segment",
    group: "paint",
    begin: (which, start, place) => painting("eraser", which, start, place),
  },
  {
    name: "threshold",
    title: t("Brush within a range of values"),
    key: "t",
    icon: WandSparkles,
    kind: "segment",
    group: "paint",
    begin: (which, start, place) => painting("threshold", which, start, place),
  },
);
