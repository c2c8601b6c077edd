/** What the journal needs from the page around it, and what it tells it. */
import type { Edit, EditsAnswer, ObjectRef, ObjectValue } from "../api/types";
import type { Keep } from "./keep";

export interface Known {
  object: ObjectRef;
  /** Last version the server told us; 0 = it has none. */
  version: number;
  /** What the reader sees: the server's value, or a newer one still on its way. */
  value: ObjectValue;
}

export interface Conflict {
  object: ObjectRef;
  mine: ObjectValue;
  theirs: ObjectValue;
  version: number;
}

export type Saving =
  | { kind: "saved"; number: number; at: Date | null }
  | { kind: "saving"; waiting: number }
  | { kind: "offline"; waiting: number; kept: boolean; sentence: string };

export interface Report {
  saving: Saving;
  conflicts: Conflict[];
  parked: number;
  parkedReason: string | null;
  refused: string | null;
  canUndo: boolean;
  canRedo: boolean;
  /** Edits that would be lost if the page closed now. */
  unsafe: number;
}

export interface Outside {
  send(edits: Edit[]): Promise<EditsAnswer>;
  keep: Keep;
  owner: string;
  uuid(): string;
  now(): Date;
  /** Calls back after a while; a wake-up (the browser is online again) may come earlier by `flush`. */
  later(milliseconds: number, work: () => void): void;
  changed(keys: string[]): void;
  report(report: Report): void;
  /** The server and this page no longer agree: fetch the state again and call `load`. */
  refetch(): void;
}
