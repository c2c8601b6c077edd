import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { AnswerValue, Question } from "../src/api/types";
import { answerId, nameUuid } from "../src/forms/ids";
import { type Owed, owed, type Things } from "../src/forms/missing";
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
    stacks.prepend([group("a"), group("b")]);
    expect(stacks.undo.map((step) => step.names[0])).toEqual(["a"]);
    expect(stacks.redo.map(({ by }) => by)).toEqual(["undo of b"]);
    stacks.push(group("c"));
    stacks.prepend([group("before a")]);
    expect(stacks.undo.map((step) => step.names[0])).toEqual(["before a", "a", "c"]);
  });
});
