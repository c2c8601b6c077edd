/** Changes that came too late, or onto something newer: kept aside on the server until their reader decides. */
import { useEffect, useState } from "react";
import type { Edit, ObjectRef, ParkedEdit, Read } from "../api/types";
import { keyOf } from "../journal/objects";
import { client, journal, sentenceOf } from "../session";
import { mayMark } from "../store/room";
import { t, tn } from "../words";
import { answerText, momentText } from "./moments";
import { useRoom } from "./use";
import { KINDS } from "./words";

export function Parked({ read }: { read: Read }) {
  const [kept, setKept] = useState<ParkedEdit[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const may = useRoom(mayMark);
  const count = useRoom((state) => state.report?.parked ?? 0);
  const conflicts = useRoom((state) => state.report?.conflicts);
  const isReader = read.you.capacity === "reader";
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again whenever more was kept aside or settled
  useEffect(() => {
    if (!isReader) return;
    let gone = false;
    client
      .parked()
      .then(({ results }) => !gone && setKept(results))
      .catch(() => {
        // Nothing is lost: it is asked for again with the next change.
      });
    return () => {
      gone = true;
    };
  }, [isReader, count, conflicts?.length]);
  // What is asked in "Changed in two places" isn't asked here as well.
  const open = new Set(conflicts?.map(({ object }) => keyOf(object)));
  const groups = new Map<string, ParkedEdit[]>();
  for (const one of kept) {
    if (!open.has(keyOf(one.edit.object)))
      groups.set(one.edit.group, [...(groups.get(one.edit.group) ?? []), one]);
  }
  if (!groups.size) return null;
  const settle = async (group: ParkedEdit[]) => {
    try {
      for (const { edit } of group) await client.settleParked(edit.id);
      setProblem(null);
      setKept((now) => now.filter((one) => !group.includes(one)));
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <section className="sec parked" data-testid="parked">
      <header>
        <h2>{t("Kept aside")}</h2>
        <span className="end faint">{t("not in this read")}</span>
      </header>
      {[...groups].map(([group, edits]) => (
        <div key={group} className="choice">
          <p>
            {whatText(read, edits)}, {momentText(edits[0].edit.at)}.{" "}
            <span className="faint">{edits[0].reason}</span>
          </p>
          <div className="row tight">
            {may && (
              <button
                type="button"
                className="btn s28"
                data-testid="take-parked"
                title={t("On top of what is there now; undo takes it back")}
                onClick={() => {
                  journal.commit(edits.map(({ edit: { object, value } }) => ({ object, value })));
                  void settle(edits);
                }}
              >
                {t("Put it in now")}
              </button>
            )}
            <button
              type="button"
              className="btn s28"
              data-testid="drop-parked"
              title={t("It stays on the server, and isn't asked again")}
              onClick={() => void settle(edits)}
            >
              {t("Leave it out")}
            </button>
          </div>
        </div>
      ))}
      {problem && <p className="emptysay bad">{problem}</p>}
    </section>
  );
}

function whatText(read: Read, group: ParkedEdit[]): string {
  const slices = group.filter(({ edit }) => "sop" in edit.object).length;
  const value = group
    .map(({ edit }) => edit.value)
    .find((one): one is NonNullable<Edit["value"]> => one !== null);
  if (value && "answer" in value) return answerText(read, value);
  if (value && "kind" in value) {
    const label = read.schema.labels.find((one) => one.key === value.label)?.name ?? value.label;
    return `${label}, ${KINDS[value.kind].toLowerCase()}`;
  }
  if (slices) return tn(slices, "{n} mask slice", "{n} mask slices");
  return t("A deletion");
}

/** The reader chose between two versions: what was kept aside of this object is settled with that. */
export async function settleFor(object: ObjectRef): Promise<void> {
  try {
    const { results } = await client.parked();
    const about = results.filter(({ edit }) => keyOf(edit.object) === keyOf(object));
    for (const { edit } of about) await client.settleParked(edit.id);
  } catch {
    // It is still listed as kept aside, then.
  }
}
