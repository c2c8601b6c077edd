/** The images of an adjudication: all readers in three planes above, each reader's own below, the slices under them. */
import type { CSSProperties, ReactNode } from "react";
import { useStore } from "zustand";
import { besides, READERS_MOST, turnReaders } from "../../adjudication/panes";
import { judging, lesionOf } from "../../adjudication/store";
import { t } from "../../words";
import { Film } from "./Film";

/** Divides by every number of readers that stand beside each other. */
const COLUMNS = 60;
const LARGE = 35;

/** Where an image stands: the first large, two cuts beside it, the readers in a row below. */
function areaOf(which: number, hasCuts: boolean, readers: number): CSSProperties {
  if (which === 0) return { gridArea: `1 / 1 / 3 / ${hasCuts ? LARGE + 1 : COLUMNS + 1}` };
  const first = hasCuts ? 3 : 1;
  if (which < first) return { gridArea: `${which} / ${LARGE + 1} / ${which + 1} / ${COLUMNS + 1}` };
  const wide = COLUMNS / Math.max(1, readers);
  const left = 1 + Math.round((which - first) * wide);
  return { gridArea: `3 / ${left} / 4 / ${left + Math.round(wide)}` };
}

export function Beside({ image }: { image: (which: number) => ReactNode }) {
  const state = useStore(judging);
  const { roles, hasCuts, now, from } = state;
  const shown = besides(state).length;
  const all = now?.readers.length ?? 0;
  return (
    <div className="beside">
      <div
        className="panes"
        style={{ gridTemplate: `repeat(3, minmax(0, 1fr)) / repeat(${COLUMNS}, minmax(0, 1fr))` }}
      >
        {roles.map((_, which) => (
          <div key={which} className="paneslot" style={areaOf(which, hasCuts, shown)}>
            {image(which)}
          </div>
        ))}
      </div>
      {all > READERS_MOST && lesionOf(state) && (
        <div className="morereaders row small">
          <button type="button" className="linkish" disabled={from === 0} onClick={() => turnReaders(-1)}>
            {t("Readers before")}
          </button>
          <span className="faint">
            {t("Readers {first} to {last} of {all}", { first: from + 1, last: from + shown, all })}
          </span>
          <button
            type="button"
            className="linkish"
            disabled={from + shown >= all}
            onClick={() => turnReaders(1)}
          >
            {t("Readers after")}
          </button>
        </div>
      )}
      <Film />
    </div>
  );
}
