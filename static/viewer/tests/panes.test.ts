import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Manifest, Point3, Read, SeriesRow, StudyRow } from "../src/api/types";
import { crossing } from "../src/engine/crossing";
import { indexToWorld, type Plane, planeOf, UPRIGHT } from "../src/engine/geometry";
import { partner } from "../src/engine/partner";
import { companion, follow, keepDifference, setLinked, watchLinks } from "../src/linking";
import { scrollTo } from "../src/moving";
import { emptyPane, offers, paneTowards, studyBeside, swapPanes } from "../src/panes";
import { goTo, room, setLayout, setPane } from "../src/store/room";
import { manifest } from "./manifest";

const AREA = { width: 400, height: 300, inset: 0 };
const AXIAL = [1, 0, 0, 0, 1, 0];
const CORONAL = [1, 0, 0, 0, 0, -1];

/** A series of `count` slices from `from` mm, `step` mm apart, along z (or y where coronal). */
function series(
  id: string,
  part: {
    from?: number;
    step?: number;
    count?: number;
    space?: string | null;
    orientation?: number[];
    kind?: Manifest["geometry"];
    units?: string;
  },
): Manifest {
  const {
    from = 0,
    step = 2,
    count = 20,
    space = "1.2.9",
    orientation = AXIAL,
    kind = "patient",
    units = "HU",
  } = part;
  const made = manifest({}, count);
  const position = Array.from(
    { length: count },
    (_, i): Point3 => (orientation === AXIAL ? [-10, -16, from + step * i] : [-10, from + step * i, 40]),
  );
  return {
    ...made,
    series: { ...made.series, id, frame_of_reference: space },
    orientation,
    geometry: kind,
    units,
    frames: { ...made.frames, position: kind === "patient" ? position : null },
  };
}

function show(...all: Manifest[]): void {
  room.setState({ manifests: Object.fromEntries(all.map((one) => [one.series.id, one])) });
  setLayout({ rows: 1, columns: all.length });
  all.forEach((one, which) => {
    const sight = { centre: [9.8, 15.6] as [number, number], scale: 5, pose: UPRIGHT };
    const window = { width: 400, center: 40, preset: null };
    setPane(which, { series: one.series.id, wanted: 0, shown: 0, area: AREA, sight, window });
  });
}
const wanted = (): number[] =>
  room
    .getState()
    .panes.slice(0, 3)
    .map((pane) => pane.wanted);

let stop = (): void => {};
beforeEach(() => {
  const before = room.subscribe;
  const stops: (() => void)[] = [];
  room.subscribe = (hear) => {
    const end = before(hear);
    stops.push(end);
    return end;
  };
  watchLinks();
  room.subscribe = before;
  stop = () => {
    for (const end of stops) end();
  };
});
afterEach(() => {
  stop();
  room.setState(room.getInitialState(), true);
});

describe("scrolling together", () => {
  test("in one frame of reference goes by position, whatever the spacing and the order of the slices", () => {
    show(series("a", { from: 0, step: 2 }), series("b", { from: 30, step: -5, count: 7 }));
    setLinked("scroll", true);
    scrollTo(0, 10);
    expect(wanted()).toEqual([10, 2, 0]); // 20 mm; the other lies at 30, 25, 20, ...
    scrollTo(1, 6);
    expect(wanted()[0]).toBe(0);
  });

  test("without a switch nothing follows", () => {
    show(series("a", {}), series("b", {}));
    scrollTo(0, 10);
    expect(wanted()).toEqual([10, 0, 0]);
  });

  test("where frames of reference differ, the difference at the moment of linking stays", () => {
    show(series("a", { from: 0, step: 2 }), series("b", { from: 1000, step: 5, space: "1.2.10", count: 9 }));
    goTo(0, 5); // 10 mm
    goTo(1, 3); // 1015 mm
    setLinked("scroll", true);
    scrollTo(0, 10);
    expect(wanted()).toEqual([10, 5, 0]);
    scrollTo(0, 11);
    scrollTo(0, 12);
    expect(wanted()).toEqual([12, 6, 0]);
    scrollTo(0, 5);
    expect(wanted()).toEqual([5, 3, 0]); // rounding doesn't add up
    setLinked("scroll", false);
    goTo(1, 4);
    setLinked("scroll", true);
    scrollTo(0, 10);
    expect(wanted()).toEqual([10, 6, 0]);
  });

  test("an image that is moved alone keeps its new difference", () => {
    show(series("a", {}), series("b", {}));
    setLinked("scroll", true);
    scrollTo(1, 3, true);
    expect(wanted()).toEqual([0, 3, 0]);
    scrollTo(0, 4);
    expect(wanted()).toEqual([4, 7, 0]);
    expect(companion(1)).toEqual({ ahead_mm: 6, off_mm: null });
  });

  test("images without positions go by as many slices", () => {
    show(series("a", { kind: "image" }), series("b", { kind: "image", count: 6 }));
    goTo(1, 2);
    setLinked("scroll", true);
    scrollTo(0, 3);
    expect(wanted()).toEqual([3, 5, 0]);
    scrollTo(0, 12);
    expect(wanted()).toEqual([12, 5, 0]);
  });

  test("a stack seen from another side stays where it is", () => {
    show(series("a", {}), series("b", { orientation: CORONAL }));
    setLinked("scroll", true);
    scrollTo(0, 10);
    expect(wanted()).toEqual([10, 0, 0]);
    expect(companion(1)).toBeNull();
  });

  test("an image that has no slice at the place says how far off it is", () => {
    show(series("a", { from: 0, step: 2 }), series("b", { from: 0, step: 2, count: 5 }));
    setLinked("scroll", true);
    scrollTo(0, 4);
    expect(companion(1)).toEqual({ ahead_mm: null, off_mm: null });
    scrollTo(0, 15);
    expect(wanted()).toEqual([15, 4, 0]);
    expect(companion(1)?.off_mm).toBeCloseTo(-22);
  });

  test("a series that opens later is linked from where it is", () => {
    show(series("a", {}), series("b", {}));
    setLinked("scroll", true);
    const later = series("c", { from: -500, space: "1.2.11" });
    room.setState(({ manifests }) => ({ manifests: { ...manifests, c: later } }));
    setPane(1, { series: "c", wanted: 7 });
    scrollTo(0, 3);
    expect(wanted()).toEqual([3, 10, 0]);
    keepDifference(0);
    follow(0, 0);
    expect(wanted()).toEqual([3, 10, 0]);
  });
});

describe("zoom, pan and window together", () => {
  test("in one space the same place stays in the middle, as large", () => {
    show(series("a", {}), series("b", { from: 40 }));
    setLinked("sight", true);
    setPane(0, { sight: { centre: [5, 6], scale: 10, pose: UPRIGHT } });
    expect(room.getState().panes[1].sight).toMatchObject({ scale: 10 });
    expect(room.getState().panes[1].sight?.centre[0]).toBeCloseTo(5);
    expect(room.getState().panes[1].sight?.centre[1]).toBeCloseTo(6);
  });

  test("in two spaces images become equally large and move by the same way", () => {
    show(series("a", {}), series("b", { space: "1.2.10" }));
    setPane(1, { sight: { centre: [1, 2], scale: 8, pose: { ...UPRIGHT, rotation: 180 } } });
    setLinked("sight", true);
    expect(room.getState().panes[1].sight?.scale).toBe(5);
    const { sight } = room.getState().panes[0];
    setPane(0, { sight: { ...sight!, centre: [10.8, 15.6] } });
    // One millimetre to the right on the screen, which on an image upside down is one to the left.
    expect(room.getState().panes[1].sight?.centre[0]).toBeCloseTo(0);
    expect(room.getState().panes[1].sight?.centre[1]).toBeCloseTo(2);
  });

  test("a pane that grows carries nothing over, nor does a series that opens", () => {
    show(series("a", {}), series("b", {}));
    setLinked("sight", true);
    const before = room.getState().panes[1].sight;
    setPane(0, { area: { ...AREA, width: 800 }, sight: { centre: [5, 6], scale: 20, pose: UPRIGHT } });
    setPane(0, { series: "b", sight: { centre: [1, 1], scale: 30, pose: UPRIGHT } });
    expect(room.getState().panes[1].sight).toBe(before);
  });

  test("the window is the same in the same units, and goes in proportion where values mean nothing elsewhere", () => {
    show(series("a", {}), series("b", {}), series("mr", { units: "" }));
    setPane(2, { window: { width: 1000, center: 500, preset: "own" } });
    setLinked("window", true);
    expect(room.getState().panes[2].window?.width).toBe(1000);
    setPane(0, { window: { width: 800, center: 60, preset: "ct-x" } });
    expect(room.getState().panes[1].window).toEqual({ width: 800, center: 60, preset: "ct-x" });
    expect(room.getState().panes[2].window).toEqual({ width: 2000, center: 550, preset: null });
    setPane(0, { inverted: true });
    expect(
      room
        .getState()
        .panes.slice(0, 3)
        .map((pane) => pane.inverted),
    ).toEqual([true, true, true]);
  });
});

describe("where one image cuts another", () => {
  const axial = planeOf(series("a", { from: 20 }), 0);
  const coronal = planeOf(series("c", { orientation: CORONAL, from: 0 }), 0);

  test("a coronal image cuts an axial one along a row", () => {
    // The coronal plane is y = 0; rows of the axial image begin at y = -16, 0.8 mm apart.
    const line = crossing(axial, coronal)!;
    expect(line[0][1]).toBeCloseTo(20);
    expect(line[1][1]).toBeCloseTo(20);
    expect(Math.min(line[0][0], line[1][0])).toBeCloseTo(-0.5);
    expect(Math.max(line[0][0], line[1][0])).toBeCloseTo(49.5);
  });

  test("both images have the same points of the patient in it", () => {
    const oblique: Plane = {
      ...axial,
      origin: [-20, -20, 5],
      row: [Math.SQRT1_2, 0, Math.SQRT1_2],
      column: [0, 1, 0],
      rows: 80,
      columns: 90,
    };
    const here = crossing(axial, oblique)!.map((point) => indexToWorld(axial, point));
    const there = crossing(oblique, axial)!.map((point) => indexToWorld(oblique, point));
    for (const point of [...here, ...there]) {
      expect(point[2]).toBeCloseTo(20);
      expect(point[0]).toBeCloseTo(-5);
    }
  });

  test("parallel images, and such that don't reach each other, cut in no line", () => {
    expect(crossing(axial, planeOf(series("b", { from: 30 }), 0))).toBeNull();
    expect(crossing(planeOf(series("far", { from: 500 }), 0), coronal)).toBeNull();
    expect(crossing(axial, planeOf(series("i", { kind: "image" }), 0))).toBeNull();
  });
});

describe("images beside each other", () => {
  test("arrows go to the side and stop at the edge", () => {
    const layout = { rows: 2, columns: 3 };
    expect(paneTowards(0, 1, 0, layout)).toBe(1);
    expect(paneTowards(2, 1, 0, layout)).toBe(2);
    expect(paneTowards(1, 0, 1, layout)).toBe(4);
    expect(paneTowards(4, 0, 1, layout)).toBe(4);
  });

  test("two images change places with all they have; the hand stays with its image", () => {
    show(series("a", {}), series("b", {}));
    goTo(0, 4);
    setPane(0, { area: AREA, inverted: true });
    setPane(1, { area: { width: 200, height: 150, inset: 0 } });
    swapPanes(0, 1);
    const [first, second] = room.getState().panes;
    expect([first.series, second.series]).toEqual(["b", "a"]);
    expect([second.wanted, second.inverted, second.shown]).toEqual([4, true, null]);
    expect(second.area.width).toBe(200);
    expect(second.sight?.scale).toBeCloseTo(2.5);
    expect(room.getState().active).toBe(1);
  });

  test("an emptied image keeps its place on the screen", () => {
    show(series("a", {}));
    emptyPane(0);
    expect(room.getState().panes[0]).toMatchObject({ series: null, shown: null, area: AREA });
  });

  const row = (id: string, part: Partial<SeriesRow> = {}): SeriesRow => ({
    ...{ id, uid: id, number: 1, modality: "CT", description: "Chest 1.0", images: 50, generation: 1 },
    ...{ thumbnail: "", manifest: "", findings: [] },
    ...part,
  });
  const study = (id: string, days: number, list: SeriesRow[]): StudyRow => ({
    ...{ id, uid: id, date: null, description: "", days_from_first: days, series: list },
  });

  test("empty images offer what none shows, each another series, the newest first", () => {
    const read = { studies: [study("old", 0, [row("c")]), study("new", 90, [row("a"), row("b")])] } as Read;
    show(series("a", {}), series("x", {}));
    setLayout({ rows: 2, columns: 3 });
    const { panes, layout } = room.getState();
    expect([...offers(read, panes, layout)].map(([which, one]) => [which, one.id])).toEqual([
      [2, "b"],
      [3, "c"],
    ]);
  });

  test("the study before is compared with; for the first one, the next", () => {
    const all = [study("2", 90, [row("b")]), study("1", 0, [row("a")]), study("3", 200, [row("c")])];
    expect(studyBeside(all, all[2])?.id).toBe("2");
    expect(studyBeside(all, all[1])?.id).toBe("2");
    expect(studyBeside([all[0]], all[0])).toBeNull();
  });

  test("beside a series goes the one that shows the same", () => {
    const here = row("a", { description: "Lung 1.0" });
    const others = [
      row("b", { description: "Bone 1.0" }),
      row("c", { description: "LUNG 1.25" }),
      row("d", { modality: "PT", description: "Lung 1.0" }),
    ];
    expect(partner(here, others)?.id).toBe("c");
    expect(partner(here, [])).toBeNull();
    const manifests = { a: series("a", {}), b: series("b", {}), c: series("c", { orientation: CORONAL }) };
    expect(partner(here, others, manifests)?.id).toBe("b");
  });
});
