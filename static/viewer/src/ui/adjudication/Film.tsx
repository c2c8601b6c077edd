/** The slices of the lesion, small, with everybody's outlines: a click goes there. */
import { useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { sampled } from "../../adjudication/choices";
import { fieldOf, middleOfBox, sightOn } from "../../adjudication/extent";
import { boxOfLesion } from "../../adjudication/panes";
import { judging, lesionOf } from "../../adjudication/store";
import type { AdjudicatedLesion } from "../../api/adjudication";
import type { Manifest } from "../../api/types";
import { indexToCanvas, invert } from "../../engine/camera";
import { coloursAt, valueAt } from "../../engine/decode";
import { planeOf } from "../../engine/geometry";
import { stackAt } from "../../engine/stacks";
import { scrollTo } from "../../moving";
import type { Place } from "../../place";
import { frames } from "../../session";
import { marks } from "../../store/marks";
import type { Pane } from "../../store/room";
import { t } from "../../words";
import { onResize } from "../resizing";
import { useRoom } from "../use";
import { paint, type Scene, sceneOf } from "./drawing";

const SIDE_PX = 68;
const GAP_PX = 6;
/** So much of what an image shows around a lesion. */
const CLOSER = 0.62;

/** The first and last slice that any reader painted on, of the series that is shown. */
function reach(lesion: AdjudicatedLesion): [number, number] | null {
  const areas = Object.values(lesion.numbers.reads).flatMap(({ series, areas_mm2 }) =>
    areas_mm2?.values.length && series === lesion.place?.series ? [areas_mm2] : [],
  );
  if (!areas.length) return null;
  const first = Math.min(...areas.map((one) => one.first));
  const last = Math.max(...areas.map((one) => one.first + one.values.length - 1));
  return [first, last];
}

export function Film() {
  const strip = useRef<HTMLDivElement>(null);
  const [most, setMost] = useState(8);
  const state = useStore(judging);
  const all = useStore(marks);
  const lesion = lesionOf(state);
  const pane = useRoom((now) => now.panes[0]);
  const manifest = useRoom((now) => (pane.series ? now.manifests[pane.series] : undefined));
  const scene = useMemo(() => sceneOf(state, all, null), [state, all]);
  const range = lesion && reach(lesion);
  useEffect(() => {
    const element = strip.current;
    if (!element) return;
    return onResize(element, () =>
      setMost(Math.max(3, Math.floor((element.clientWidth - GAP_PX) / (SIDE_PX + GAP_PX)))),
    );
  }, []);
  const here = pane.shown ?? pane.wanted;
  const isHere = lesion && manifest && range && pane.series === lesion.place?.series;
  const shown = isHere ? sampled(range[0], range[1], most, here) : [];
  return (
    <div ref={strip} className="film" data-testid="film">
      {isHere &&
        shown.map((index) => (
          <Slice
            key={index}
            index={index}
            lesion={lesion}
            manifest={manifest}
            scene={scene}
            window={pane.window}
            inverted={pane.inverted}
            on={index === here}
          />
        ))}
      {lesion && !shown.length && (
        <p className="small faint">{t("No mask of this lesion: no slices to go through.")}</p>
      )}
    </div>
  );
}

interface SliceOf {
  index: number;
  lesion: AdjudicatedLesion;
  manifest: Manifest;
  scene: Scene;
  window: Pane["window"];
  inverted: boolean;
  on: boolean;
}

function Slice({ index, lesion, manifest, scene, window: voi, inverted, on }: SliceOf) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const series = manifest.series.id;
  const isLoaded = useRoom(
    (state) => (state.progress[series]?.loaded ?? 0) > 0 && Boolean(frames.get(series)?.pixels[index]),
  );
  const overlays = useRoom((state) => state.overlays);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `isLoaded` says that the pixels have come
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context) return;
    const ratio = globalThis.devicePixelRatio || 1;
    const side = Math.round(SIDE_PX * ratio);
    canvas.current.width = canvas.current.height = side;
    const box = boxOfLesion(lesion);
    if (!box) return;
    const plane = planeOf(manifest, index);
    const area = { width: SIDE_PX, height: SIDE_PX, inset: 0 };
    const sight = sightOn(plane, area, middleOfBox(box), fieldOf(box) * CLOSER);
    const matrix = indexToCanvas(plane, sight, area);
    const place: Place = { manifest, plane, matrix, index, cut: null, near: index };
    picture(context, place, side, ratio, voi, inverted);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (overlays) paint(context, place, scene, 0.6);
  }, [index, lesion, manifest, scene, voi, inverted, isLoaded, overlays]);
  const number = index - stackAt(manifest, index).first + 1;
  return (
    <button
      type="button"
      className={on ? "on" : ""}
      aria-current={on ? "true" : undefined}
      aria-label={t("Slice {n}", { n: number })}
      data-testid="film-slice"
      onClick={() => scrollTo(0, index)}
    >
      <canvas ref={canvas} />
      <span>{number}</span>
    </button>
  );
}

/** The image itself, voxel by voxel: small enough for that. */
function picture(
  context: CanvasRenderingContext2D,
  { manifest, matrix, near: index }: Place,
  side: number,
  ratio: number,
  voi: Pane["window"],
  inverted: boolean,
): void {
  const pixels = frames.get(manifest.series.id)?.pixels[index];
  const image = context.createImageData(side, side);
  image.data.fill(0);
  for (let i = 3; i < image.data.length; i += 4) image.data[i] = 255;
  if (pixels) {
    const [a, b, c, d, e, f] = invert(matrix);
    const low = voi ? voi.center - voi.width / 2 : 0;
    const width = Math.max(voi?.width ?? 255, 1e-9);
    const isTurned = inverted !== (manifest.pixel.photometric === "MONOCHROME1");
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const [px, py] = [(x + 0.5) / ratio, (y + 0.5) / ratio];
        const column = Math.round(a * px + c * py + e);
        const row = Math.round(b * px + d * py + f);
        if (column < 0 || row < 0 || column >= pixels.columns || row >= pixels.rows) continue;
        const offset = row * pixels.columns + column;
        const at = (y * side + x) * 4;
        if (pixels.colour) image.data.set(coloursAt(pixels, offset), at);
        else {
          const part = (valueAt(manifest, index, pixels, offset) - low) / width;
          image.data.fill(255 * (isTurned ? 1 - part : part), at, at + 3);
        }
      }
    }
  }
  context.putImageData(image, 0, 0);
}
