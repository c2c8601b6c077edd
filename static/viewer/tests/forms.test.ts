import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { AnnotationValue, AnswerValue, HistoryGroup, Label, Question } from "../src/api/types";
import { answerId, nameUuid } from "../src/forms/ids";
import { type Owed, owed, type Things } from "../src/forms/missing";
import { whyNoNumber } from "../src/forms/numbers";
import { takenAs } from "../src/forms/taking";
import { Journal } from "../src/journal/journal";
import { MemoryKeep } from "../src/journal/keep";
import { Stacks } from "../src/journal/undo";
import { applyObjects, makeMarks } from "../src/store/marks";

const cases = JSON.parse(
  readFileSync(new URL("../../../tests/annotations/reading/missing_cases.json", import.meta.url), "utf8"),
) as {
  labels: { key: string; name: string; required: boolean }[];
  questions: Question[];
  studies: string[];
  series: [string, string][];
  cases: {
    name: string;
    marks: Things["marks"];
    said: [string, string, string, AnswerValue["value"]][];
    owed: [string, string, string, string][];
  }[];
};

describe("What a read owes", () => {
  for (const { name, marks, said, owed: expected } of cases.cases) {
    test(name, () => {
      const things = { studies: cases.studies, series: cases.series, marks };
      const found = owed(
        cases.labels,
        cases.questions,
        things,
        (of, about, answer) =>
          said.find((one) => one[0] === of && one[1] === about && one[2] === answer)?.[3],
      );
      expect(found).toEqual(expected.map(([what, key, of, about]) => ({ what, key, of, about }) as Owed));
    });
  }
});

describe("The id of an answer", () => {
  // From Python's uuid.uuid5, which the server uses.
  test("is the name-based UUID that the server makes", () => {
    expect(nameUuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "python.org")).toBe(
      "886313e1-3b8a-5372-9b90-0c9aee199e5d",
    );
    expect(answerId({ answer: "margin", of: "case", id: "" })).toBe("2dc0239d-fda7-56c7-b814-70752a64436f");
    expect(answerId({ answer: "größe", of: "series", id: "x".repeat(120) })).toBe(
      "42840b46-be7b-5811-b659-4d5cecf8b984",
    );
  });
});

describe("Answers in the store", () => {
  const said: AnswerValue = { answer: "margin", of: "case", id: "", value: "smooth" };
  test("stand beside the marks, and go when they are taken back", () => {
    const store = makeMarks();
    applyObjects([{ object: { annotation: "a" }, value: said }], store);
    expect([...store.getState().answers]).toEqual([["a", said]]);
    expect(store.getState().marks.size).toBe(0);
    applyObjects([{ object: { annotation: "a" }, value: null }], store);
    expect(store.getState().answers.size).toBe(0);
  });
});

describe("Undo beyond the first page of the history", () => {
  const group = (name: string, inverts: string | null = null) => ({ group: name, inverts, edits: [] });
  test("knows what a later gesture took back", () => {
    const stacks = new Stacks();
    stacks.replay([group("undo of b", "b")]);
    expect(stacks.undo.map((step) => step.names[0])).toEqual(["undo of b"]);
    expect(stacks.isTorn).toBe(true);
    stacks.prepend([group("a"), group("b")]);
    expect(stacks.isTorn).toBe(false);
    expect(stacks.undo.map((step) => step.names[0])).toEqual(["a"]);
    expect(stacks.redo.map(({ by }) => by)).toEqual(["undo of b"]);
    stacks.push(group("c"));
    stacks.prepend([group("before a")]);
    expect(stacks.undo.map((step) => step.names[0])).toEqual(["before a", "a", "c"]);
  });
});

describe("A journal that is longer than its first page", () => {
  const note = (text: string): AnnotationValue => ({
    kind: "segment",
    label: "nodule",
    series: "series",
    state: "present",
    note: text,
    origin: { from: "reader" },
  });
  const group = (number: number): HistoryGroup => ({
    group: `g${number}`,
    inverts: null,
    at: "2026-11-22T10:00:00Z",
    edits: [
      {
        number,
        object: { annotation: "a" },
        version: number,
        before: number > 1 ? note(String(number - 1)) : null,
        after: note(String(number)),
      },
    ],
  });
  test("knows how much came before, and undoes it once it is there", () => {
    let canUndo = false;
    const journal = new Journal({
      send: () => new Promise(() => {}),
      keep: new MemoryKeep(),
      owner: "reader/read",
      uuid: () => crypto.randomUUID(),
      now: () => new Date("2026-11-22T10:00:00Z"),
      later: () => {},
      changed: () => {},
      report: (report) => {
        canUndo = report.canUndo;
      },
      refetch: () => {},
    });
    const state = {
      number: 5,
      annotations: [{ id: "a", version: 5, value: note("5") }],
      planes: [],
    };
    journal.load(state, [group(4), group(5)], () => ({ rows: 0, columns: 0 }));
    expect([journal.earlier, journal.oldest]).toEqual([3, 4]);
    journal.undo();
    journal.undo();
    expect(journal.undo()).toBe("nothing");
    expect(canUndo).toBe(true);
    journal.older([group(1), group(2), group(3)]);
    expect(journal.earlier).toBe(0);
    expect(journal.undo()).toBe("done");
    expect(journal.objects.get("a")?.value).toEqual(note("2"));
    journal.undo();
    journal.undo();
    expect(journal.objects.get("a")?.value).toBeNull();
    expect(canUndo).toBe(false);
  });
});

describe("A number that is typed", () => {
  test("is refused beyond its range, and takes a comma for a point", () => {
    const range = { least: 0, most: 10 };
    expect(whyNoNumber("3,5", range)).toBeNull();
    expect(whyNoNumber("-1", range)).toBe("At least 0.");
    expect(whyNoNumber("1e9", range)).toBe("At most 10.");
    expect(whyNoNumber("about 3", range)).toBe("This is not a number.");
  });
});

describe("A proposal", () => {
  const labels: Pick<Label, "key" | "kinds">[] = [
    { key: "tumour", kinds: ["segment"] },
    { key: "size", kinds: ["length"] },
    { key: "region", kinds: ["segment", "ellipse"] },
  ];
  const taken = (kind: string, label: string | null, chosen: string | null = null) => {
    const found = takenAs(labels, chosen, { kind, label });
    return found && [found.kind, found.label];
  };
  test("is taken over with its own label and kind where that is allowed", () => {
    expect(taken("segment", "region")).toEqual(["segment", "region"]);
    expect(taken("ellipse", "tumour")).toEqual(["segment", "tumour"]);
    expect(taken("length", "unknown")).toEqual(["length", "size"]);
    expect(taken("segment", null, "region")).toEqual(["segment", "region"]);
    expect(taken("polygon", null)).toEqual(["segment", "tumour"]);
  });
  test("can only be looked at where no label takes it", () => {
    expect(taken("line", "tumour")).toBeNull();
    expect(taken("bidirectional", "size")).toBeNull();
  });
});
