/**
 * The journal of one read, on the reader's side. Every gesture is a group of edits: shown at once, kept on
 * this computer, sent in order, forgotten here only when the server has answered that it has them.
 * No DOM, no network and no clock of its own: all are handed in, so tests can run it.
 */
import type {
  EditResult,
  EditsAnswer,
  HistoryGroup,
  ObjectRef,
  ObjectValue,
  StateAnswer,
} from "../api/types";
import { t } from "../words";
import type { KeptEdit } from "./keep";
import { isPlane, keyOf, same } from "./objects";
import type { Conflict, Known, Outside, Saving } from "./outside";
import { Stacks } from "./undo";

const MOST_EDITS = 40;
const MOST_CHARACTERS = 1_500_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 8000;

export class Journal {
  readonly objects = new Map<string, Known>();
  readonly stacks = new Stacks();
  private pending: KeptEdit[] = [];
  private persisted = new Set<string>();
  private conflicts = new Map<string, Conflict>();
  private number = 0;
  private savedAt: Date | null = null;
  private order = 0;
  private loaded = false;
  private sending = false;
  private wait = 0;
  private waking = false;
  private trouble: string | null = null;
  private parked = 0;
  private parkedReason: string | null = null;
  private refused: string | null = null;
  private readonly outside: Outside;

  constructor(outside: Outside) {
    this.outside = outside;
  }

  get lastNumber(): number {
    return this.number;
  }
  get waiting(): number {
    return this.pending.length;
  }

  /** Edits a former page left behind; call once, before `load`. */
  async recall(): Promise<void> {
    try {
      this.pending = await this.outside.keep.all();
    } catch {
      this.pending = [];
    }
    for (const edit of this.pending) {
      this.persisted.add(edit.id);
      this.order = Math.max(this.order, edit.order + 1);
    }
  }

  /** Takes the server's state and history; what still waits here is laid on top. Old answers are ignored. */
  load(
    state: StateAnswer,
    groups: HistoryGroup[],
    sizeOf: (sop: string) => { rows: number; columns: number },
  ): void {
    if (state.number < this.number) {
      this.outside.refetch();
      return;
    }
    this.number = state.number;
    this.loaded = true;
    const touched = new Set(this.objects.keys());
    this.objects.clear();
    // Deleted objects are in no state, yet have a version: the history knows it.
    for (const group of groups) {
      for (const { object, version } of group.edits) {
        this.objects.set(keyOf(object), { object, version, value: null });
      }
    }
    for (const { id, version, value } of state.annotations) {
      this.objects.set(id, { object: { annotation: id }, version, value });
    }
    for (const { id, version, value } of state.answers ?? []) {
      this.objects.set(id, { object: { annotation: id }, version, value });
    }
    for (const { annotation, sop, frame, version, rle } of state.planes) {
      const object = { annotation, sop, frame };
      this.objects.set(keyOf(object), { object, version, value: { rle, ...sizeOf(sop) } });
    }
    const known = new Set(groups.map((group) => group.group));
    this.stacks.replay(groups);
    const numbers = groups.flatMap((group) => group.edits.map(({ number }) => number));
    this.reach(groups, Math.max(state.number, ...numbers));
    for (const edit of this.pending) {
      const key = keyOf(edit.object);
      const before = this.objects.get(key);
      if (!known.has(edit.group)) this.push(edit, before?.value ?? null);
      this.objects.set(key, { object: edit.object, version: before?.version ?? 0, value: edit.value });
    }
    for (const key of this.objects.keys()) touched.add(key);
    this.outside.changed([...touched]);
    this.report();
    void this.flush();
  }

  /** How many edits there are before the gestures known here, and the edit before which these ended. */
  earlier = 0;
  oldest = 0;

  /** Whether earlier gestures must come before anything is undone or redone. */
  get isTorn(): boolean {
    return this.earlier > 0 && this.stacks.isTorn;
  }

  /** Gestures from before those of `load`, so that undo has no end. What they deleted has a version, too. */
  older(groups: HistoryGroup[]): void {
    for (const { object, version } of groups.flatMap((group) => group.edits)) {
      const known = this.objects.get(keyOf(object));
      if (!known) this.objects.set(keyOf(object), { object, version, value: null });
      else if (known.value === null) known.version = Math.max(known.version, version);
    }
    this.stacks.prepend(groups);
    this.reach(groups, this.earlier);
    this.report();
  }

  /** Edits are numbered without gaps: how many of `all` are not among these? */
  private reach(groups: HistoryGroup[], all: number): void {
    const edits = groups.flatMap((group) => group.edits);
    this.earlier = groups.length ? Math.max(0, all - edits.length) : 0;
    this.oldest = Math.min(...groups.map((group) => Math.max(...group.edits.map(({ number }) => number))));
  }

  /** Puts a waiting edit into the undo stacks, joining the group it belongs to. */
  private push(edit: KeptEdit, before: ObjectValue): void {
    const top = this.stacks.undo.at(-1);
    const change = { object: edit.object, before, after: edit.value };
    if (!edit.inverts && top?.names[0] === edit.group) top.edits.push(change);
    else if (this.stacks.redo.at(-1)?.by !== edit.group && top?.names.at(-1) !== edit.group) {
      this.stacks.push({ group: edit.group, inverts: edit.inverts, edits: [change] });
    }
  }

  /** One gesture. Shows it at once, keeps it, then sends it. */
  commit(changes: { object: ObjectRef; value: ObjectValue }[], inverts: string | null = null): void {
    const real = changes.filter(
      ({ object, value }) => !same(this.objects.get(keyOf(object))?.value ?? null, value),
    );
    if (!real.length) return;
    const group = this.outside.uuid();
    const at = this.outside.now().toISOString();
    const step = real.map(({ object, value }) => ({
      object,
      before: this.objects.get(keyOf(object))?.value ?? null,
      after: value,
    }));
    const edits = real.map(({ object, value }): KeptEdit => {
      const key = keyOf(object);
      const known = this.objects.get(key);
      const earlier = this.pending.findLast((edit) => keyOf(edit.object) === key);
      this.objects.set(key, { object, version: known?.version ?? 0, value });
      return {
        id: this.outside.uuid(),
        group,
        inverts,
        at,
        object,
        seen: known?.version ?? 0,
        value,
        owner: this.outside.owner,
        order: this.order++,
        follows: earlier?.id ?? null,
      };
    });
    this.pending.push(...edits);
    this.stacks.push({ group, inverts, edits: step });
    this.outside.changed(real.map(({ object }) => keyOf(object)));
    this.report();
    void this.persist(edits).then(() => this.flush());
  }

  private async persist(edits: KeptEdit[]): Promise<void> {
    try {
      await this.outside.keep.put(edits);
      for (const edit of edits) this.persisted.add(edit.id);
      // The answer may have come before the disk: don't leave it behind for the next visit.
      const gone = edits.filter((edit) => !this.pending.includes(edit)).map((edit) => edit.id);
      if (gone.length) await this.forget(gone);
    } catch {
      // Without storage the edits wait in memory; the page says so and warns before it closes.
    }
    this.report();
  }

  private async forget(ids: string[]): Promise<void> {
    for (const id of ids) this.persisted.delete(id);
    try {
      await this.outside.keep.remove(ids);
    } catch {
      // Sent again on the next visit, and answered as a duplicate.
    }
  }

  /** "changed": someone else changed it since, ask first. */
  undo(force = false): "done" | "nothing" | "changed" {
    const step = this.stacks.undo.at(-1);
    if (!step) return "nothing";
    if (!force && !this.stands(step.edits.map((edit) => ({ object: edit.object, value: edit.after }))))
      return "changed";
    const changes = step.edits.map((edit) => ({ object: edit.object, value: edit.before })).reverse();
    return this.invert(changes, step.names[step.names.length - 1]);
  }

  redo(force = false): "done" | "nothing" | "changed" {
    const top = this.stacks.redo.at(-1);
    if (!top) return "nothing";
    const { edits } = top.step;
    if (!force && !this.stands(edits.map((edit) => ({ object: edit.object, value: edit.before }))))
      return "changed";
    return this.invert(
      edits.map((edit) => ({ object: edit.object, value: edit.after })),
      top.by,
    );
  }

  private invert(changes: { object: ObjectRef; value: ObjectValue }[], name: string): "done" {
    const before = this.pending.length;
    this.commit(changes, name);
    // Nothing left to change: the step is spent all the same.
    if (this.pending.length === before)
      this.stacks.push({ group: this.outside.uuid(), inverts: name, edits: [] });
    this.report();
    return "done";
  }

  private stands(expected: { object: ObjectRef; value: ObjectValue }[]): boolean {
    return expected.every(({ object, value }) => same(this.objects.get(keyOf(object))?.value ?? null, value));
  }

  /** Sends what can be sent; safe to call at any time. */
  async flush(): Promise<void> {
    if (this.sending) return;
    const batch = this.nextBatch();
    if (!batch.length) {
      this.report();
      return;
    }
    this.sending = true;
    this.report();
    let again = true;
    try {
      const answer = await this.outside.send(
        batch.map(({ id, group, inverts, at, object, seen, value }) => ({
          id,
          group,
          inverts,
          at,
          object,
          seen,
          value,
        })),
      );
      this.trouble = null;
      this.wait = 0;
      await this.settle(batch, answer);
    } catch (error) {
      again = false;
      this.trouble = error instanceof Error ? error.message : String(error);
      this.wait = Math.min(this.wait ? this.wait * 2 : FIRST_WAIT_MS, LONGEST_WAIT_MS);
    }
    this.sending = false;
    this.report();
    if (again) void this.flush();
    else this.tryAgainLater();
  }

  /** One wake-up at a time, however many edits fail meanwhile. */
  private tryAgainLater(): void {
    if (this.waking) return;
    this.waking = true;
    this.outside.later(this.wait, () => {
      this.waking = false;
      void this.flush();
    });
  }

  /** In order, one edit an object: the next edit of an object needs the version the first one gets. */
  private nextBatch(): KeptEdit[] {
    const batch: KeptEdit[] = [];
    const objects = new Set<string>();
    let size = 0;
    for (const edit of this.pending) {
      const key = keyOf(edit.object);
      if (this.conflicts.has(key)) continue;
      if (objects.has(key) || batch.length >= MOST_EDITS || size > MOST_CHARACTERS) break;
      objects.add(key);
      batch.push(edit);
      size += edit.value && "rle" in edit.value ? edit.value.rle.length : 400;
    }
    return batch;
  }

  private async settle(batch: KeptEdit[], answer: EditsAnswer): Promise<void> {
    const done: string[] = [];
    let disagree = false;
    for (const result of answer.results) {
      const edit = batch.find((sent) => sent.id === result.id);
      if (!edit) continue;
      if (result.status === "conflict") {
        this.collide(edit, result);
        continue;
      }
      done.push(edit.id);
      if (result.status === "applied" || result.status === "duplicate") {
        this.acknowledge(edit, result);
      } else if (result.status === "parked") {
        this.parked += 1;
        this.parkedReason = result.reason ?? null;
        disagree = true;
      } else {
        this.refused = result.reason ?? t("The server refused a change.");
        disagree = true;
      }
    }
    this.pending = this.pending.filter((edit) => !done.includes(edit.id));
    await this.forget(done);
    if (disagree) this.outside.refetch();
  }

  private acknowledge(edit: KeptEdit, result: EditResult): void {
    const known = this.objects.get(keyOf(edit.object));
    if (known && result.version) known.version = Math.max(known.version, result.version);
    if (known && result.value && same(known.value, edit.value)) {
      known.value = result.value;
      this.outside.changed([keyOf(edit.object)]);
    }
    this.number = Math.max(this.number, result.number ?? 0);
    this.savedAt = this.outside.now();
    const next = this.pending.find((waiting) => waiting.follows === edit.id);
    if (next) {
      next.seen = result.version ?? next.seen;
      next.follows = null;
      void this.persist([next]);
    }
  }

  private collide(edit: KeptEdit, result: EditResult): void {
    const key = keyOf(edit.object);
    const version = result.version ?? 0;
    const current = result.current ?? null;
    const known = this.objects.get(key);
    // Nothing was there when the reader began and nothing is there now: only the count was unknown here.
    if (current === null && edit.seen === 0 && version > 0) {
      const anew = { ...edit, id: this.outside.uuid(), seen: version };
      this.pending = this.pending.map((waiting) => {
        if (waiting === edit) return anew;
        return waiting.follows === edit.id ? { ...waiting, follows: anew.id } : waiting;
      });
      if (known) known.version = version;
      void this.persist([anew]).then(() => this.forget([edit.id]));
      return;
    }
    this.conflicts.set(key, {
      object: edit.object,
      mine: known?.value ?? edit.value,
      theirs: current,
      version,
    });
  }

  /** The reader chose. Either way nothing is lost: the other version stays in the server's journal. */
  async choose(object: ObjectRef, whose: "mine" | "theirs"): Promise<void> {
    const key = keyOf(object);
    const conflict = this.conflicts.get(key);
    if (!conflict) return;
    const mine = this.objects.get(key)?.value ?? null;
    const dropped = this.pending.filter((edit) => keyOf(edit.object) === key).map((edit) => edit.id);
    this.pending = this.pending.filter((edit) => !dropped.includes(edit.id));
    this.conflicts.delete(key);
    this.objects.set(key, { object, version: conflict.version, value: conflict.theirs });
    await this.forget(dropped);
    this.outside.changed([key]);
    if (whose === "mine") this.commit([{ object, value: mine }]);
    this.report();
    void this.flush();
  }

  /** Nothing is said before the server's state is known: "saved" would be a guess. */
  private report(): void {
    if (!this.loaded) return;
    const waiting = this.pending.length;
    const unsafe = this.pending.filter((edit) => !this.persisted.has(edit.id)).length;
    let saving: Saving = { kind: "saved", number: this.number, at: this.savedAt };
    if (waiting && this.trouble) {
      saving = { kind: "offline", waiting, kept: unsafe === 0, sentence: this.trouble };
    } else if (waiting) {
      saving = { kind: "saving", waiting };
    }
    this.outside.report({
      saving,
      conflicts: [...this.conflicts.values()],
      parked: this.parked,
      parkedReason: this.parkedReason,
      refused: this.refused,
      canUndo: this.stacks.undo.length > 0 || this.earlier > 0,
      canRedo: this.stacks.redo.length > 0 || this.isTorn,
      unsafe,
    });
  }

  dismissRefusal(): void {
    this.refused = null;
    this.report();
  }

  /** All mask slices of an annotation. */
  planesOf(annotation: string): Known[] {
    return [...this.objects.values()].filter(
      ({ object, value }) => value && isPlane(object) && object.annotation === annotation,
    );
  }
}
