/**
 * How a case opens: the server says which protocols are for it and what hangs where by each; the reader may choose
 * another, which is kept for the project.
 */
import { createStore } from "zustand/vanilla";
import type { Hung, HungPane, Read } from "./api/types";
import { showCut, whyNoCuts } from "./cutting";
import { whyNoFusion } from "./engine/fusion";
import { planeOf, spoils } from "./engine/geometry";
import { middleOf, stacksOf } from "./engine/stacks";
import { atSamePart, follower, wayBetween } from "./engine/together";
import { fuse } from "./fusing";
import { setLinked } from "./linking";
import { emptyPane, fillPanes } from "./panes";
import { preferences } from "./preferences";
import { loadManifest, openSeries } from "./session";
import { presetsFor } from "./store/presets";
import { type Layout, PANES_MAX, ROWS_MAX, room, setLayout, setPane, shownPanes } from "./store/room";
import { t } from "./words";

/** The built-in protocol that asks for one image and for no layout: what is hung where nothing else is for a case. */
export const PLAIN = "one";

/** Names of the built-in protocols; those of a project are in its own words. */
const NAMES: Record<string, () => string> = {
  mammography: () => t("Mammography, four views"),
  "mammography-mlo": () => t("Mammography, MLO right and left"),
  "mammography-cc": () => t("Mammography, CC right and left"),
  "mammography-right": () => t("Mammography, right side"),
  "mammography-left": () => t("Mammography, left side"),
  "pet-ct": () => t("CT, PET, PET on CT"),
  phases: () => t("Phases: first, second, last"),
  prior: () => t("Current and prior"),
  [PLAIN]: () => t("One image"),
};

export const nameOf = ({ id, name }: Pick<Hung, "id" | "name">): string => NAMES[id]?.() ?? name;

/** By which protocol the room hangs now; null before a case is open. */
export const hungBy = createStore<{ id: string | null }>(() => ({ id: null }));

const own = (): Record<string, string> => preferences.get<Record<string, string>>("hanging", {});

/** The reader's own choice for a project; null where they leave it to the project. */
export const ownChoice = (read: Read): string | null => own()[read.project.slug] ?? null;

/** What a case opens with: the reader's own choice where it is for this case, else the first. */
export function chosenOf(read: Read, choice: string | null = ownChoice(read)): Hung | null {
  return read.hanging?.choices.find(({ id }) => id === choice) ?? read.hanging ?? null;
}

/** The series that a case opens with, those in view, the first pane's first. */
export function openingSeries(read: Read): HungPane[] {
  const found = chosenOf(read)?.panes.filter((pane) => pane.series !== null) ?? [];
  return found.filter((pane, i) => found.findIndex((other) => other.series === pane.series) === i);
}

/** Takes another protocol, for this project from now on; null leaves it to the project again. */
export function choose(id: string | null): void {
  const { read } = room.getState();
  if (!read) return;
  const { [read.project.slug]: _, ...others } = own();
  preferences.set("hanging", id === null ? others : { ...others, [read.project.slug]: id });
  const hung = chosenOf(read, id);
  if (hung) void hang(hung);
}

/** Once a page: a read that is opened is hung, and the layout that a hand chooses is kept. */
export function watchReads(): void {
  let read: string | null = null;
  room.subscribe((state, before) => {
    const now = state.read?.id ?? null;
    if (now !== read) {
      read = now;
      hungBy.setState({ id: null });
      const isLaidOut = state.read?.adjudication?.lesions.some(({ place }) => place !== null);
      const hung = state.read && !isLaidOut && chosenOf(state.read);
      if (hung) void hang(hung);
    } else if (state.layout !== before.layout && state.read) keepLayout(state.layout);
  });
}

let hanging = 0;
let byItself = false;

function keepLayout(layout: Layout): void {
  const { panes } = room.getState();
  const isCut = panes.some((pane) => pane.cut || pane.surface);
  // An arrangement of readers is wider than any layout that a hand can choose.
  if (!byItself && !isCut && layout.columns <= ROWS_MAX) preferences.set("layout", layout);
}

/** The layout that this reader left, for cases that no protocol lays out. */
function ownLayout(): Layout | null {
  const kept = preferences.get<Partial<Layout>>("layout", {});
  const isSide = (n: unknown): n is number =>
    Number.isInteger(n) && (n as number) >= 1 && (n as number) <= ROWS_MAX;
  if (!preferences.get("keep-layout", true) || !isSide(kept.rows) || !isSide(kept.columns)) return null;
  return { rows: kept.rows, columns: kept.columns };
}

/** Hangs the case by a protocol: layout, series, windows, cuts and overlays, links. */
export async function hang(hung: Hung): Promise<void> {
  const turn = ++hanging;
  const isStill = () => turn === hanging;
  const layout = (hung.id === PLAIN && ownLayout()) || hung.layout;
  byItself = true;
  setLayout(layout);
  byItself = false;
  room.setState({ active: 0, maximised: false, linked: false, ahead: {} });
  for (let which = 0; which < PANES_MAX; which++) emptyPane(which);
  hungBy.setState({ id: hung.id });
  const places = shownPanes({ layout }).map((which) => ({ which, pane: hung.panes[which] }));
  const filled = places.flatMap(({ which, pane }) =>
    pane?.series ? [{ which, pane, series: pane.series }] : [],
  );
  // All at once: what they open with doesn't wait for the first one.
  for (const { series, pane, which } of filled) {
    void loadManifest(series);
    if (pane.fused) void loadManifest(pane.fused);
    setPane(which, { series });
  }
  const [first, ...others] = filled;
  if (first) await place(first.which, first.pane, null, isStill);
  if (!isStill()) return;
  await Promise.all(others.map(({ which, pane }) => place(which, pane, first.which, isStill)));
  if (!isStill()) return;
  shareWindows(filled.filter(({ pane }) => !pane.preset).map(({ which }) => which));
  if (hung.id === PLAIN && shownPanes({ layout }).length > 1) await fillPanes();
  if (hung.link && isStill()) setLinked("scroll", true);
}

/** Phases of one series are compared: they open in one window, the widest that their images ask for. */
function shareWindows(shown: number[]): void {
  const { panes } = room.getState();
  for (const which of shown) {
    const same = shown.filter((other) => panes[other].series === panes[which].series);
    const windows = same.flatMap((other) => panes[other].window ?? []);
    const [widest] = windows.sort((a, b) => b.width - a.width);
    if (same.length > 1 && widest?.width) setPane(which, { window: { ...widest } });
  }
}

async function place(
  which: number,
  pane: HungPane,
  beside: number | null,
  isStill: () => boolean,
): Promise<void> {
  const { series } = pane;
  if (!series) return;
  await loadManifest(series);
  if (!isStill()) return;
  await openSeries(which, series, pane.frame ?? (beside === null ? undefined : frameBeside(beside, series)));
  const { panes, manifests } = room.getState();
  const manifest = manifests[series];
  if (!isStill() || panes[which].series !== series || !manifest) return;
  const presets = presetsFor(manifest.series.modality, manifest.suv_factor !== null);
  const preset = presets.find(({ id }) => id === pane.preset);
  if (preset && !spoils(manifest, "units"))
    setPane(which, { window: { width: preset.width, center: preset.center, preset: preset.id } });
  if (pane.cut && whyNoCuts(which) === null) showCut(pane.cut, which);
  if (!pane.fused || !(await loadManifest(pane.fused)) || !isStill()) return;
  const above = room.getState().manifests[pane.fused];
  if (whyNoFusion(manifest, above) === null) await fuse(which, pane.fused);
}

/** Where a series opens beside another: at the same place of the patient, or the same part of the way through. */
export function frameBeside(beside: number, series: string): number | undefined {
  const { panes, manifests } = room.getState();
  const ours = manifests[panes[beside].series ?? ""];
  const theirs = manifests[series];
  if (!ours || !theirs) return undefined;
  const index = panes[beside].wanted;
  if (ours === theirs) return index;
  const here = { manifest: ours, index, sight: null };
  const there = { manifest: theirs, index: middleOf(theirs), sight: null };
  const way = wayBetween(ours, index, theirs, there.index);
  if (way === "position") return follower(here, there, 0) ?? undefined;
  const [stack] = stacksOf(theirs);
  const inPatient =
    planeOf(ours, index).kind === "patient" && planeOf(theirs, stack.first).kind === "patient";
  return way === "distance" && inPatient ? atSamePart(here, theirs, stack.first, stack.count) : undefined;
}
