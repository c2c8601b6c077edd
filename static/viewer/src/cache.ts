/** How much memory the images of a read may take, whatever is on the screen. */

import type { Manifest } from "./api/types";
import { forgetFrame } from "./engine/cornerstone";
import { SeriesFrames } from "./engine/frames";
import { shares } from "./engine/shares";
import { room, shownPanes } from "./store/room";

/** By series id: everything that is, or was, on the screen of this read. Those shown last stand last. */
export const frames = new Map<string, SeriesFrames>();

const TELL_MS = 150;
const MOST_BYTES = 1_500_000_000;
const BYTES_A_GIGABYTE = 1_000_000_000;

/** A quarter of the machine's memory, where the browser tells it (it tells 8 GB at the most). */
export function cacheLimit(): number {
  const { deviceMemory } = (typeof navigator === "undefined" ? {} : navigator) as { deviceMemory?: number };
  return deviceMemory ? Math.min(MOST_BYTES, (deviceMemory * BYTES_A_GIGABYTE) / 4) : MOST_BYTES;
}

/** The frames of a series, telling the page as they come. */
export function framesOf(manifest: Manifest): SeriesFrames {
  const series = manifest.series.id;
  let queued: ReturnType<typeof setTimeout> | null = null;
  const tellNow = () => {
    if (queued) clearTimeout(queued);
    queued = null;
    const progress = frames.get(series)?.progress;
    if (progress) room.setState((now) => ({ progress: { ...now.progress, [series]: progress } }));
    shareOut();
  };
  // Frames come by the hundred a second; a page that is drawn anew for each has no time for the images.
  const tell = () => {
    const { loaded, failed, total } = loader.progress;
    if (loaded + failed >= total) tellNow();
    else queued ??= setTimeout(tellNow, TELL_MS);
  };
  const loader: SeriesFrames = new SeriesFrames(manifest, tell, (index) => forgetFrame(loader, index));
  return loader;
}

/** The series on the screen, or about to be, and whatever else somebody looks at, as what is laid over another. */
function lookedAt(): Set<string> {
  const state = room.getState();
  const shown = new Set(shownPanes(state).map((which) => state.panes[which].series));
  return new Set([...frames].filter(([id, loader]) => shown.has(id) || loader.isLookedAt).map(([id]) => id));
}

/**
 * Tells each series how much of it may be kept. What is on the screen comes first and shares the limit; series
 * that were left keep what remains, the last one left the longest.
 */
export function shareOut(limit = cacheLimit()): void {
  const shown = lookedAt();
  for (const series of shown) {
    const loader = frames.get(series);
    if (!loader) continue;
    frames.delete(series);
    frames.set(series, loader);
  }
  const first = [...frames].filter(([series]) => shown.has(series)).map(([, loader]) => loader);
  const given = shares(
    first.map((loader) => loader.need),
    limit,
  );
  first.forEach((loader, i) => {
    loader.allow(given[i]);
  });
  let left = limit - first.reduce((sum, loader, i) => sum + Math.min(given[i], loader.need), 0);
  for (const [series, loader] of [...frames].reverse()) {
    if (shown.has(series)) continue;
    loader.stop();
    loader.allow(Math.min(left, loader.bytes));
    left -= loader.bytes;
  }
}

/** Once a page: memory follows what is on the screen. */
export function watchCache(): void {
  room.subscribe((state, before) => {
    if (state.panes === before.panes && state.layout === before.layout) return;
    const isOther = state.panes.some((pane, i) => pane.series !== before.panes[i].series);
    if (isOther || state.layout !== before.layout) shareOut();
  });
}
