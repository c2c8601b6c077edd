import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Manifest } from "../src/api/types";
import { frames as known, shareOut } from "../src/cache";
import { SeriesFrames } from "../src/engine/frames";
import { shares } from "../src/engine/shares";
import { room, setPane } from "../src/store/room";
import { manifest } from "./manifest";

vi.mock("../src/engine/cornerstone", () => ({ forgetFrame: () => {} }));

const SIDE = 8;
const FRAME_BYTES = SIDE * SIDE * 2;

/** A series of `count` small frames; each fetch is answered at once. */
function small(id: string, count: number): Manifest {
  const made = manifest({}, count);
  return {
    ...made,
    series: { ...made.series, id },
    pixel: { ...made.pixel, rows: SIDE, columns: SIDE },
    frames: { ...made.frames, length: made.frames.length.map(() => FRAME_BYTES) },
  };
}

let asked: string[] = [];
beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    const [first, last] = url.split("/").at(-1)!.split("-").map(Number);
    return new Response(new Uint8Array(((last ?? first) - first + 1) * FRAME_BYTES));
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  known.clear();
  room.setState(room.getInitialState(), true);
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
async function quiet(): Promise<void> {
  for (let before = -1; before !== asked.length; ) {
    before = asked.length;
    for (let i = 0; i < 20; i++) await settled();
  }
}
const held = (loader: SeriesFrames): number[] =>
  loader.pixels.flatMap((pixels, index) => (pixels ? [index] : []));
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("the frames of one series", () => {
  test("all are fetched where all may be kept", async () => {
    const loader = new SeriesFrames(small("a", 40), () => {});
    loader.prefetch(20);
    await quiet();
    expect(loader.progress).toEqual({ loaded: 40, total: 40, failed: 0 });
    expect(loader.bytes).toBe(40 * FRAME_BYTES);
  });

  test("under a limit the nearest are, and no frame is fetched in vain", async () => {
    const loader = new SeriesFrames(small("a", 1000), () => {});
    loader.allow(101 * FRAME_BYTES);
    loader.prefetch(500);
    await quiet();
    expect(held(loader)).toEqual(range(450, 550));
    expect(loader.progress).toEqual({ loaded: 101, total: 101, failed: 0 });
    const before = asked.length;
    loader.prefetch(500);
    await quiet();
    expect(asked.length).toBe(before);
  });

  test("scrolling through all of them stays within the limit, and the frame looked at is always there", async () => {
    const gone: number[] = [];
    let most = 0;
    const loader: SeriesFrames = new SeriesFrames(
      small("a", 1000),
      () => {
        most = Math.max(most, loader.bytes);
      },
      (index) => gone.push(index),
    );
    loader.allow(101 * FRAME_BYTES);
    for (let at = 0; at < 1000; at += 7) {
      loader.prefetch(at, "pane-0");
      await loader.get(at);
      expect(loader.pixels[at]).not.toBeNull();
    }
    await quiet();
    expect(most).toBeLessThanOrEqual(101 * FRAME_BYTES);
    expect(held(loader).length * FRAME_BYTES).toBe(loader.bytes);
    expect(gone.length).toBeGreaterThan(800);
  });

  test("two images of one series each keep what lies around them", async () => {
    const loader = new SeriesFrames(small("a", 400), () => {});
    loader.allow(42 * FRAME_BYTES);
    loader.prefetch(100, "pane-0");
    loader.prefetch(300, "pane-1");
    await quiet();
    expect(held(loader)).toEqual([...range(90, 110), ...range(290, 310)]);
    loader.leave("pane-0");
    loader.prefetch(301, "pane-1");
    await quiet();
    expect(held(loader).length).toBe(42);
    expect(held(loader)).toEqual(expect.arrayContaining(range(281, 321)));
  });

  test("what a cut needs stays, whatever the limit", async () => {
    const loader = new SeriesFrames(small("a", 100), () => {});
    loader.allow(10 * FRAME_BYTES);
    loader.needWhole("pane-0", 20, 30);
    loader.prefetch(60, "pane-1");
    await quiet();
    expect(held(loader)).toEqual(expect.arrayContaining(range(20, 49)));
    loader.needWhole("pane-0", 0, 0);
    loader.prefetch(61, "pane-1");
    await quiet();
    expect(loader.bytes).toBeLessThanOrEqual(10 * FRAME_BYTES);
    expect(held(loader)).toContain(61);
  });

  test("of many frames that a fast hand asks for, the newest comes first", async () => {
    const loader = new SeriesFrames(small("a", 100), () => {});
    const all = range(0, 49).map((index) => loader.get(index));
    await Promise.all(all);
    const order = asked.map((url) => Number(url.split("/").at(-1)));
    expect(order.slice(0, 5)).toEqual([0, 1, 2, 49, 48]);
    expect(order.length).toBe(50);
  });
});

describe("all series of a read", () => {
  test("who needs little gets it, the others share evenly", () => {
    expect(shares([10, 20], 100)).toEqual([10, 20]);
    expect(shares([500, 10, 500], 100)).toEqual([45, 10, 45]);
    expect(shares([], 100)).toEqual([]);
    expect(shares([100, 100, 100], 100).reduce((a, b) => a + b)).toBeLessThanOrEqual(100);
  });

  test("nine images of large series together stay within the limit", async () => {
    const limit = 300 * FRAME_BYTES;
    for (let which = 0; which < 9; which++) {
      const loader = new SeriesFrames(small(`series${which}`, 200), () => shareOut(limit));
      known.set(`series${which}`, loader);
      setPane(which, { series: `series${which}` });
    }
    room.setState({ layout: { rows: 3, columns: 3 } });
    shareOut(limit);
    for (const loader of known.values()) loader.prefetch(100, "pane");
    await quiet();
    const bytes = [...known.values()].map((loader) => loader.bytes);
    expect(bytes.reduce((a, b) => a + b)).toBeLessThanOrEqual(limit);
    for (const loader of known.values()) expect(held(loader)).toEqual(expect.arrayContaining(range(85, 115)));
  });

  test("a series that was left makes room first", async () => {
    const limit = 250 * FRAME_BYTES;
    const loaders = ["old", "now"].map((id) => {
      const loader = new SeriesFrames(small(id, 200), () => shareOut(limit));
      known.set(id, loader);
      return loader;
    });
    setPane(0, { series: "old" });
    loaders[0].prefetch(0, "pane-0");
    await quiet();
    expect(loaders[0].progress.loaded).toBe(200);
    setPane(0, { series: "now" });
    loaders[0].leave("pane-0");
    loaders[1].prefetch(0, "pane-0");
    shareOut(limit);
    await quiet();
    expect(loaders[1].progress.loaded).toBe(200);
    expect(held(loaders[0])).toEqual(range(0, 49));
  });
});
