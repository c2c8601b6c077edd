/**
 * The next case of the worklist, fetched while the present one is read: its description, its manifests and the
 * images around the one it opens at. Going on then is a change of state in this page, not a new page.
 */
import { makeClient } from "./api/client";
import type { Manifest } from "./api/types";
import { middleOf } from "./engine/stacks";
import { openingSeries } from "./hanging";
import { type Ahead, endSession, framesOf, journal, startSession } from "./session";
import { room } from "./store/room";

const WARM_FRAMES = 24;
const WARM_SERIES = 4;
const QUIET_MS = 600;

let who = { user: "", csrf: "" };
let wanted: string | null = null;
let fetched: { read: string; ahead: Ahead } | null = null;
let timer = 0;

/** Begins to look ahead as soon as the images on the screen are all here, and whenever the next case changes. */
export function aheadOf(user: string, csrf: string): void {
  who = { user, csrf };
  room.subscribe((state) => {
    const next = state.read?.next?.read ?? null;
    const here = state.panes[state.active].series;
    const progress = here ? state.progress[here] : null;
    const isQuiet = progress && progress.loaded + progress.failed >= progress.total;
    if (!next || !isQuiet || next === wanted) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      if (room.getState().read?.next?.read === next) void lookAhead(next);
    }, QUIET_MS);
  });
  // Back and forward through cases that were left without a new page.
  window.addEventListener("popstate", () => location.reload());
}

/** Fetches what a read opens with; only the one asked for last is kept. */
export async function lookAhead(next: string, by: Partial<typeof who> = who): Promise<void> {
  if (wanted === next) return;
  who = { ...who, ...by };
  wanted = next;
  drop();
  const client = makeClient(next, who.csrf);
  try {
    const read = await client.read();
    const rows = read.studies.flatMap((study) => study.series);
    const opening = openingSeries(read);
    const order = opening.map((pane) => pane.series);
    const place = (series: string) => (order.includes(series) ? order.indexOf(series) : rows.length);
    const manifests: Record<string, Manifest> = {};
    const ahead: Ahead = { read, manifests, frames: [] };
    // The series that open come first; the others follow, so that these images need not wait for them.
    for (const row of [...rows].sort((a, b) => place(a.id) - place(b.id))) {
      const manifest = await client.manifest(row.manifest);
      if (wanted !== next) return;
      manifests[row.id] = manifest;
      const pane = opening.find(({ series }) => series === row.id);
      if (!pane || ahead.frames.length >= WARM_SERIES) continue;
      const frames = framesOf(manifest);
      ahead.frames.push(frames);
      fetched = { read: next, ahead };
      await frames.warm(pane.frame ?? middleOf(manifest), WARM_FRAMES);
    }
  } catch {
    // Nobody waits for it: opened without, the case says itself what is wrong.
    if (wanted === next) wanted = null;
  }
}

/** What was fetched of this read, handed out once; null where nothing of it can be shown yet. */
export function taken(read: string): Ahead | null {
  if (fetched?.read !== read) return null;
  const { ahead } = fetched;
  fetched = wanted = null;
  return ahead;
}

function drop(): void {
  for (const frames of fetched?.ahead.frames ?? []) {
    frames.stop();
    frames.drop();
  }
  fetched = null;
}

/** To the next case, where there is one. Edits that still wait keep their page: the browser asks before it goes. */
export function moveOn(): void {
  const { read } = room.getState();
  const next = read?.next;
  if (!next) return;
  const ready = journal.waiting > 0 ? null : taken(next.read);
  if (!ready) {
    location.assign(next.url);
    return;
  }
  performance.mark("atlas-next-case");
  endSession();
  history.pushState(null, "", next.url);
  void startSession(next.read, who.user, who.csrf, ready);
}
