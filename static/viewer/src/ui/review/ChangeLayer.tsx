/**
 * What changed since a round, over the masks: voxels that came are hatched one way in green, those that went the
 * other way in red inside a dashed line; a figure that moved or went is dashed where it was.
 */
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import type { MarkChange } from "../../api/review";
import type { AnnotationValue, Point2 } from "../../api/types";
import { apply } from "../../engine/camera";
import { lineOf, pointsOn, showsOn } from "../../journal/figures";
import { outline } from "../../journal/outline";
import { onFrame, type Place } from "../../place";
import { changes, ghostOf } from "../../review";
import { type Mark, maskOf, sliceKey } from "../../store/marks";
import { pathOnCut } from "../cutmasks";
import { cleared } from "../layer";
import { useRoom } from "../use";

const CAME = "#5ce08a";
const WENT = "#ff6b6b";
const HATCH_PX = 7;

export function ChangeLayer({ which, place }: { which: number; place: Place | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const diff = useStore(changes, (state) => (state.shown ? state.diff : null));
  const past = useRoom((state) => state.past);
  const shown = useRoom((state) => state.overlays);
  const area = useRoom((state) => state.panes[which].area);
  const found = past ? null : diff;

  useEffect(() => {
    const context = cleared(canvas.current, area);
    if (!context) return;
    if (!place || !shown || !found) return;
    for (const change of found.marks) {
      const { series } = (change.after ?? change.before) as AnnotationValue;
      if (series !== place.manifest.series.id) continue;
      const { added, removed } = ghostOf(change);
      hatch(context, place, pathOf(which, place, added), CAME, 1, area);
      hatch(context, place, pathOf(which, place, removed), WENT, -1, area);
      if (change.before && change.before.kind !== "segment" && isElsewhere(change))
        drawFigure(context, place, change.before);
    }
  }, [which, found, shown, area, place]);

  return found ? <canvas ref={canvas} className="masks" data-testid={`changes-${which}`} /> : null;
}

const isElsewhere = ({ what, changed }: MarkChange): boolean =>
  what === "removed" || changed.includes("place");

/** The outline of voxels on what the pane shows, in index coordinates. */
function pathOf(which: number, place: Place, ghost: Mark | null): Path2D | null {
  if (!ghost) return null;
  if (!onFrame(place)) return pathOnCut(which, place, ghost);
  const { manifest, index } = place;
  const slice = ghost.slices.get(sliceKey(manifest.frames.sop[index], manifest.frames.frame[index]));
  if (!slice) return null;
  const path = new Path2D();
  for (const ring of outline(maskOf(slice), slice.rows, slice.columns)) {
    ring.forEach(([x, y], i) => {
      if (i) path.lineTo(x, y);
      else path.moveTo(x, y);
    });
    path.closePath();
  }
  return path;
}

/** @param lean 1: lines rise to the right; −1: they fall */
function hatch(
  context: CanvasRenderingContext2D,
  place: Place,
  path: Path2D | null,
  color: string,
  lean: 1 | -1,
  { width, height }: { width: number; height: number },
): void {
  if (!path) return;
  const screen = new Path2D();
  screen.addPath(path, new DOMMatrix(place.matrix));
  context.save();
  context.save();
  context.clip(screen, "evenodd");
  const lines = new Path2D();
  for (const [from, to] of hatching(width, height, lean)) {
    lines.moveTo(...from);
    lines.lineTo(...to);
  }
  context.lineWidth = 3;
  context.strokeStyle = "rgb(0 0 0 / 0.55)";
  context.stroke(lines);
  context.lineWidth = 1.5;
  context.strokeStyle = color;
  context.stroke(lines);
  context.restore();
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = "rgb(0 0 0 / 0.55)";
  context.stroke(screen);
  if (lean < 0) context.setLineDash([4, 3]);
  context.lineWidth = 1.5;
  context.strokeStyle = color;
  context.stroke(screen);
  context.restore();
}

/** Parallel lines over the whole pane, each from edge to edge. */
export function hatching(width: number, height: number, lean: 1 | -1): [from: Point2, to: Point2][] {
  const step = HATCH_PX * Math.SQRT2;
  const count = Math.ceil((width + height) / step);
  return Array.from({ length: count }, (_, i): [Point2, Point2] => {
    const x = i * step;
    return lean > 0
      ? [
          [x, 0],
          [x - height, height],
        ]
      : [
          [x - height, 0],
          [x, height],
        ];
  });
}

function drawFigure(context: CanvasRenderingContext2D, place: Place, value: AnnotationValue): void {
  if (!showsOn(value, place)) return;
  context.save();
  for (const line of lineOf(value.kind, pointsOn(value, place), place.plane)) {
    const path = new Path2D();
    line.forEach((point, i) => {
      const [x, y] = apply(place.matrix, point);
      if (i) path.lineTo(x, y);
      else path.moveTo(x, y);
    });
    context.lineWidth = 3;
    context.strokeStyle = "rgb(0 0 0 / 0.55)";
    context.stroke(path);
    context.setLineDash([4, 3]);
    context.lineWidth = 1.5;
    context.strokeStyle = WENT;
    context.stroke(path);
    context.setLineDash([]);
  }
  context.restore();
}
