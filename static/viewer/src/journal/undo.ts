/**
 * Undo and redo are groups like any other: they name the group they invert. Replaying the history
 * rebuilds both stacks, so they survive a reload.
 */
import type { ObjectRef, ObjectValue } from "../api/types";

export interface Change {
  object: ObjectRef;
  before: ObjectValue;
  after: ObjectValue;
}

export interface Group {
  group: string;
  inverts: string | null;
  /** The labels changed: nobody's gesture, so nothing to undo. */
  labels_version?: number | null;
  edits: Change[];
}

export interface Step {
  /** The groups that brought this step about: the first gesture, and every redo of it. */
  names: string[];
  edits: Change[];
}

export class Stacks {
  undo: Step[] = [];
  redo: { step: Step; by: string }[] = [];
  private groups: Group[] = [];

  replay(groups: Group[]): void {
    this.undo = [];
    this.redo = [];
    this.groups = [];
    for (const group of groups) this.push(group);
  }

  /** Whether something known takes back a gesture that isn't: what can be redone is then known in part only. */
  get isTorn(): boolean {
    const known = new Set(this.groups.map((group) => group.group));
    return this.groups.some((group) => group.inverts !== null && !known.has(group.inverts));
  }

  /** Gestures from before the first one known: what came after them may undo them. */
  prepend(older: Group[]): void {
    this.replay([...older, ...this.groups]);
  }

  push(group: Group): void {
    this.groups.push(group);
    if (group.labels_version) return;
    const undone = this.undo.at(-1);
    const redone = this.redo.at(-1);
    if (group.inverts && undone?.names.includes(group.inverts)) {
      this.undo.pop();
      this.redo.push({ step: undone, by: group.group });
    } else if (group.inverts && redone?.by === group.inverts) {
      this.redo.pop();
      this.undo.push({ names: [...redone.step.names, group.group], edits: redone.step.edits });
    } else {
      this.undo.push({ names: [group.group], edits: group.edits });
      this.redo = [];
    }
  }
}
