/** Which series of another study shows the same as this one: what a reader puts beside it to compare. */
import type { Manifest, SeriesRow } from "../api/types";
import { dot, normalOf, planeOf, sliceDistance } from "./geometry";

const wordsOf = (description: string): Set<string> =>
  new Set(description.toLowerCase().match(/[\p{L}\p{N}.]+/gu) ?? []);

/** Numbers (thickness, kernel) say less than words. */
const weight = (words: string[]): number =>
  words.reduce((sum, word) => sum + (/\p{L}/u.test(word) ? 3 : 1), 0);

/** Words of both, as part of all words: 0 for nothing in common, 1 for the same words. */
function alike(a: string, b: string): number {
  const [ours, theirs] = [wordsOf(a), wordsOf(b)];
  const all = weight([...new Set([...ours, ...theirs])]);
  return all ? weight([...ours].filter((word) => theirs.has(word))) / all : 0;
}

const ratio = (a: number, b: number): number => (a && b ? Math.min(a, b) / Math.max(a, b) : 0);

/** How well two series go together; the modality comes first, then side and plane, description, and how they are cut. */
function score(here: SeriesRow, there: SeriesRow, ours?: Manifest, theirs?: Manifest): number {
  let points = here.modality === there.modality ? 100 : 0;
  points += 12 * alike(here.description, there.description);
  points += 4 * ratio(here.images, there.images);
  if (!ours || !theirs) return points;
  points += ours.series.laterality === theirs.series.laterality ? 20 : 0;
  points += ours.units === theirs.units ? 3 : 0;
  const [a, b] = [planeOf(ours, 0), planeOf(theirs, 0)];
  if (a.kind === "patient" && b.kind === "patient") {
    points += 20 * Number(Math.abs(dot(normalOf(a), normalOf(b))) > 0.8);
    points += 4 * ratio(sliceDistance(ours) ?? 0, sliceDistance(theirs) ?? 0);
  }
  return points;
}

/**
 * The one of `candidates` that goes best beside a series; null where there is none. Manifests, by series id, make
 * the choice better where they are here.
 */
export function partner(
  here: SeriesRow,
  candidates: SeriesRow[],
  manifests: Record<string, Manifest> = {},
): SeriesRow | null {
  let best: SeriesRow | null = null;
  let most = Number.NEGATIVE_INFINITY;
  for (const there of candidates) {
    const points = score(here, there, manifests[here.id], manifests[there.id]);
    if (points > most) [best, most] = [there, points];
  }
  return best;
}
