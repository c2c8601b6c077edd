/** The slice bar: where the reader is, mask area on every slice, what is loaded; drag it to scroll. */
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { frameIndex, planeOf } from "../engine/geometry";
import { stackAt } from "../engine/stacks";
import { crossingOf } from "../journal/box";
import { scrollTo } from "../moving";
import { frames } from "../session";
import { marks } from "../store/marks";
import { t } from "../words";
import { EdgeSlider } from "./EdgeSlider";
import { useRoom } from "./use";

const WIDTH = 22;

export function SliceBar({ which }: { which: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const series = useRoom((state) => state.panes[which].series);
  const manifest = useRoom((state) => (series ? state.manifests[series] : undefined));
  const wanted = useRoom((state) => state.panes[which].wanted);
  const isCut = useRoom((state) => state.panes[which].cut !== null);
  const area = useRoom((state) => state.panes[which].area);
  const read = useRoom((state) => state.read);
  const progress = useRoom((state) => (series ? state.progress[series] : undefined));
  const all = useStore(marks, (state) => state.marks);
  const stack = manifest ? stackAt(manifest, wanted) : null;
  const first = stack?.first ?? 0;
  const count = stack?.count ?? 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `progress` says when the loaded frames have changed
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || !manifest || !series || isCut) return;
    const ratio = window.devicePixelRatio || 1;
    element.width = WIDTH * ratio;
    element.height = Math.max(1, Math.round(area.height * ratio));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const step = area.height / count;
    const gap = step > 4 ? 1 : 0;
    const loader = frames.get(series);
    context.fillStyle = "#3a4147";
    for (let i = 0; i < count; i++) {
      if (!loader?.pixels[first + i]) context.fillRect(WIDTH - 1.5, i * step, 1.5, step + 0.2);
    }
    /** Place on the bar; below 0 for frames of another stack. */
    const rowOf = (sop: string, frame: number): number => {
      const i = frameIndex(manifest, sop, frame) - first;
      return i < count ? i : -1;
    };
    const bars = new Map<number, { voxels: number; color: string }[]>();
    let most = 1;
    for (const mark of all.values()) {
      if (mark.value.series !== series) continue;
      const color = read?.schema.labels.find((label) => label.key === mark.value.label)?.color ?? "#ffffff";
      const box = mark.value.kind === "box" ? mark.value.points_patient_mm : undefined;
      if (box) {
        context.fillStyle = color;
        for (let i = 0; i < count; i++) {
          if (crossingOf(box, planeOf(manifest, first + i)).length)
            context.fillRect(1, i * step, 4, step + 0.2);
        }
        continue;
      }
      if (mark.value.kind !== "segment") {
        const i = rowOf(mark.value.sop ?? "", mark.value.frame ?? 1);
        if (i >= 0) {
          context.fillStyle = color;
          context.fillRect(1, i * step + step / 2 - 1.5, 4, 3);
        }
        continue;
      }
      for (const slice of mark.slices.values()) {
        const i = rowOf(slice.sop, slice.frame);
        if (i < 0) continue;
        bars.set(i, [...(bars.get(i) ?? []), { voxels: slice.voxels, color }]);
        most = Math.max(most, slice.voxels);
      }
    }
    for (const [i, list] of bars) {
      // Side by side by size, so that a small segment is not hidden behind a large one.
      for (const { voxels, color } of list.sort((a, b) => b.voxels - a.voxels)) {
        const length = Math.max(2, Math.sqrt(voxels / most) * (WIDTH - 8));
        context.fillStyle = color;
        context.fillRect(WIDTH - 2 - length, i * step, length, Math.max(1, step - gap));
      }
    }
    context.fillStyle = "#f0b95a";
    for (const comment of read?.comments ?? []) {
      if (comment.series !== series || comment.resolved || !comment.sop) continue;
      const i = rowOf(comment.sop, comment.frame ?? 1);
      if (i >= 0) context.fillRect(1, i * step + step / 2 - 1.5, 3, 3);
    }
    context.strokeStyle = "#ffffff";
    context.lineWidth = 1.5;
    const tall = Math.max(5, step);
    context.strokeRect(0.75, (wanted - first) * step + step / 2 - tall / 2, WIDTH - 1.5, tall);
  }, [all, manifest, series, wanted, area, read, progress, first, count, isCut]);

  if (!count || isCut) return null;
  return (
    <EdgeSlider
      name={`slice-bar-${which}`}
      label={t("Slice")}
      title={t("Mask area on each slice: drag to scroll")}
      low={1}
      high={count}
      at={wanted - first + 1}
      to={(part) => scrollTo(which, first + Math.min(count - 1, Math.floor(part * count)))}
    >
      <canvas ref={canvas} />
    </EdgeSlider>
  );
}
