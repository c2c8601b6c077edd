import { beforeEach, describe, expect, test } from "vitest";
import type {
  AnnotationValue,
  Edit,
  EditResult,
  HistoryGroup,
  ObjectValue,
  StateAnswer,
} from "../src/api/types";
import { Journal } from "../src/journal/journal";
import { MemoryKeep } from "../src/journal/keep";
import { keyOf } from "../src/journal/objects";
import type { Outside, Report } from "../src/journal/outside";

const note = (text: string): AnnotationValue => ({
  kind: "segment",
  label: "nodule",
  series: "seriesseries",
  state: "present",
  note: text,
  origin: { from: "reader" },
});
const plane = (rle: string): ObjectValue => ({ rle, rows: 2, columns: 2 });
const A = { annotation: "aaaa" };
const SLICE = { annotation: "aaaa", sop: "1.2.3", frame: 1 };
const text = (journal: Journal, key = "aaaa") =>
  (journal.objects.get(key)?.value as AnnotationValue | null)?.note;

const stored = () => (server.objects.get("aaaa")!.value as AnnotationValue).note;

/** The server's side of the contract, in memory. */
class Server {
  objects = new Map<string, { version: number; value: ObjectValue }>();
  log: (Edit & { number: number; version: number; before: ObjectValue })[] = [];
  parked: Edit[] = [];
  answers = new Map<string, EditResult>();
  batches: Edit[][] = [];
  reachable = true;
  losesAnswers = false;
  open = true;

  async send(edits: Edit[]) {
    if (!this.reachable) throw new Error("The server cannot be reached.");
    this.batches.push(structuredClone(edits));
    const results = edits.map((edit) => this.take(edit));
    if (this.losesAnswers) throw new Error("The connection was lost.");
    return { results, number: this.log.length };
  }

  take(edit: Edit): EditResult {
    const before = this.answers.get(edit.id);
    if (before) return { ...before, status: "duplicate" };
    if (!this.open) {
      this.parked.push(edit);
      return { id: edit.id, status: "parked", reason: "The read is submitted." };
    }
    const key = keyOf(edit.object);
    const known = this.objects.get(key) ?? { version: 0, value: null };
    if (edit.seen !== known.version) {
      this.parked.push(edit);
      return { id: edit.id, status: "conflict", version: known.version, current: known.value };
    }
    const version = known.version + 1;
    this.objects.set(key, { version, value: edit.value });
    this.log.push({ ...edit, number: this.log.length + 1, version, before: known.value });
    const answer: EditResult = { id: edit.id, status: "applied", number: this.log.length, version };
    this.answers.set(edit.id, answer);
    return answer;
  }

  state(): StateAnswer {
    const answer: StateAnswer = { number: this.log.length, annotations: [], planes: [] };
    for (const [key, { version, value }] of this.objects) {
      const [annotation, sop, frame] = key.split("|");
      if (!value) continue;
      if ("rle" in value)
        answer.planes.push({ annotation, sop, frame: Number(frame), version, rle: value.rle });
      else if (!("answer" in value)) answer.annotations.push({ id: annotation, version, value });
    }
    return structuredClone(answer);
  }

  history(): HistoryGroup[] {
    const groups = new Map<string, HistoryGroup>();
    for (const { group, inverts, at, number, object, version, before, value } of this.log) {
      const one = groups.get(group) ?? { group, inverts, at, edits: [] };
      one.edits.push({ number, object, version, before, after: value });
      groups.set(group, one);
    }
    return structuredClone([...groups.values()]);
  }
}

let server: Server;
let keep: MemoryKeep;
let wakeups: (() => void)[];
let ids = 0;

function page(over: Partial<Outside> = {}) {
  let last: Report | null = null;
  let refetched = 0;
  const journal = new Journal({
    send: (edits) => server.send(edits),
    keep,
    owner: "reader/read",
    uuid: () => `id-${ids++}`,
    now: () => new Date("2026-11-22T10:00:00Z"),
    later: (_, work) => wakeups.push(work),
    changed: () => {},
    report: (report) => {
      last = report;
    },
    refetch: () => {
      refetched++;
    },
    ...over,
  });
  const load = () => journal.load(server.state(), server.history(), () => ({ rows: 2, columns: 2 }));
  return {
    journal,
    load,
    get report() {
      return last as unknown as Report;
    },
    get refetched() {
      return refetched;
    },
  };
}

const settle = async () => {
  for (let i = 0; i < 60; i++) await Promise.resolve();
};

async function opened() {
  const one = page();
  await one.journal.recall();
  one.load();
  await settle();
  return one;
}

beforeEach(() => {
  server = new Server();
  keep = new MemoryKeep();
  wakeups = [];
});

describe("saving", () => {
  test("nothing is called saved before the server's state is known", async () => {
    const one = page();
    await one.journal.recall();
    await one.journal.flush();
    expect(one.report).toBeNull();
    one.load();
    expect(one.report.saving.kind).toBe("saved");
  });
  test("an edit is shown at once, kept first, sent, and forgotten only when acknowledged", async () => {
    const { journal } = await opened();
    let keptWhenSent = 0;
    const send = server.send.bind(server);
    server.send = (edits) => {
      keptWhenSent = keep.kept.size;
      return send(edits);
    };
    journal.commit([{ object: A, value: note("one") }]);
    expect(text(journal)).toBe("one");
    await settle();
    expect(keptWhenSent).toBe(1);
    expect(keep.kept.size).toBe(0);
    expect(server.log).toHaveLength(1);
  });

  test("says saved with the edit number, saving while it waits", async () => {
    const one = await opened();
    one.journal.commit([{ object: A, value: note("one") }]);
    expect(one.report.saving).toEqual({ kind: "saving", waiting: 1 });
    await settle();
    expect(one.report.saving).toMatchObject({ kind: "saved", number: 1 });
  });

  test("edits of one object go one after the other, each with the version the one before got", async () => {
    const { journal } = await opened();
    journal.commit([{ object: A, value: note("one") }]);
    journal.commit([{ object: A, value: note("two") }]);
    journal.commit([{ object: A, value: note("three") }]);
    await settle();
    expect(server.log.map((edit) => [edit.seen, edit.version])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(server.parked).toHaveLength(0);
  });

  test("one gesture over several slices is one group in one batch", async () => {
    const { journal } = await opened();
    journal.commit([
      { object: A, value: note("") },
      { object: SLICE, value: plane("AQM=") },
      { object: { ...SLICE, sop: "1.2.4" }, value: plane("AQM=") },
    ]);
    await settle();
    expect(server.batches).toHaveLength(1);
    expect(new Set(server.log.map((edit) => edit.group)).size).toBe(1);
  });

  test("a change that changes nothing is no edit", async () => {
    const { journal } = await opened();
    journal.commit([{ object: A, value: note("one") }]);
    await settle();
    journal.commit([{ object: A, value: note("one") }]);
    await settle();
    expect(server.log).toHaveLength(1);
  });
});

describe("without a connection", () => {
  test("edits wait on this computer, the page says how many, and they go out when it is back", async () => {
    const one = await opened();
    server.reachable = false;
    one.journal.commit([{ object: A, value: note("one") }]);
    one.journal.commit([{ object: SLICE, value: plane("AQM=") }]);
    await settle();
    expect(one.report.saving).toMatchObject({ kind: "offline", waiting: 2, kept: true });
    expect(one.report.unsafe).toBe(0);
    server.reachable = true;
    wakeups.pop()?.();
    await settle();
    expect(one.report.saving).toMatchObject({ kind: "saved", number: 2 });
    expect(server.log).toHaveLength(2);
  });

  test("waits longer after every failure, up to eight seconds", async () => {
    const waits: number[] = [];
    const one = page({
      later: (milliseconds, work) => {
        waits.push(milliseconds);
        if (waits.length < 8) work();
      },
    });
    one.load();
    server.reachable = false;
    one.journal.commit([{ object: A, value: note("one") }]);
    await settle();
    await settle();
    expect(waits).toEqual([1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000]);
  });

  test("many edits that fail meanwhile wake up once, not each by itself", async () => {
    const one = await opened();
    server.reachable = false;
    for (let i = 0; i < 5; i++) {
      one.journal.commit([{ object: { annotation: `m${i}` }, value: note("x") }]);
      await settle();
    }
    expect(wakeups).toHaveLength(1);
  });

  test("a closed page leaves its edits to the next one, which sends them in order", async () => {
    const first = await opened();
    server.reachable = false;
    first.journal.commit([{ object: A, value: note("one") }]);
    first.journal.commit([{ object: A, value: note("two") }]);
    await settle();
    server.reachable = true;
    const second = await opened();
    await settle();
    expect(text(second.journal)).toBe("two");
    expect(server.log.map((edit) => (edit.value as AnnotationValue).note)).toEqual(["one", "two"]);
    expect(keep.kept.size).toBe(0);
  });

  test("a lost answer makes no second edit: the same id comes back as a duplicate", async () => {
    const one = await opened();
    server.losesAnswers = true;
    one.journal.commit([{ object: A, value: note("one") }]);
    one.journal.commit([{ object: A, value: note("two") }]);
    await settle();
    expect(one.journal.waiting).toBe(2);
    server.losesAnswers = false;
    wakeups.pop()?.();
    await settle();
    expect(server.log).toHaveLength(2);
    expect(one.journal.waiting).toBe(0);
    expect(one.report.conflicts).toEqual([]);
  });

  test("without storage the page knows what closing it would lose", async () => {
    keep.put = () => Promise.reject(new Error("no storage"));
    const one = await opened();
    server.reachable = false;
    one.journal.commit([{ object: A, value: note("one") }]);
    await settle();
    expect(one.report.unsafe).toBe(1);
    expect(one.report.saving).toMatchObject({ kind: "offline", kept: false });
  });
});

describe("two places", () => {
  /** Both pages know version 1; the other one saves first. */
  async function collision() {
    const one = await opened();
    one.journal.commit([{ object: A, value: note("base") }]);
    await settle();
    server.take({
      id: "other",
      group: "other",
      inverts: null,
      at: "",
      object: A,
      seen: 1,
      value: note("theirs"),
    });
    one.journal.commit([{ object: A, value: note("mine") }]);
    one.journal.commit([{ object: A, value: note("mine too") }]);
    await settle();
    return one;
  }

  test("a stale edit is a conflict; nothing is overwritten and nothing is lost", async () => {
    const one = await collision();
    expect(one.report.conflicts).toHaveLength(1);
    expect(one.report.conflicts[0].theirs).toEqual(note("theirs"));
    expect(stored()).toBe("theirs");
    expect(keep.kept.size).toBe(2);
    expect(text(one.journal)).toBe("mine too");
  });

  test("other objects go on saving meanwhile", async () => {
    const one = await collision();
    one.journal.commit([{ object: { annotation: "bbbb" }, value: note("free") }]);
    await settle();
    expect(server.objects.get("bbbb")).toBeDefined();
  });

  test("keeping mine writes it over the other as a new edit", async () => {
    const one = await collision();
    await one.journal.choose(A, "mine");
    await settle();
    expect(stored()).toBe("mine too");
    expect(one.report.saving.kind).toBe("saved");
    expect(keep.kept.size).toBe(0);
  });

  test("taking theirs shows it and sends nothing", async () => {
    const one = await collision();
    const before = server.log.length;
    await one.journal.choose(A, "theirs");
    await settle();
    expect(text(one.journal)).toBe("theirs");
    expect(server.log).toHaveLength(before);
    expect(one.report.saving.kind).toBe("saved");
  });

  test("news from elsewhere keeps what still waits here on top", async () => {
    const one = await opened();
    server.reachable = false;
    one.journal.commit([{ object: A, value: note("mine") }]);
    await settle();
    server.take({
      id: "x",
      group: "x",
      inverts: null,
      at: "",
      object: { annotation: "bbbb" },
      seen: 0,
      value: note("b"),
    });
    one.load();
    expect(text(one.journal)).toBe("mine");
    expect(text(one.journal, "bbbb")).toBe("b");
  });

  test("a state older than what was acknowledged here is not believed", async () => {
    const one = await opened();
    const old = server.state();
    one.journal.commit([{ object: A, value: note("one") }]);
    await settle();
    one.journal.load(old, [], () => ({ rows: 2, columns: 2 }));
    expect(text(one.journal)).toBe("one");
    expect(one.refetched).toBe(1);
  });

  test("an edit after submission is parked: the page says so and asks for the truth", async () => {
    const one = await opened();
    server.open = false;
    one.journal.commit([{ object: A, value: note("late") }]);
    await settle();
    expect(one.report.parked).toBe(1);
    expect(one.report.parkedReason).toBe("The read is submitted.");
    expect(one.refetched).toBe(1);
    expect(keep.kept.size).toBe(0);
  });

  test("an object deleted before, whose version is forgotten, can be made anew without a question", async () => {
    server.objects.set("aaaa|1.2.3|1", { version: 4, value: null });
    const one = await opened();
    one.journal.commit([{ object: SLICE, value: plane("AQM=") }]);
    await settle();
    expect(one.report.conflicts).toEqual([]);
    expect(server.objects.get("aaaa|1.2.3|1")).toEqual({ version: 5, value: plane("AQM=") });
    expect(keep.kept.size).toBe(0);
  });
});

describe("undo and redo", () => {
  test("undo brings back what was there, as a new group that names the old one", async () => {
    const { journal } = await opened();
    journal.commit([{ object: A, value: note("one") }]);
    journal.commit([{ object: A, value: note("two") }]);
    expect(journal.undo()).toBe("done");
    await settle();
    expect(text(journal)).toBe("one");
    expect(server.log).toHaveLength(3);
    expect(server.log[2].inverts).toBe(server.log[1].group);
  });

  test("a gesture over several slices is undone whole, the youngest change first", async () => {
    const { journal } = await opened();
    journal.commit([
      { object: A, value: note("") },
      { object: SLICE, value: plane("AQM=") },
    ]);
    journal.undo();
    await settle();
    expect(journal.objects.get("aaaa")?.value).toBeNull();
    expect(server.log.slice(2).map((edit) => keyOf(edit.object))).toEqual(["aaaa|1.2.3|1", "aaaa"]);
  });

  test("undo, redo, undo goes to and fro; a new edit clears redo", async () => {
    const one = await opened();
    const { journal } = one;
    journal.commit([{ object: A, value: note("one") }]);
    journal.commit([{ object: A, value: note("two") }]);
    journal.undo();
    journal.redo();
    expect(text(journal)).toBe("two");
    journal.undo();
    journal.undo();
    expect(journal.objects.get("aaaa")?.value).toBeNull();
    expect(journal.undo()).toBe("nothing");
    journal.redo();
    expect(text(journal)).toBe("one");
    journal.commit([{ object: A, value: note("new") }]);
    expect(journal.redo()).toBe("nothing");
    await settle();
    expect(one.report.saving.kind).toBe("saved");
    expect(server.parked).toHaveLength(0);
  });

  test("both survive a reload, by replaying the history", async () => {
    const first = await opened();
    for (const word of ["one", "two", "three"]) first.journal.commit([{ object: A, value: note(word) }]);
    first.journal.undo();
    first.journal.undo();
    first.journal.redo();
    await settle();
    const second = await opened();
    expect(text(second.journal)).toBe("two");
    expect(second.report).toMatchObject({ canUndo: true, canRedo: true });
    second.journal.redo();
    expect(text(second.journal)).toBe("three");
    second.journal.undo();
    second.journal.undo();
    expect(text(second.journal)).toBe("one");
    await settle();
    const third = await opened();
    expect(text(third.journal)).toBe("one");
    third.journal.redo();
    expect(text(third.journal)).toBe("two");
  });

  test("edits that were only on this computer can be undone after the reload too", async () => {
    const first = await opened();
    server.reachable = false;
    first.journal.commit([
      { object: A, value: note("kept") },
      { object: SLICE, value: plane("AQM=") },
    ]);
    await settle();
    const second = await opened();
    second.journal.undo();
    expect(second.journal.objects.get("aaaa")?.value).toBeNull();
    expect(second.journal.objects.get("aaaa|1.2.3|1")?.value).toBeNull();
  });

  test("what somebody changed since is not undone without asking", async () => {
    const one = await opened();
    one.journal.commit([{ object: A, value: note("mine") }]);
    await settle();
    server.take({ id: "x", group: "x", inverts: null, at: "", object: A, seen: 1, value: note("theirs") });
    const history = server.history().filter((group) => group.group !== "x");
    one.journal.load(server.state(), history, () => ({ rows: 2, columns: 2 }));
    expect(one.journal.undo()).toBe("changed");
    expect(text(one.journal)).toBe("theirs");
    expect(one.journal.undo(true)).toBe("done");
    expect(one.journal.objects.get("aaaa")?.value).toBeNull();
  });
});
