/** A lens under the cursor while its key is held: the image's own pixels, whatever the zoom of the pane has left of them. */
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import type { Point2 } from "../api/types";
import { apply, invert, type Matrix } from "../engine/camera";
import { type Look, magnified } from "../engine/lens";
import { onFrame, type Place } from "../place";
import { frames } from "../session";
import { display } from "../store/display";
import { draft } from "../store/draft";
import { room } from "../store/room";

const SIDE_PX = 240;
const LEAST_FACTOR = 2.5;
/** A voxel is shown at least this large, so that a lens over a mammogram shows more than the screen does. */
const LEAST_VOXEL_PX = 2;

export function Magnifier({ which, place }: { which: number; place: Place | null }) {
  const on = useStore(display, (state) => state.magnifying);
  const hover = useStore(draft, (state) => (state.hover?.pane === which ? state.hover.canvas : null));
  return on && hover && place ? <Lens which={which} place={place} at={hover} /> : null;
}

function Lens({ which, place, at }: { which: number; place: Place; at: Point2 }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context) draw(context, which, place, at);
  }, [which, place, at]);
  return (
    <canvas
      ref={canvas}
      className="lens"
      width={SIDE_PX}
      height={SIDE_PX}
      data-testid={`lens-${which}`}
      style={{ left: at[0] - SIDE_PX / 2, top: at[1] - SIDE_PX / 2, width: SIDE_PX, height: SIDE_PX }}
    />
  );
}

function draw(context: CanvasRenderingContext2D, which: number, place: Place, at: Point2): void {
  const { window: voi, inverted } = room.getState().panes[which];
  const perVoxel = Math.hypot(place.matrix[0], place.matrix[1]);
  const factor = Math.max(LEAST_FACTOR, LEAST_VOXEL_PX / perVoxel);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, SIDE_PX, SIDE_PX);
  const pixels = onFrame(place) ? frames.get(place.manifest.series.id)?.pixels[place.index] : null;
  if (pixels && voi) {
    const look: Look = {
      low: voi.center - voi.width / 2,
      width: voi.width,
      inverted: inverted !== (place.manifest.pixel.photometric === "MONOCHROME1"),
      smooth: display.getState().smooth,
    };
    const image = new ImageData(SIDE_PX, SIDE_PX);
    magnified(pixels, toIndexFromLens(place.matrix, at, factor), look, SIDE_PX, image.data);
    context.putImageData(image, 0, 0);
  }
  // What lies over the image comes along, as the screen has it.
  const box = document.querySelector(`[data-testid="viewport-${which}"]`);
  const layers = box?.querySelectorAll<HTMLCanvasElement>(
    pixels ? "canvas.masks" : ".screen canvas, canvas.masks",
  );
  for (const layer of layers ?? []) {
    const ratio = layer.width / Math.max(1, layer.clientWidth);
    const side = SIDE_PX / factor;
    const [x, y] = [at[0] - side / 2, at[1] - side / 2];
    context.drawImage(layer, x * ratio, y * ratio, side * ratio, side * ratio, 0, 0, SIDE_PX, SIDE_PX);
  }
}

/** Pixels of the lens → index coordinates of the image. */
function toIndexFromLens(matrix: Matrix, at: Point2, factor: number): Matrix {
  const back = invert(matrix);
  const [x, y] = apply(back, [at[0] - SIDE_PX / 2 / factor, at[1] - SIDE_PX / 2 / factor]);
  return [back[0] / factor, back[1] / factor, back[2] / factor, back[3] / factor, x, y];
}
