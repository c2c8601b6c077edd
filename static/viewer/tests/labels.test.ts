import { expect, test } from "vitest";
import type { AnnotationValue, Edit, Label, Read } from "../src/api/types";
import { Journal } from "../src/journal/journal";
import { MemoryKeep } from "../src/journal/keep";
import { Stacks } from "../src/journal/undo";
import { chosenOf, inUse, labelColor, labelName, questionText, tellOfNewLabels } from "../src/labels";
import { room } from "../src/store/room";

const label = (key: string, more: Partial<Label> = {}): Label => ({
  key,
  name: key.toUpperCase(),
  color: "#112233",
  kinds: ["segment"],
  code: null,
  required: false,
  ...more,
});
const read = (version: number, labels: Label[]) =>
  ({
    id: "read",
    schema: {
      version,
      labels,
      questions: [],
      former: {
        labels: [{ key: "old", name: "Old", color: "#445566" }],
        questions: [{ key: "gone", text: "Gone?" }],
      },
    },
  }) as unknown as Read;
const mark = (of: string): AnnotationValue => ({
  kind: "segment",
  label: of,
  series: "seriesseries",
  state: "present",
  note: "",
  origin: { from: "reader" },
});

test("nothing new is marked with a label that is no longer used", () => {
  const labels = [label("kept", { retired: true }), label("mass")];
  expect(inUse(labels).map(({ key }) => key)).toEqual(["mass"]);
  expect(chosenOf(labels, "kept")).toBe("mass");
  expect(chosenOf(labels, "mass")).toBe("mass");
  expect(chosenOf([], null)).toBeNull();
});

test("what earlier versions had keeps its name and colour in the history", () => {
  const now = read(2, [label("mass")]);
  expect([labelName(now, "old"), labelColor(now, "old"), questionText(now, "gone")]).toEqual([
    "Old",
    "#445566",
    "Gone?",
  ]);
  expect([labelName(now, "never"), labelColor(now, "never")]).toEqual(["never", "#ffffff"]);
});

test("the page says that the labels changed, once, and chooses one that is there", () => {
  room.setState({ label: "old", notice: null });
  tellOfNewLabels(read(1, [label("old")]), read(2, [label("mass")]));
  expect(room.getState().label).toBe("mass");
  expect(room.getState().notice?.sentence).toContain("version 2");
  room.setState({ notice: null });
  tellOfNewLabels(read(2, [label("mass")]), read(2, [label("mass")]));
  tellOfNewLabels(null, read(2, [label("mass")]));
  expect(room.getState().notice).toBeNull();
});

test("undo passes over a change of the labels", () => {
  const stacks = new Stacks();
  const edits = [{ object: { annotation: "a" }, before: null, after: mark("mass") }];
  stacks.replay([
    { group: "drawn", inverts: null, edits },
    { group: "moved", inverts: null, labels_version: 2, edits },
  ]);
  expect(stacks.undo.map(({ names }) => names)).toEqual([["drawn"]]);
});

test("a mark that the server kept under its new label is shown under it", async () => {
  let shown = 0;
  const journal = new Journal({
    send: async (edits: Edit[]) => ({
      results: edits.map(({ id }) => ({
        id,
        status: "applied" as const,
        number: 1,
        version: 1,
        value: mark("node"),
      })),
      number: 1,
    }),
    keep: new MemoryKeep(),
    owner: "reader/read",
    uuid: () => crypto.randomUUID(),
    now: () => new Date("2026-11-22T10:00:00Z"),
    later: () => {},
    changed: () => shown++,
    report: () => {},
    refetch: () => {},
  });
  journal.load({ number: 0, annotations: [], planes: [] }, [], () => ({ rows: 1, columns: 1 }));
  journal.commit([{ object: { annotation: "a" }, value: mark("tumour") }]);
  await expect.poll(() => journal.objects.get("a")?.value).toEqual(mark("node"));
  expect(shown).toBeGreaterThan(1);
});
