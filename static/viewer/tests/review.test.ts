import { describe, expect, it, vi } from "vitest";
import type { MarkChange } from "../src/api/review";
import type { AnnotationValue, Read } from "../src/api/types";
import { ghostOf } from "../src/review";
import { sliceKey } from "../src/store/marks";
import { hatching } from "../src/ui/review/ChangeLayer";
import { answerChangeText, changeName, linesOf, numberText } from "../src/ui/review/words";

vi.mock("../src/session", () => ({ client: {}, sentenceOf: String }));
vi.mock("../src/moving", () => ({ jumpToPlace: () => {} }));
vi.mock("../src/ui/cutmasks", () => ({ pathOnCut: () => null }));

const value = (more: Partial<AnnotationValue> = {}): AnnotationValue => ({
  kind: "segment",
  label: "lesion",
  series: "s",
  state: "present",
  note: "",
  origin: { from: "reader" },
  ...more,
});

const change = (more: Partial<MarkChange> = {}): MarkChange => ({
  annotation: "a",
  what: "changed",
  before: value(),
  after: value(),
  changed: [],
  voxels: { added: 0, removed: 0, kept: 0 },
  numbers: { before: {}, after: {} },
  answers: [],
  planes: [],
  ...more,
});

const read = {
  schema: {
    labels: [
      { key: "lesion", name: "Lesion" },
      { key: "node", name: "Lymph node" },
    ],
    questions: [
      { key: "margin", text: "Margin", unit: "", options: [{ key: "rough", name: "Rough" }] },
      { key: "size", text: "Size", unit: "mm", options: [] },
    ],
  },
} as unknown as Read;

describe("what changed, in words", () => {
  it("names the mark by its label, as it is now or was", () => {
    expect(changeName(read, change({ after: value({ label: "node" }) }))).toBe("Lymph node, segment");
    expect(changeName(read, change({ after: null }))).toBe("Lesion, segment");
  });

  it("shows the number that stands for the mark, before and after", () => {
    const numbers = (before: object, after: object) =>
      numberText(change({ numbers: { before, after } as MarkChange["numbers"] }));
    expect(numbers({ volume_ml: 1.234, voxels: 9 }, { volume_ml: 2 })).toBe("1.23 → 2.00 mL");
    expect(numbers({ length_mm: 10.01 }, { length_mm: 10.04 })).toBe("10.0 mm");
    expect(numbers({}, { length_mm: 10 })).toBe("10.0 mm");
    expect(numbers({ angle_deg: 5 }, { angle_deg: 6 })).toBe("5.0 → 6.0°");
    expect(numbers({ voxels: 3 }, { voxels: 4 })).toBeNull();
  });

  it("tells each field, the voxels, and the answers", () => {
    const lines = linesOf(
      read,
      change({
        after: value({ label: "node", state: "indeterminate", note: "spicule" }),
        changed: ["label", "state", "note"],
        voxels: { added: 5, removed: 4, kept: 12 },
        planes: [{ sop: "1", frame: 1, rows: 1, columns: 1, added: "AA", removed: null }],
        answers: [{ answer: "margin", of: "annotation", id: "a", before: null, after: "rough" }],
      }),
    );
    expect(lines).toEqual([
      "Label: Lesion → Lymph node",
      "State: Present → Indeterminate",
      "Note: spicule",
      "5 voxels added, 4 removed on 1 slice",
      "Margin: none → Rough",
    ]);
  });

  it("says nothing about what is new or gone: its sign says it", () => {
    expect(linesOf(read, change({ what: "added", before: null, changed: ["label"] }))).toEqual([]);
  });

  it("tells an answer about a label by the label's name, and numbers with their unit", () => {
    expect(
      answerChangeText(read, {
        answer: "state",
        of: "label",
        id: "node",
        before: "present",
        after: "absent",
      }),
    ).toBe("Lymph node: Present → Absent");
    expect(answerChangeText(read, { answer: "size", of: "case", id: "", before: 3, after: 4 })).toBe(
      "Size: 3 mm → 4 mm",
    );
  });
});

describe("voxels that came and went", () => {
  const planes = [
    { sop: "1", frame: 1, rows: 2, columns: 2, added: "AA", removed: null },
    { sop: "2", frame: 1, rows: 2, columns: 2, added: "BB", removed: "CC" },
  ];

  it("are masks of their own, by slice", () => {
    const { added, removed } = ghostOf(change({ planes }));
    expect([...(added?.slices.keys() ?? [])]).toEqual([sliceKey("1", 1), sliceKey("2", 1)]);
    expect(removed?.slices.get(sliceKey("2", 1))?.rle).toBe("CC");
    expect(removed?.slices.size).toBe(1);
  });

  it("keep their identity as long as the answer does, so that nothing is drawn twice", () => {
    const one = change({ planes });
    expect(ghostOf(one)).toBe(ghostOf(one));
    expect(ghostOf(change())).toEqual({ added: null, removed: null });
  });
});

describe("hatching", () => {
  it.each([1, -1] as const)("covers the whole pane with parallel lines (%i)", (lean) => {
    const lines = hatching(300, 200, lean);
    for (const [[x0, y0], [x1, y1]] of lines) {
      expect(Math.abs(x1 - x0)).toBeCloseTo(y1 - y0);
      expect([y0, y1]).toEqual([0, 200]);
    }
    const across = lines.map(([[x0], [x1]]) => Math.min(x0, x1));
    expect(across[0]).toBe(-200);
    expect(Math.max(...across)).toBeGreaterThan(300 - 20);
  });

  it("leans the one way for what came and the other for what went", () => {
    const [rising, falling] = [hatching(100, 100, 1)[3], hatching(100, 100, -1)[3]];
    expect(rising[0][0]).toBeGreaterThan(rising[1][0]);
    expect(falling[0][0]).toBeLessThan(falling[1][0]);
  });
});
