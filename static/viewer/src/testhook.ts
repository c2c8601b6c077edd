/**
 * window.atlasRoom: facts about the room for browser tests that aim a real mouse. It can change nothing.
 *
 * state()                     what the active image shows: series, sop, frame, index (from 0), count, stack, tool, window
 * hung()                      each image on the screen, row by row: series, description, shown, count, preset, cut, fused
 * clientOf(point_mm, pane?)   where a patient point (LPS, mm) lies in the page, as the renderer has it: [x, y]
 * clientOfVoxel([c, r], pane?) the same for a voxel of the frame shown, by the room's own arithmetic
 * valueAt([c, r], pane?)      value of a voxel of the frame shown, in the units of the manifest
 * cut(pane)                   the cut a pane shows: its name, centre, slab, plane; null where it shows a frame
 * drawn(pane)                 that cut's image as it was drawn: its plane, and its values row by row
 * voxels(annotation)          voxels of a segment; voxels(annotation, sop, frame) on one slice
 * marks()                     id, kind, label, state and voxels of every mark
 * saving()                    kind ("saved", "saving", "offline"), waiting edits, last edit number, conflicts
 * loaded(series)              frames loaded, of how many
 * adjudication()              the lesion looked at, what is considered for it, its preview's voxels, readers' letters
 */
import { draftOf, isArranged, judging, lesionOf, previewOf } from "./adjudication/store";
import type { Point2, Point3 } from "./api/types";
import { apply } from "./engine/camera";
import { stackAt } from "./engine/stacks";
import { placeOf } from "./place";
import { valueUnder } from "./reading";
import { journal, stages } from "./session";
import { marks, sliceKey } from "./store/marks";
import { room, shownPanes } from "./store/room";

const corner = (which: number): Point2 => {
  const box = document.querySelector(`[data-testid="viewport-${which}"]`)?.getBoundingClientRect();
  return box ? [box.left, box.top] : [0, 0];
};

const shift = ([x, y]: Point2, which: number): Point2 => {
  const [left, top] = corner(which);
  return [x + left, y + top];
};

const facts = {
  state(pane = room.getState().active) {
    const state = room.getState();
    const { series, shown, wanted, window: voi } = state.panes[pane];
    const manifest = series ? state.manifests[series] : null;
    return {
      pane,
      series,
      shown,
      wanted,
      count: manifest?.frames.sop.length ?? 0,
      stack: manifest ? { ...stackAt(manifest, shown ?? wanted) } : null,
      sop: manifest && shown !== null ? manifest.frames.sop[shown] : null,
      frame: manifest && shown !== null ? manifest.frames.frame[shown] : null,
      window: voi && { ...voi },
      tool: state.tool,
      brushMm: state.brushMm,
      editing: state.editing,
      selected: state.selected,
      read: state.read?.state ?? null,
    };
  },
  hung() {
    const { panes, manifests, layout } = room.getState();
    return shownPanes({ layout }).map((which) => {
      const { series, shown, window: voi, cut, fusion } = panes[which];
      const manifest = series ? manifests[series] : undefined;
      return {
        series,
        description: manifest?.series.description ?? null,
        shown,
        count: manifest?.frames.sop.length ?? 0,
        preset: voi?.preset ?? null,
        cut: cut?.name ?? null,
        fused: fusion?.series ?? null,
      };
    });
  },
  clientOf(point: Point3, pane = room.getState().active): Point2 | null {
    const stage = stages[pane];
    return stage ? shift(stage.worldToCanvas(point), pane) : null;
  },
  clientOfVoxel(voxel: Point2, pane = room.getState().active): Point2 | null {
    const place = placeOf(pane);
    return place ? shift(apply(place.matrix, voxel), pane) : null;
  },
  valueAt(voxel: Point2, pane = room.getState().active): number[] | null {
    const place = placeOf(pane);
    return place ? valueUnder(place, voxel) : null;
  },
  cut(pane: number) {
    const place = placeOf(pane);
    return place?.cut ? { ...place.cut, plane: { ...place.plane } } : null;
  },
  drawn(pane: number) {
    const image = stages[pane]?.drawn;
    return image ? { plane: { ...image.plane }, values: Array.from(image.pixels.data) } : null;
  },
  voxels(annotation: string, sop?: string, frame = 1): number {
    const mark = marks.getState().marks.get(annotation);
    if (sop === undefined) return mark?.voxels ?? 0;
    return mark?.slices.get(sliceKey(sop, frame))?.voxels ?? 0;
  },
  marks() {
    return [...marks.getState().marks.values()].map(({ id, value, voxels }) => ({
      id,
      kind: value.kind,
      label: value.label,
      state: value.state,
      voxels,
    }));
  },
  saving() {
    const { report } = room.getState();
    return {
      kind: report?.saving.kind ?? null,
      waiting: journal?.waiting ?? 0,
      number: journal?.lastNumber ?? 0,
      conflicts: report?.conflicts.length ?? 0,
      parked: report?.parked ?? 0,
    };
  },
  adjudication() {
    const state = judging.getState();
    const lesion = lesionOf(state);
    if (!state.now) return null;
    return {
      lesion: lesion?.number ?? null,
      state: lesion?.state ?? null,
      take: lesion && draftOf(lesion, state).take,
      previewed: previewOf(state, lesion)?.preview.numbers?.voxels ?? null,
      result: lesion?.result ?? [],
      readers: state.now.readers.map(({ letter, read }) => ({
        letter,
        read,
        shown: !state.off.includes(letter),
        marks: [...(state.states.get(read)?.marks.values() ?? [])].map(({ id, voxels }) => ({ id, voxels })),
      })),
      beside: isArranged(),
      busy: state.busy,
    };
  },
  loaded(series: string) {
    return { ...(room.getState().progress[series] ?? { loaded: 0, total: 0, failed: 0 }) };
  },
};

export function expose(): void {
  Object.defineProperty(window, "atlasRoom", { value: Object.freeze(facts), writable: false });
}
