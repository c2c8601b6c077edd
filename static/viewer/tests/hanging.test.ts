import { beforeEach, expect, test } from "vitest";
import type { Hanging, Hung, HungPane, Read } from "../src/api/types";
import { chosenOf, frameBeside, openingSeries } from "../src/hanging";
import { room, setPane } from "../src/store/room";
import { manifest } from "./manifest";

const pane = (series: string | null, part: Partial<HungPane> = {}): HungPane => ({
  series,
  frame: null,
  preset: null,
  cut: null,
  fused: null,
  ...part,
});

const hung = (id: string, ...panes: HungPane[]): Hung => ({
  id,
  name: id,
  layout: { rows: 1, columns: panes.length },
  panes,
  link: false,
});

const PRIOR = hung("prior", pane("now"), pane("then"));
const ONE = hung("one", pane("now"));

function read(...choices: Hung[]): Read {
  const hanging: Hanging | null = choices.length ? { ...choices[0], choices } : null;
  return { project: { slug: "chest" }, hanging } as Read;
}

beforeEach(() => room.setState(room.getInitialState(), true));

test("a case opens with the first protocol that is for it", () => {
  expect(chosenOf(read(PRIOR, ONE), null)?.id).toBe("prior");
});

test("the reader's own choice comes first, where it is for this case", () => {
  expect(chosenOf(read(PRIOR, ONE), "one")?.id).toBe("one");
  expect(chosenOf(read(ONE), "prior")?.id).toBe("one");
});

test("a case without images hangs nothing", () => {
  expect(chosenOf(read(), "one")).toBeNull();
  expect(openingSeries(read())).toEqual([]);
});

test("what a case opens with is named once, in the order of the images, empty ones left out", () => {
  const phases = hung("x", pane(null), pane("dyn", { frame: 4 }), pane("dyn", { frame: 14 }), pane("t2"));
  expect(openingSeries(read(phases)).map(({ series, frame }) => [series, frame])).toEqual([
    ["dyn", 4],
    ["t2", null],
  ]);
});

const series = (id: string, frame_of_reference: string | null, from: number, count: number) => {
  const made = manifest({}, count);
  made.series = { ...made.series, id, frame_of_reference };
  made.frames.position = made.frames.position!.map(([x, y], i) => [x, y, from + 2.5 * i]);
  return made;
};

function beside(other: ReturnType<typeof series>, at: number) {
  const here = series("here", "1.2.9", 0, 40);
  room.setState({ manifests: { here, [other.series.id]: other } });
  setPane(0, { series: "here", wanted: at });
  return frameBeside(0, other.series.id);
}

test("beside an image of the same patient space a series opens at the same place", () => {
  expect(beside(series("pet", "1.2.9", 50, 60), 30)).toBe(10);
});

test("beside an image of another time it opens at the same part of the way through", () => {
  expect(beside(series("prior", "1.2.10", 900, 79), 13)).toBe(26);
});

test("beside an image of another plane it opens by itself", () => {
  const sagittal = series("sag", "1.2.9", 0, 20);
  sagittal.orientation = [0, 1, 0, 0, 0, -1];
  sagittal.frames.position = sagittal.frames.position!.map((_, i) => [3 * i, 0, 0]);
  expect(beside(sagittal, 30)).toBeUndefined();
});

test("the same series beside itself stays at its place", () => {
  expect(beside(series("here", "1.2.9", 0, 40), 17)).toBe(17);
});
