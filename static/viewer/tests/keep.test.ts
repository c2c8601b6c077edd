import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { BrowserKeep, type KeptEdit } from "../src/journal/keep";

const edit = (id: string, owner: string, order: number): KeptEdit => ({
  id,
  group: "g",
  inverts: null,
  at: "2026-11-22T10:00:00Z",
  object: { annotation: "a", sop: "1.2", frame: 1 },
  seen: 0,
  value: { rle: "AQM=", rows: 2, columns: 2 },
  owner,
  order,
  follows: null,
});

test("edits are there for the next page, in order, and only for their own reader and read", async () => {
  const keep = new BrowserKeep("anna/read1");
  await keep.put([edit("b", "anna/read1", 2), edit("a", "anna/read1", 1)]);
  await new BrowserKeep("omar/read1").put([edit("c", "omar/read1", 1)]);
  expect((await new BrowserKeep("anna/read1").all()).map((one) => one.id)).toEqual(["a", "b"]);
  await keep.remove(["a"]);
  expect((await keep.all()).map((one) => one.id)).toEqual(["b"]);
  expect((await new BrowserKeep("omar/read1").all()).map((one) => one.id)).toEqual(["c"]);
});
