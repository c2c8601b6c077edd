/** Laying one series over another: which can be, how it begins, what it reads under the cursor. */
import type { Manifest, Point2 } from "./api/types";
import { valueAbove, whyNoFusion } from "./engine/fusion";
import { indexToWorld } from "./engine/geometry";
import type { Place } from "./place";
import { frames, framesOf, loadManifest, openSeries, ownWindow } from "./session";
import { presetsFor } from "./store/presets";
import { activeManifest, type Fusion, room, setPane } from "./store/room";
import { valueText } from "./ui/words";
import { t } from "./words";

/** What shows function and no anatomy: it is laid over the others. */
const FUNCTIONAL = ["PT", "NM"];
const ANATOMICAL = ["CT", "MR"];
const OPACITY = 0.5;
const isFunctional = (manifest: Manifest): boolean => FUNCTIONAL.includes(manifest.series.modality);

/** The series of the case that can be laid over one, those of function first. */
export function overlaysFor(below: Manifest): Manifest[] {
  const fits = Object.values(room.getState().manifests).filter(
    (above) => above.series.id !== below.series.id && whyNoFusion(below, above) === null,
  );
  return fits.sort((a, b) => Number(isFunctional(b)) - Number(isFunctional(a)));
}

/** Why nothing can be laid over the active image, or it over another; null where something can. */
export function whyNothingToFuse(): string | null {
  const state = room.getState();
  const here = activeManifest(state);
  if (!here) return t("No series is open here.");
  if (state.panes[state.active].fusion || pairOf(here)) return null;
  const others = Object.values(state.manifests).filter(
    (one) => one.series.id !== here.series.id && isFunctional(one) !== isFunctional(here),
  );
  const why = others.map((other) =>
    isFunctional(here) ? whyNoFusion(other, here) : whyNoFusion(here, other),
  );
  return why.find((one) => one !== null) ?? t("There is no series in this case that could lie over it.");
}

/** What is below and what above, where the active image takes part: PET always lies over CT. */
function pairOf(here: Manifest): { below: Manifest; above: Manifest } | null {
  if (isFunctional(here)) {
    const below = Object.values(room.getState().manifests)
      .filter((one) => ANATOMICAL.includes(one.series.modality) && one.series.study === here.series.study)
      .filter((one) => whyNoFusion(one, here) === null)
      .sort((a, b) => ANATOMICAL.indexOf(a.series.modality) - ANATOMICAL.indexOf(b.series.modality))[0];
    return below ? { below, above: here } : null;
  }
  const [above] = overlaysFor(here);
  return above ? { below: here, above } : null;
}

/** Fusion on the active image, on or off. On a PET the CT of its study opens below it. */
export async function toggleFusion(): Promise<void> {
  const state = room.getState();
  const { active } = state;
  const here = activeManifest(state);
  if (state.panes[active].fusion) return fuse(active, null);
  const pair = here ? pairOf(here) : null;
  if (!here || !pair) return;
  if (pair.below !== here) await openSeries(active, pair.below.series.id);
  await fuse(active, pair.above.series.id);
}

/** Lays a series over the image of a pane; null takes away what lies there. */
export async function fuse(which: number, series: string | null): Promise<void> {
  if (series === null) return setPane(which, { fusion: null });
  if (!(await loadManifest(series))) return;
  const manifest = room.getState().manifests[series];
  if (!frames.has(series)) frames.set(series, framesOf(manifest));
  const usual = presetsFor(manifest.series.modality, manifest.suv_factor !== null)[1];
  const before = room.getState().panes[which].fusion;
  setPane(which, {
    fusion: {
      series,
      opacity: before?.opacity ?? OPACITY,
      colours: before?.colours ?? (isFunctional(manifest) ? "hot_iron" : "rainbow"),
      // Without a preset its file's own; where it has none, what its first slice holds (a width of 0 until then).
      window: usual ?? ownWindow(series, 0),
    },
  });
}

export function setFusion(which: number, part: Partial<Fusion>): void {
  const { fusion } = room.getState().panes[which];
  if (fusion) setPane(which, { fusion: { ...fusion, ...part } });
}

/** What the overlaid series reads at index coordinates of a place, as a reader reads it; null where nothing. */
export function fusedText(which: number, place: Place, index: Point2): string | null {
  const { panes, manifests } = room.getState();
  const { fusion } = panes[which];
  const loader = fusion ? frames.get(fusion.series) : undefined;
  if (!fusion || !loader) return null;
  const value = valueAbove(loader, 0, indexToWorld(place.plane, index));
  return value === null
    ? null
    : t("{value}, interpolated", { value: valueText([value], manifests[fusion.series]) });
}
