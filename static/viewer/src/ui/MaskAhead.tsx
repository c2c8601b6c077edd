/**
 * What is not painted yet, over the masks: a proposed mask dashed, the voxels that the range brush would take, and
 * the two axes of the chosen segment on the slice where it is longest. On a canvas of its own.
 */
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import type { Point2 } from "../api/types";
import { apply, type Matrix } from "../engine/camera";
import { outline } from "../journal/outline";
import { figures } from "../masks/figures";
import { options } from "../masks/options";
import { preview, snipLine } from "../masks/preview";
import { inRange } from "../masks/target";
import { type FramePlace, onFrame, type Place } from "../place";
import { unitsOf } from "../spoilt";
import { draft } from "../store/draft";
import { sliceKey } from "../store/marks";
import { mayMark, rangeFor, room } from "../store/room";
import { pathOnCut } from "./cutmasks";
import { cleared, ringsPath } from "./layer";
import { useRoom } from "./use";

export function MaskAhead({ which, place }: { which: number; place: Place | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const proposed = useStore(preview, (state) => state.shown);
  const line = useStore(snipLine, (state) =>
    state.pane === which && state.points.length ? state.points : null,
  );
  const worked = useStore(figures, (state) => state.of);
  const ranged = useRoom((state) => state.tool === "threshold" && mayMark(state));
  const hover = useStore(draft, (state) => (ranged && state.hover?.pane === which ? state.hover : null));
  const ranges = useRoom((state) => (ranged ? state.ranges : null));
  const brushMm = useRoom((state) => (ranged ? state.brushMm : 0));
  const whole = useStore(options, (state) => state.showRange);
  const progress = useRoom((state) =>
    ranged && place ? state.progress[place.manifest.series.id]?.loaded : null,
  );
  const selected = useRoom((state) => state.selected);
  const hidden = useRoom((state) => state.hidden);
  const shown = useRoom((state) => state.overlays);
  const area = useRoom((state) => state.panes[which].area);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the range and what is loaded are read below
  useEffect(() => {
    const context = cleared(canvas.current, area);
    if (!context) return;
    if (!place || !shown) return;
    if (!onFrame(place)) {
      drawProposed(context, place, pathThere(which, place));
      return;
    }
    if (ranged) {
      const scale = room.getState().panes[which].sight?.scale ?? 1;
      drawRange(context, place, whole ? null : hover && { at: hover.canvas, radius: brushMm * scale });
    }
    drawAxes(context, place, selected && !hidden.includes(selected) ? selected : null);
    drawProposed(context, place, pathHere(place));
    if (line) drawLine(context, place, line);
  }, [
    proposed,
    line,
    worked,
    ranged,
    hover,
    ranges,
    brushMm,
    whole,
    progress,
    selected,
    hidden,
    shown,
    area,
    place,
  ]);

  return <canvas ref={canvas} className="masks" data-testid={`mask-ahead-${which}`} />;
}

const keyOf = ({ manifest, index }: FramePlace): string =>
  sliceKey(manifest.frames.sop[index], manifest.frames.frame[index]);

/** The proposed mask on the frame shown, in index coordinates. */
function pathHere(place: FramePlace): Path2D | null {
  const { shown } = preview.getState();
  const slice = shown?.series === place.manifest.series.id ? shown.slices.get(keyOf(place)) : undefined;
  if (!slice) return null;
  return ringsPath(outline(slice.mask, slice.rows, slice.columns));
}

/** The same on a cut. */
function pathThere(which: number, place: Place): Path2D | null {
  const { shown } = preview.getState();
  return shown?.series === place.manifest.series.id ? pathOnCut(which, place, undefined, shown.slices) : null;
}

function drawProposed(context: CanvasRenderingContext2D, place: Place, path: Path2D | null): void {
  const { shown } = preview.getState();
  if (!shown || !path) return;
  const screen = new Path2D();
  screen.addPath(path, new DOMMatrix(place.matrix));
  context.globalAlpha = 0.22;
  context.fillStyle = shown.color;
  context.fill(screen, "evenodd");
  context.globalAlpha = 1;
  context.lineJoin = "round";
  context.lineWidth = 3.2;
  context.strokeStyle = "rgb(0 0 0 / 0.6)";
  context.stroke(screen);
  context.setLineDash([5, 4]);
  context.lineWidth = 1.75;
  context.strokeStyle = shown.color;
  context.stroke(screen);
  context.setLineDash([]);
}

function drawLine(context: CanvasRenderingContext2D, place: Place, points: Point2[]): void {
  const path = new Path2D();
  points.forEach((point, i) => {
    const at = apply(place.matrix, point);
    if (i) path.lineTo(...at);
    else path.moveTo(...at);
  });
  path.closePath();
  context.lineJoin = "round";
  for (const [color, width, dash] of [
    ["rgb(0 0 0 / 0.6)", 3, []],
    ["#ffffff", 1.25, [6, 4]],
  ] as const) {
    context.setLineDash([...dash]);
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke(path);
  }
  context.setLineDash([]);
}

/** The longest diameter of the chosen segment and the longest across it, where they lie. */
function drawAxes(context: CanvasRenderingContext2D, place: FramePlace, id: string | null): void {
  const found = id ? figures.getState().of.get(id) : undefined;
  const axes = found?.figures.axes;
  if (!axes || found.mark.value.series !== place.manifest.series.id) return;
  if (sliceKey(axes.sop, axes.frame) !== keyOf(place) || draft.getState().stroke) return;
  const ends = axes.ends.map((end) => apply(place.matrix, end));
  for (const [color, width] of [
    ["rgb(0 0 0 / 0.45)", 2.5],
    ["#ffffff", 1],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    for (const [from, to] of [
      [ends[0], ends[1]],
      [ends[2], ends[3]],
    ]) {
      context.moveTo(...from);
      context.lineTo(...to);
    }
    context.stroke();
  }
}

// One picture of what the range takes, in the place of the frame: kept while neither changes.
let kept: { key: string; picture: HTMLCanvasElement } | null = null;

function pictureOf(place: FramePlace): HTMLCanvasElement | null {
  const { manifest, index, plane } = place;
  const { low, high } = rangeFor(room.getState(), unitsOf(manifest));
  const key = `${manifest.series.id}/${manifest.generation}/${index}/${low}/${high}`;
  if (kept?.key === key) return kept.picture;
  const within = inRange(place, index);
  if (!within) return null;
  const picture = document.createElement("canvas");
  picture.width = plane.columns;
  picture.height = plane.rows;
  const context = picture.getContext("2d");
  if (!context) return null;
  const image = context.createImageData(plane.columns, plane.rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) if (within(i)) pixels[i] = TINT;
  context.putImageData(image, 0, 0);
  kept = { key, picture };
  return picture;
}

/** A yellow that no grey of an image is: ABGR, as the bytes lie. */
const TINT = 0x7000e1ff;

function drawRange(
  context: CanvasRenderingContext2D,
  place: FramePlace,
  within: { at: Point2; radius: number } | null | undefined,
): void {
  if (within === undefined) return;
  const ring = within;
  if (ring === null && !options.getState().showRange) return;
  const picture = pictureOf(place);
  if (!picture) return;
  context.save();
  if (ring) {
    context.beginPath();
    context.arc(ring.at[0], ring.at[1], ring.radius, 0, 2 * Math.PI);
    context.clip();
  }
  const [a, b, c, d, e, f]: Matrix = place.matrix;
  context.transform(a, b, c, d, e, f);
  context.imageSmoothingEnabled = false;
  // A picture's corner is the corner of its first pixel, index coordinates begin at that pixel's centre.
  context.drawImage(picture, -0.5, -0.5);
  context.restore();
}
