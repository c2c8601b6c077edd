/** While the server finds the lesions among what the readers marked: how far it is, or that it failed. */
import { useStore } from "zustand";
import { compareAgain } from "../../adjudication/deciding";
import { judging } from "../../adjudication/store";
import type { Adjudication } from "../../api/adjudication";
import { mayMark } from "../../store/room";
import { t } from "../../words";
import { useRoom } from "../use";

export function Comparing({ comparing }: { comparing: NonNullable<Adjudication["comparing"]> }) {
  const busy = useStore(judging, (state) => state.busy);
  const problem = useStore(judging, (state) => state.problem);
  const may = useRoom(mayMark);
  const { done, total, failed } = comparing;
  if (failed) {
    return (
      <div className="small note" role="alert" data-testid="comparing-failed">
        <p className="bad">{problem ?? t("The reads could not be compared. Nothing is lost.")}</p>
        {may && (
          <button type="button" className="btn s28" disabled={busy} onClick={() => void compareAgain()}>
            {t("Try again")}
          </button>
        )}
      </div>
    );
  }
  const says =
    total === null
      ? t("Comparing the reads …")
      : t("Comparing the reads: {done} of {total} lesions …", { done, total });
  return (
    <div className="small note" role="status" data-testid="comparing">
      <p>{says}</p>
      <progress max={total ?? undefined} value={total === null ? undefined : done} aria-label={says} />
      <p className="sub">{t("You can look at the images meanwhile.")}</p>
    </div>
  );
}
