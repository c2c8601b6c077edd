/** What the layers over an image have in common: a canvas as large as the pane, in the screen's own pixels. */
import type { Point2 } from "../api/types";
import type { Area } from "../engine/camera";

/** Pixels of the screen in a CSS pixel. */
export const pixelRatio = (): number => window.devicePixelRatio || 1;

/** The canvas made as large as the pane and empty, to be drawn on in CSS pixels. */
export function cleared(canvas: HTMLCanvasElement | null, area: Area): CanvasRenderingContext2D | null {
  const context = canvas?.getContext("2d");
  if (!canvas || !context) return null;
  const ratio = pixelRatio();
  const width = Math.round(area.width * ratio);
  const height = Math.round(area.height * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, area.width, area.height);
  // A canvas that is cleared, and then drawn on outside of its edges only, may stay on the screen as it was:
  // something too faint to be seen makes the browser show it anew.
  context.fillStyle = "rgb(0 0 0 / 0.004)";
  context.fillRect(0, 0, 1, 1);
  return context;
}

/** Closed outlines as one path. */
export function ringsPath(rings: Point2[][]): Path2D {
  const path = new Path2D();
  for (const ring of rings) {
    ring.forEach(([x, y], i) => {
      if (i) path.lineTo(x, y);
      else path.moveTo(x, y);
    });
    path.closePath();
  }
  return path;
}
