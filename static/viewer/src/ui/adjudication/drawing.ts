/** What is drawn of readers and results on one image, as a list; and the drawing of it. */
import { agreement, type Regions, united } from "../../adjudication/agreement";
import { votersOf } from "../../adjudication/choices";
import { lookOf } from "../../adjudication/looks";
import { marksOf } from "../../adjudication/panes";
import { isLooking, type Judging, lesionOf, previewOf } from "../../adjudication/store";
import type { AdjudicatedLesion } from "../../api/adjudication";
import type { Matrix } from "../../engine/camera";
import type { Patch } from "../../engine/maskcut";
import type { Place } from "../../place";
import type { Mark, Marks } from "../../store/marks";
import { ringsPath } from "../layer";
import { patchOn, pathOf } from "./paths";

const FILL = 0.22;
const ONE = "#ff4d2e";
const SOME = "#ff7a45";
export const RESULT = "#ffffff";

/** One reader's marks of the lesion, or of another one. */
export interface Drawn {
  letter: string;
  marks: Mark[];
  chosen: boolean;
}

/** Whose marks an image shows: one reader's, or those of all who are switched on. */
export function drawnOn(state: Judging, role: string | null): Drawn[] {
  const { now, off } = state;
  const lesion = lesionOf(state);
  if (!now || !lesion) return [];
  const readers = now.readers.filter(({ read, letter }) =>
    role === null ? !off.includes(letter) : read === role,
  );
  const others = now.lesions.filter((one) => one !== lesion);
  const shown = readers.flatMap(({ read, letter }): Drawn[] => [
    { letter, marks: others.flatMap((one) => marksOf(one, read, state)), chosen: false },
    { letter, marks: marksOf(lesion, read, state), chosen: true },
  ]);
  return shown.filter(({ marks }) => marks.length).sort((a, b) => Number(a.chosen) - Number(b.chosen));
}

/** What the lesion becomes: as it is considered, or the marks that it became. */
export function resultMarks(state: Judging, all: Marks): Mark[] {
  const lesion = lesionOf(state);
  if (!lesion) return [];
  const considered = previewOf(state, lesion);
  const own = lesion.result.flatMap((id) => all.marks.get(id) ?? []);
  if (isAsSettled(state, lesion)) return own;
  return considered?.mark ? [considered.mark] : [];
}

/** Whether what is considered is what the lesion was settled as: then its own marks are shown, edits and all. */
export function isAsSettled(state: Judging, lesion: AdjudicatedLesion): boolean {
  if (lesion.state !== "settled") return false;
  const { take } = state.drafts[lesion.number] ?? {};
  return !take || JSON.stringify(take) === JSON.stringify(lesion.choice);
}

let counted: { patches: Patch[]; of: number; regions: Regions } | null = null;

function regionsOf(patches: Patch[], of: number): Regions {
  const same = counted?.of === of && counted.patches.length === patches.length;
  if (same && counted?.patches.every((patch, i) => patch === patches[i])) return counted.regions;
  const regions = agreement(patches, of);
  counted = { patches, of, regions };
  return regions;
}

let hatch: CanvasPattern | null = null;

/** Lines across: a region is told from another by more than its colour. */
function hatched(context: CanvasRenderingContext2D): CanvasPattern | string {
  if (hatch) return hatch;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const lines = tile.getContext("2d");
  if (!lines) return ONE;
  lines.strokeStyle = ONE;
  lines.lineWidth = 1.75;
  lines.beginPath();
  for (const shift of [-6, 0, 6]) {
    lines.moveTo(shift - 1, 7);
    lines.lineTo(shift + 7, -1);
  }
  lines.stroke();
  hatch = context.createPattern(tile, "repeat");
  return hatch ?? ONE;
}

const onScreen = (path: Path2D, matrix: Matrix): Path2D => {
  const screen = new Path2D();
  screen.addPath(path, new DOMMatrix(matrix));
  return screen;
};

/** Patches of several marks of one reader; one mark is itself, so that its outline is kept. */
const patchesOf = (place: Place, marks: Mark[]): Patch[] =>
  marks.flatMap((mark) => patchOn(place, mark) ?? []);

export interface Scene {
  /** The reader whose image it is; null: all. */
  role: string | null;
  drawn: Drawn[];
  result: Mark[];
  lesion: AdjudicatedLesion | null;
}

export const sceneOf = (state: Judging, all: Marks, role: string | null): Scene => ({
  role,
  drawn: drawnOn(state, role),
  result: resultMarks(state, all),
  lesion: lesionOf(state),
});

/** @param scale line widths: 1 in an image, less on the strip of slices */
export function paint(
  context: CanvasRenderingContext2D,
  place: Place,
  { role, drawn, result, lesion }: Scene,
  scale = 1,
): void {
  const { matrix } = place;
  context.lineJoin = "round";
  const pieces = drawn.map((one) => ({ ...one, patches: patchesOf(place, one.marks) }));
  if (role === null && lesion) {
    const voted = pieces.flatMap(({ chosen, patches }) => (chosen ? (united(patches) ?? []) : []));
    const { one, some } = regionsOf(voted, votersOf(lesion.options));
    fill(context, onScreen(ringsPath(some), matrix), SOME, 0.3);
    fill(context, onScreen(ringsPath(one), matrix), ONE, 0.22);
    fill(context, onScreen(ringsPath(one), matrix), hatched(context), 0.9);
  }
  // The result lies below, broad: readers stay to be told apart where they go the same way.
  if (isLooking()) {
    for (const patch of patchesOf(place, result)) {
      const path = onScreen(pathOf(patch), matrix);
      line(context, path, "#000000", 6.5 * scale, [], 0.35);
      line(context, path, RESULT, 4.75 * scale, [], 0.9);
    }
  }
  for (const { patches, letter, chosen } of pieces) {
    const look = lookOf(letter);
    for (const patch of patches) {
      const path = onScreen(pathOf(patch), matrix);
      if (role !== null && chosen) fill(context, path, look.color, FILL);
      line(context, path, "#000000", (role === null ? 2.5 : 3.2) * scale, [], chosen ? 0.5 : 0.25);
      const width = (chosen ? 1.75 : 1) * scale;
      line(
        context,
        path,
        look.color,
        width,
        look.dash.map((px) => px * scale),
        chosen ? 1 : 0.6,
      );
    }
  }
}

function fill(
  context: CanvasRenderingContext2D,
  path: Path2D,
  style: string | CanvasPattern,
  alpha: number,
): void {
  context.globalAlpha = alpha;
  context.fillStyle = style;
  context.fill(path, "evenodd");
  context.globalAlpha = 1;
}

function line(
  context: CanvasRenderingContext2D,
  path: Path2D,
  color: string,
  width: number,
  dash: number[],
  alpha: number,
): void {
  context.globalAlpha = alpha;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.stroke(path);
  context.setLineDash([]);
  context.globalAlpha = 1;
}
