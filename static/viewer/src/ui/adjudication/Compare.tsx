/** The right panel of an adjudication: the lesion in numbers, what it becomes, answers, areas. */
import { useStore } from "zustand";
import { judging, lesionOf } from "../../adjudication/store";
import type { Read } from "../../api/types";
import { t } from "../../words";
import { CaseAnswers, LesionAnswers } from "./Answers";
import { Areas } from "./Areas";
import { Differences } from "./Differences";
import { Result } from "./Result";

export function Compare({ read }: { read: Read }) {
  const now = useStore(judging, (state) => state.now);
  const lesion = useStore(judging, lesionOf);
  const isHere = useStore(judging, (state) => state.states.size > 0);
  const problem = useStore(judging, (state) => state.problem);
  if (!now) return <p className="sec small sub">{problem ?? t("Fetching the readers' marks.")}</p>;
  return (
    <div className="compare">
      {!isHere && !now.comparing && now.readers.length > 0 && (
        <p className="sec small sub">{problem ?? t("Fetching the readers' marks.")}</p>
      )}
      {lesion && (
        <>
          <Differences now={now} lesion={lesion} />
          <Result now={now} lesion={lesion} />
          <LesionAnswers now={now} lesion={lesion} />
          <Areas now={now} lesion={lesion} />
        </>
      )}
      <CaseAnswers now={now} read={read} />
    </div>
  );
}
