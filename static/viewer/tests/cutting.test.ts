/** One crosshair for all cuts of a body; three planes and back. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import { manifest } from "./manifest";

vi.mock("../src/session", () => ({ frames: new Map() }));

const {
  cutBy,
  cutToFrame,
  forgetMpr,
  isMpr,
  isTurned,
  moveCrosshair,
  setSlab,
  showCut,
  straighten,
  toggleMpr,
  turnCrosshair,
} = await import("../src/cutting");
const { room, setLayout, setPane } = await import("../src/store/room");

const body = manifest({}, 12);
const pet = manifest({ series: { ...body.series, id: "pet" } }, 12);
const elsewhere = manifest({ series: { ...body.series, id: "else", frame_of_reference: "1.9" } }, 12);
const gap = manifest({ series: { ...body.series, id: "gap" } }, 12);
gap.frames.position = gap.frames.position!.map(([x, y, z], i) => [x, y, i > 5 ? z + 2.5 : z]);

const pane = (which: number) => room.getState().panes[which];
const sight = {
  centre: [5, 5] as [number, number],
  scale: 2,
  pose: { rotation: 0 as const, flipHorizontal: false, flipVertical: false },
};

beforeEach(() => {
  forgetMpr();
  room.setState(room.getInitialState(), true);
  const manifests = Object.fromEntries([body, pet, elsewhere, gap].map((one) => [one.series.id, one]));
  room.setState({ manifests });
  setPane(0, { series: body.series.id, wanted: 4, shown: 4, sight });
});

describe("three planes", () => {
  test("open on the slice that was shown, and lead back to the one the crosshair is at", () => {
    toggleMpr();
    expect(isMpr()).toBe(true);
    expect([0, 1, 2].map((which) => pane(which).cut?.name)).toEqual(["axial", "coronal", "sagittal"]);
    expect(pane(3).surface).toBe(true);
    expect(pane(0).cut?.centre[2]).toBeCloseTo(20, 9);
    expect(room.getState().linkedWindow).toBe(true);
    cutBy(2, 0);
    expect(pane(0).cut?.centre[2]).toBeCloseTo(25, 9);
    expect(pane(1).cut?.centre[2]).toBeCloseTo(25, 9);
    toggleMpr();
    expect(room.getState().layout).toEqual({ rows: 1, columns: 1 });
    expect(room.getState().linkedWindow).toBe(false);
    expect([pane(0).cut, pane(0).wanted]).toEqual([null, 6]);
  });

  test("are refused where slices are missing, and why is said", () => {
    setPane(0, { series: "gap" });
    toggleMpr();
    expect(isMpr()).toBe(false);
    expect(room.getState().notice?.sentence).toMatch(/Slices are missing/);
  });

  test("leave the layout before them to the next case", () => {
    toggleMpr();
    expect(forgetMpr()).toEqual({ rows: 1, columns: 1 });
    expect(forgetMpr()).toBeNull();
  });
});

describe("the crosshair", () => {
  test("is one for all series of a frame of reference, and for no other", () => {
    setLayout({ rows: 1, columns: 3 });
    setPane(1, { series: "pet", wanted: 0, sight });
    setPane(2, { series: "else", wanted: 0, sight });
    for (const which of [0, 1, 2]) showCut("coronal", which);
    const before = pane(2).cut;
    moveCrosshair(0, [-90, -70, 30]);
    expect(pane(0).cut?.centre).toEqual([-90, -70, 30]);
    expect(pane(1).cut?.centre).toEqual([-90, -70, 30]);
    expect(pane(2).cut).toBe(before);
    expect(pane(1).wanted).toBe(8);
  });

  test("stays in the volume, and brings slices of the same body along when asked", () => {
    setLayout({ rows: 1, columns: 2 });
    setPane(1, { series: "pet", wanted: 0, sight });
    showCut("sagittal", 0);
    moveCrosshair(0, [-90, -70, 500], true);
    expect(pane(0).cut?.centre[2]).toBeCloseTo(37.5, 9);
    expect(pane(1).wanted).toBe(11);
    cutToFrame(0, 3);
    expect(pane(0).cut?.centre[2]).toBeCloseTo(17.5, 9);
    expect(pane(1).wanted).toBe(11);
  });

  test("turns the other planes, keeps them where they are on the screen, and makes them straight again", () => {
    toggleMpr();
    for (const which of [0, 1, 2]) setPane(which, { sight });
    const own = pane(0).cut;
    turnCrosshair(0, 0.3);
    expect(pane(0).cut).toBe(own);
    expect(pane(1).cut?.row[1]).toBeCloseTo(Math.sin(0.3), 9);
    expect(pane(1).sight?.centre).not.toEqual(sight.centre);
    expect(isTurned(0)).toBe(true);
    setSlab(1, 10, "mean");
    straighten(0);
    expect(isTurned(0)).toBe(false);
    expect(pane(1).cut).toMatchObject({ slab_mm: 10, mode: "mean", row: [1, 0, 0] });
    expect(pane(1).sight?.centre[0]).toBeCloseTo(sight.centre[0], 6);
  });
});
