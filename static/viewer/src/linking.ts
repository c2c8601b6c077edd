/**
 * Images that are linked: what a hand does to one is done to the others. Three switches of their own: scroll, zoom
 * and pan, window. The arithmetic is in engine/together.ts.
 */
import type { Manifest } from "./api/types";
import { isCalibrated, sliceDistance } from "./engine/geometry";
import { stackAt } from "./engine/stacks";
import {
  alignedSight,
  apart,
  carriedSight,
  carriedWindow,
  follower,
  isSameSpace,
  type Seen,
  wayBetween,
} from "./engine/together";
import { planeIn } from "./place";
import { unitsOf } from "./spoilt";
import { goTo, type Pane, type Room, room, setPane, shownPanes } from "./store/room";

export type Link = "scroll" | "sight" | "window";

const SWITCH = { scroll: "linked", sight: "linkedSight", window: "linkedWindow" } as const;

export const isLinked = (link: Link, state: Room = room.getState()): boolean => state[SWITCH[link]];

/** The other panes on the screen. */
export const others = (which: number): number[] => shownPanes(room.getState()).filter((one) => one !== which);

/** Links images, or parts them. Linked, they keep the difference that they have now. */
export function setLinked(link: Link, on: boolean): void {
  room.setState({ [SWITCH[link]]: on });
  const { active } = room.getState();
  if (link === "scroll") {
    room.setState({ ahead: {} });
    if (on) remember();
  } else if (on) {
    quietly(() => {
      for (const other of others(active)) {
        if (link === "sight") align(active, other);
        else if (haveSameUnits(active, other)) setPane(other, sameWindow(active));
      }
    });
  }
}

function sameWindow(which: number): Pick<Pane, "window" | "inverted"> {
  const { window, inverted } = room.getState().panes[which];
  return { window, inverted };
}

// Scrolling

function seenIn(which: number, state: Room = room.getState()): Seen | null {
  const pane = state.panes[which];
  const manifest = pane.series ? state.manifests[pane.series] : undefined;
  return manifest && !pane.cut ? { manifest, index: pane.wanted, sight: pane.sight } : null;
}

/**
 * Under which name the difference between two images is kept, and whether it is counted from the second to the
 * first. Two scans share one difference for all of their series.
 */
function pairOf(here: Manifest, there: Manifest): { name: string; sign: 1 | -1 } {
  const spaces = [here, there].map(({ series }) => series.frame_of_reference ?? series.id);
  const [a, b] = spaces[0] === spaces[1] ? [here.series.id, there.series.id] : spaces;
  return a <= b ? { name: `${a} ${b}`, sign: 1 } : { name: `${b} ${a}`, sign: -1 };
}

function keep(here: Seen, there: Seen): void {
  const difference = apart(here, there);
  if (difference === null) return;
  const { name, sign } = pairOf(here.manifest, there.manifest);
  room.setState(({ ahead }) => ({ ahead: { ...ahead, [name]: sign * difference } }));
}

function remember(): void {
  const state = room.getState();
  const shown = shownPanes(state).flatMap((which) => seenIn(which, state) ?? []);
  shown.forEach((here, i) => {
    for (const there of shown.slice(i + 1)) {
      const way = wayBetween(here.manifest, here.index, there.manifest, there.index);
      if (way === "distance" || way === "number") keep(here, there);
    }
  });
}

/** By how much the second image stays ahead of the first, mm or slices; null before anybody linked the two. */
function aheadOf(here: Seen, there: Seen, state: Room = room.getState()): number | null {
  const { name, sign } = pairOf(here.manifest, there.manifest);
  const kept = state.ahead[name];
  if (kept !== undefined) return sign * kept;
  return wayBetween(here.manifest, here.index, there.manifest, there.index) === "position" ? 0 : null;
}

/** After an image went from one frame to another: the others follow. */
export function follow(which: number, from: number): void {
  const here = seenIn(which);
  if (!here || here.index === from) return;
  const was = { ...here, index: from };
  for (const other of others(which)) {
    const there = seenIn(other);
    if (!there) continue;
    if (aheadOf(here, there) === null) keep(was, there);
    const index = follower(here, there, aheadOf(here, there) ?? 0);
    if (index !== null) goTo(other, index);
  }
}

/** After one of several linked images was moved alone: from now on they keep this difference. */
export function keepDifference(which: number): void {
  const here = seenIn(which);
  for (const other of others(which)) {
    const there = seenIn(other);
    if (here && there) keep(here, there);
  }
}

export interface Companion {
  /** How far from the active image's place it is kept by hand, mm; null where it is not, or places can't be told. */
  ahead_mm: number | null;
  /** How far its slice is from where it should be, mm; null where it is there. */
  off_mm: number | null;
}

/** How an image stands to the active one while they scroll together; null where it doesn't follow. */
export function companion(which: number, state: Room = room.getState()): Companion | null {
  if (!state.linked || which === state.active) return null;
  const here = seenIn(state.active, state);
  const there = seenIn(which, state);
  if (!here || !there) return null;
  const way = wayBetween(here.manifest, here.index, there.manifest, there.index);
  const difference = apart(here, there);
  if (way === null || difference === null) return null;
  if (way === "number") return { ahead_mm: null, off_mm: null };
  const ahead = aheadOf(here, there, state) ?? difference;
  const steps = [here, there].map(({ manifest, index }) => {
    const { first, count } = stackAt(manifest, index);
    return sliceDistance(manifest, first, count) ?? 0;
  });
  const off = difference - ahead;
  return {
    ahead_mm: way === "position" && Math.abs(ahead) > 0.05 ? ahead : null,
    off_mm: Math.abs(off) > Math.max(...steps, 1) ? off : null,
  };
}

// Zoom, pan and window

const viewOf = (pane: Pane, manifest: Manifest) =>
  pane.sight && { plane: planeIn(pane, manifest), sight: pane.sight };

function align(which: number, other: number): void {
  const { panes, manifests } = room.getState();
  const [here, there] = [panes[which], panes[other]].map(({ series }) => (series ? manifests[series] : null));
  const ours = here && viewOf(panes[which], here);
  const theirs = there && viewOf(panes[other], there);
  if (!ours || !theirs || isCalibrated(ours.plane) !== isCalibrated(theirs.plane)) return;
  setPane(other, { sight: alignedSight(ours, theirs, isSameSpace(here, there)) });
}

const manifestIn = (which: number, state: Room = room.getState()): Manifest | undefined =>
  state.manifests[state.panes[which].series ?? ""];

function haveSameUnits(which: number, other: number): boolean {
  const [a, b] = [manifestIn(which), manifestIn(other)];
  if (!a || !b || a.pixel.samples !== b.pixel.samples) return false;
  return a === b || (unitsOf(a) !== "" && unitsOf(a) === unitsOf(b));
}

function carrySight(which: number, before: Pane, after: Pane): void {
  const here = manifestIn(which);
  if (!here || !before.sight || !after.sight) return;
  const plane = planeIn(after, here);
  for (const other of others(which)) {
    const there = manifestIn(other);
    const theirs = there && viewOf(room.getState().panes[other], there);
    if (!theirs) continue;
    const [from, to] = [before.sight, after.sight].map((sight) => ({ plane, sight }));
    setPane(other, { sight: carriedSight(from, to, theirs, isSameSpace(here, there)) });
  }
}

function carryWindow(which: number, before: Pane, after: Pane): void {
  for (const other of others(which)) {
    const pane = room.getState().panes[other];
    if (before.inverted !== after.inverted) setPane(other, { inverted: after.inverted });
    if (!pane.window?.width || !before.window?.width || !after.window || before.window === after.window)
      continue;
    const same = haveSameUnits(which, other);
    const window = carriedWindow(before.window, after.window, pane.window, same);
    setPane(other, { window: { ...window, preset: same ? after.window.preset : null } });
  }
}

/** While images are carried along, what changes in their panes is no hand's doing. */
let carrying = false;
function quietly(work: () => void): void {
  carrying = true;
  try {
    work();
  } finally {
    carrying = false;
  }
}

/** What a hand did to an image: its zoom, place or window changed, and it alone, in the same place on the screen. */
function movedByHand(state: Room, before: Room): { which: number; was: Pane; now: Pane } | null {
  const moved = shownPanes(state).flatMap((which) => {
    const [was, now] = [before.panes[which], state.panes[which]];
    const isSame = was.sight === now.sight && was.window === now.window && was.inverted === now.inverted;
    return isSame ? [] : [{ which, was, now }];
  });
  if (moved.length !== 1) return null;
  const { was, now } = moved[0];
  return was.series === now.series && was.area === now.area && was.cut === now.cut ? moved[0] : null;
}

/** Once a page: carries on what a hand does to one image. */
export function watchLinks(): void {
  room.subscribe((state, before) => {
    if (carrying || state.panes === before.panes || !(state.linkedSight || state.linkedWindow)) return;
    const moved = movedByHand(state, before);
    if (!moved) return;
    const { which, was, now } = moved;
    quietly(() => {
      if (state.linkedSight && was.sight !== now.sight) carrySight(which, was, now);
      if (state.linkedWindow && was.window?.width) carryWindow(which, was, now);
    });
  });
}
