/** Two versions of one thing: say what it is, show either, let the reader choose. */
import { useStore } from "zustand";
import type { AnswerValue, ObjectRef } from "../api/types";
import { frameIndex } from "../engine/geometry";
import { isPlane, keyOf } from "../journal/objects";
import type { Conflict } from "../journal/outside";
import { journal } from "../session";
import { marks, numbered } from "../store/marks";
import { t } from "../words";
import { answerText } from "./moments";
import { settleFor } from "./Parked";
import { useRoom } from "./use";
import { KINDS } from "./words";

export function Conflicts() {
  const conflicts = useRoom((state) => state.report?.conflicts);
  if (!conflicts?.length) return null;
  return (
    <section className="sec conflict" role="alert">
      <header>
        <h2>{t("Changed in two places")}</h2>
      </header>
      {conflicts.map((conflict) => (
        <One key={keyOf(conflict.object)} conflict={conflict} />
      ))}
    </section>
  );
}

async function choose(object: ObjectRef, whose: "mine" | "theirs"): Promise<void> {
  await journal.choose(object, whose);
  await settleFor(object);
}

function One({ conflict }: { conflict: Conflict }) {
  const all = useStore(marks, (state) => state.marks);
  const read = useRoom((state) => state.read);
  const manifests = useRoom((state) => state.manifests);
  const { object, theirs, mine } = conflict;
  const row = numbered(all).find(({ mark }) => mark.id === object.annotation);
  const said = [theirs, mine].find((one) => one && "answer" in one) as AnswerValue | undefined;
  const value =
    row?.mark.value ?? (theirs && "kind" in theirs ? theirs : mine && "kind" in mine ? mine : null);
  const label = read?.schema.labels.find((one) => one.key === value?.label)?.name ?? t("A finding");
  const manifest = value ? manifests[value.series] : undefined;
  const slice = isPlane(object) && manifest ? frameIndex(manifest, object.sop, object.frame) + 1 : null;
  const name = `${label}${row ? ` ${row.number}` : ""}`;
  const what = said
    ? answerText(read!, said).split(":")[0]
    : slice
      ? t("Slice {slice} of {name}", { slice, name })
      : `${name}${value ? `, ${KINDS[value.kind].toLowerCase()},` : ""}`;
  return (
    <div className="choice">
      <p>
        {theirs === null
          ? t("{what} was deleted in another window or on another computer.", { what })
          : t("{what} was changed in another window or on another computer.", { what })}{" "}
        {t("You see your own version. Whichever you choose, the other stays in the history.")}
      </p>
      <div className="row">
        <button
          type="button"
          className="btn s28"
          data-testid="keep-mine"
          onClick={() => void choose(object, "mine")}
        >
          {t("Keep mine")}
        </button>
        <button
          type="button"
          className="btn s28"
          data-testid="take-theirs"
          onClick={() => void choose(object, "theirs")}
        >
          {theirs === null ? t("Let it be deleted") : t("Take the other")}
        </button>
      </div>
    </div>
  );
}
