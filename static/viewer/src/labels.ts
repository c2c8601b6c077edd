/** The labels and questions of a read: those in use, those kept for earlier marks, and what former ones were called. */
import type { Label, Read } from "./api/types";
import { room } from "./store/room";
import { t } from "./words";

/** What something new may be said with. */
export const inUse = <Entry extends { retired?: boolean }>(entries: Entry[]): Entry[] =>
  entries.filter((entry) => !entry.retired);

/** The name of a label by its key: of one that earlier versions had, too. */
export function labelName(read: Pick<Read, "schema">, key: string): string {
  const { labels, former } = read.schema;
  return [...labels, ...(former?.labels ?? [])].find((one) => one.key === key)?.name ?? key;
}

/** Its colour on the images; white where no version had it. */
export function labelColor(read: Pick<Read, "schema">, key: string): string {
  const { labels, former } = read.schema;
  return [...labels, ...(former?.labels ?? [])].find((one) => one.key === key)?.color ?? "#ffffff";
}

export function questionText(read: Pick<Read, "schema">, key: string): string {
  const { questions, former } = read.schema;
  return [...questions, ...(former?.questions ?? [])].find((one) => one.key === key)?.text ?? key;
}

/** The label that new marks get: the one chosen while it is in use, else the first. */
export const chosenOf = (labels: Label[], chosen: string | null): string | null =>
  (inUse(labels).find((one) => one.key === chosen) ?? inUse(labels)[0])?.key ?? null;

/** The labels changed while this page was open: say so, and let nothing new be marked with what is gone. */
export function tellOfNewLabels(before: Read | null, now: Read): void {
  if (!before || before.id !== now.id || before.schema.version === now.schema.version) return;
  const sentence = t(
    "The labels changed to version {n}. Your marks went along; what changed is in the history.",
    {
      n: now.schema.version,
    },
  );
  room.setState((state) => ({
    label: chosenOf(now.schema.labels, state.label),
    notice: { sentence, act: null, does: null },
  }));
}
