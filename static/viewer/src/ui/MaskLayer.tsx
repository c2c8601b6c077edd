/** The masks of the frame on the screen: outline over a dark halo and a light fill, on a canvas of its own. */
import { useEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import type { Matrix } from "../engine/camera";
import { outline } from "../journal/outline";
import { importedSlices } from "../marking";
import { onFrame, type Place } from "../place";
import { draft } from "../store/draft";
import { marks, maskOf, sliceKey } from "../store/marks";
import { useQuiet } from "./adjudication/quiet";
import { pathsOnCut } from "./cutmasks";
import { cleared, ringsPath } from "./layer";
import { useRoom } from "./use";

const FILL = 0.14;
const paths = new Map<string, Path2D>();
const MOST_PATHS = 200;

function cachedPath(rle: string, rows: number, columns: number): Path2D {
  const key = `${columns}:${rle}`;
  let path = paths.get(key);
  if (!path) {
    path = ringsPath(outline(maskOf({ rle, rows, columns }), rows, columns));
    if (paths.size >= MOST_PATHS) paths.delete(paths.keys().next().value!);
    paths.set(key, path);
  }
  return path;
}

function draw(
  context: CanvasRenderingContext2D,
  path: Path2D,
  matrix: Matrix,
  color: string,
  style: "chosen" | "plain" | "imported",
): void {
  const screen = new Path2D();
  screen.addPath(path, new DOMMatrix(matrix));
  context.lineJoin = "round";
  if (style === "imported") {
    context.setLineDash([]);
    context.strokeStyle = "#ffffff";
    context.lineWidth = 1.25;
    context.stroke(screen);
    context.setLineDash([3, 3]);
    context.strokeStyle = "#000000";
    context.stroke(screen);
    context.setLineDash([]);
    return;
  }
  context.globalAlpha = FILL;
  context.fillStyle = color;
  context.fill(screen, "evenodd");
  context.globalAlpha = 0.55;
  context.strokeStyle = "#000000";
  context.lineWidth = style === "chosen" ? 4 : 3.2;
  context.stroke(screen);
  context.globalAlpha = 1;
  context.strokeStyle = color;
  context.lineWidth = style === "chosen" ? 2 : 1.5;
  context.stroke(screen);
}

export function MaskLayer({ which, place }: { which: number; place: Place | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const every = useStore(marks, (state) => state.marks);
  const hidden = useRoom((state) => state.hidden);
  const quiet = useQuiet();
  const all = useMemo(() => {
    if (!hidden.length && !quiet.length) return every;
    return new Map([...every].filter(([id]) => !hidden.includes(id) && !quiet.includes(id)));
  }, [every, hidden, quiet]);
  const stroke = useStore(draft, (state) => state.stroke);
  const painted = useStore(draft, (state) => state.painted);
  const read = useRoom((state) => state.read);
  const selected = useRoom((state) => state.selected);
  const outlined = useRoom((state) => state.outlined);
  const shown = useRoom((state) => state.overlays);
  const area = useRoom((state) => state.panes[which].area);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the mask of a stroke changes in place, `painted` counts it
  useEffect(() => {
    const context = cleared(canvas.current, area);
    if (!context) return;
    if (!place || !shown) return;
    const { manifest, matrix } = place;
    if (!onFrame(place)) {
      for (const { path, color, style } of pathsOnCut(
        which,
        place,
        all,
        stroke,
        selected,
        read?.schema.labels,
        outlined,
      ))
        draw(context, path, matrix, color, style);
      return;
    }
    const { index } = place;
    const sop = manifest.frames.sop[index];
    const frame = manifest.frames.frame[index];
    for (const id of outlined) {
      const slice = importedSlices.get(id)?.find((one) => one.sop === sop && one.frame === frame);
      if (slice)
        draw(context, cachedPath(slice.rle, slice.rows, slice.columns), matrix, "#ffffff", "imported");
    }
    const live = stroke?.slices.get(sliceKey(sop, frame));
    for (const mark of all.values()) {
      if (mark.value.series !== manifest.series.id || (live && mark.id === stroke?.annotation)) continue;
      const slice = mark.slices.get(sliceKey(sop, frame));
      if (!slice) continue;
      const color = read?.schema.labels.find((label) => label.key === mark.value.label)?.color ?? "#ffffff";
      draw(
        context,
        cachedPath(slice.rle, slice.rows, slice.columns),
        matrix,
        color,
        mark.id === selected ? "chosen" : "plain",
      );
    }
    if (live && stroke)
      draw(context, ringsPath(outline(live.mask, live.rows, live.columns)), matrix, stroke.color, "chosen");
  }, [all, stroke, painted, read, selected, outlined, shown, area, place]);

  return <canvas ref={canvas} className="masks" />;
}
