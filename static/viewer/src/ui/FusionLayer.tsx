/** The series laid over an image, in colour, on a canvas between the image and the masks. */
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { colourTable, paint } from "../engine/colour";
import { type Laid, lay, nearestTo } from "../engine/fusion";
import type { Plane } from "../engine/geometry";
import { setFusion } from "../fusing";
import type { Place } from "../place";
import { frames } from "../session";
import { display } from "../store/display";
import { cleared, pixelRatio } from "./layer";
import { useRoom } from "./use";

const keyOf = (series: string, plane: Plane): string =>
  [series, plane.origin, plane.row, plane.column, plane.row_mm, plane.columns, plane.rows].join("|");

interface Kept {
  key: string;
  laid: Laid | null;
  /** The canvas with its colours, and what those were made of. */
  colours: string;
  picture: HTMLCanvasElement;
}

export function FusionLayer({ which, place }: { which: number; place: Place | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const kept = useRef<Kept | null>(null);
  const fusion = useRoom((state) => state.panes[which].fusion);
  const area = useRoom((state) => state.panes[which].area);
  const progress = useRoom((state) => (fusion ? state.progress[fusion.series] : undefined));
  const smooth = useStore(display, (state) => state.smooth);
  const series = fusion?.series;
  const who = `fusion-${which}`;

  useEffect(() => {
    if (!series) return;
    return () => frames.get(series)?.leave(who);
  }, [series, who]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `progress` says when the loaded frames have changed
  useEffect(() => {
    const context = cleared(canvas.current, area);
    if (!context) return;
    const loader = fusion ? frames.get(fusion.series) : undefined;
    if (!fusion || !loader || !place) {
      kept.current = null;
      return;
    }
    loader.prefetch(nearestTo(loader.manifest, 0, place.plane), who);
    const key = keyOf(fusion.series, place.plane);
    let now = kept.current;
    if (now?.key !== key || (now.laid?.missing ?? 0) > 0) {
      const picture = now?.picture ?? document.createElement("canvas");
      now = { key, laid: lay(loader, 0, place.plane), colours: "", picture };
      kept.current = now;
    }
    const { laid, picture } = now;
    if (!laid) return;
    if (fusion.window.width === 0) {
      const window = spanOf(laid.values);
      if (window) setFusion(which, { window });
      return;
    }
    const low = fusion.window.center - fusion.window.width / 2;
    const colours = `${fusion.colours}|${low}|${fusion.window.width}`;
    if (now.colours !== colours) {
      now.colours = colours;
      picture.width = laid.columns;
      picture.height = laid.rows;
      const painted = new ImageData(laid.columns, laid.rows);
      paint(laid.values, low, low + fusion.window.width, colourTable(fusion.colours), painted.data);
      picture.getContext("2d")?.putImageData(painted, 0, 0);
    }
    const [a, b, c, d, e, f] = place.matrix;
    const ratio = pixelRatio();
    context.setTransform(a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio);
    context.globalAlpha = fusion.opacity;
    context.imageSmoothingEnabled = smooth;
    // Index coordinates are whole at the middle of a voxel.
    context.drawImage(picture, -0.5, -0.5, laid.columns * laid.step, laid.rows * laid.step);
    context.globalAlpha = 1;
  }, [which, who, fusion, place, area, progress, smooth]);

  return <canvas ref={canvas} className="masks fused" data-testid={`fused-${which}`} />;
}

function spanOf(values: Float32Array): { width: number; center: number } | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high >= low ? { width: high - low || 1, center: (low + high) / 2 } : null;
}
