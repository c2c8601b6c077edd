/** The labels: which one new marks get, and whether the case shows what they name. */
import { Ban, Check, CircleHelp, Minus } from "lucide-react";
import { useStore } from "zustand";
import { saidIn, stateLabel } from "../answering";
import type { FourState, Label, Read } from "../api/types";
import { inUse } from "../labels";
import { marks } from "../store/marks";
import { mayMark, room } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";
import { FOUR_STATES, KINDS } from "./words";

const ICONS: Record<FourState, typeof Check> = {
  present: Check,
  absent: Ban,
  indeterminate: CircleHelp,
  not_assessed: Minus,
};

export function Labels({ read }: { read: Read }) {
  const may = useRoom(mayMark);
  const states = useStore(marks, (state) => state.answers);
  const isStated = [...states.values()].some(({ of }) => of === "label");
  if (!may && !isStated) return null;
  return (
    <section className="sec labelsec">
      <header>
        <h2>{may ? t("Label of new marks") : t("Labels")}</h2>
        <span className="end faint">{t("Is it in this case?")}</span>
      </header>
      <ul className="labelrows">
        {inUse(read.schema.labels).map((label) => (
          <Row key={label.key} label={label} />
        ))}
      </ul>
    </section>
  );
}

function Row({ label }: { label: Label }) {
  const chosen = useRoom((state) => state.label === label.key);
  const may = useRoom(mayMark);
  const stated = useStore(marks, (state) => saidIn(state)("label", label.key, "state"));
  const marked = useStore(marks, (state) =>
    [...state.marks.values()].some(({ value }) => value.label === label.key && value.state === "present"),
  );
  const kinds = label.kinds.map((kind) => KINDS[kind].toLowerCase()).join(", ");
  return (
    <li id={`label-${label.key}`} className={stated === undefined && !marked && label.required ? "miss" : ""}>
      <button
        type="button"
        className="labelname"
        aria-pressed={may && chosen}
        disabled={!may}
        title={`${label.code?.meaning ?? label.name}: ${kinds}`}
        data-testid={`label-${label.key}`}
        onClick={() => room.setState({ label: label.key, selected: null })}
      >
        <i className="swatch" style={{ background: label.color }} />
        <span className="clip">{label.name}</span>
        {label.required && <span className="faint">{t("required")}</span>}
      </button>
      <span className="states" role="group" aria-label={t("Is {label} in this case?", { label: label.name })}>
        {FOUR_STATES.map(([state, word]) => {
          const Icon = ICONS[state];
          const implied = stated === undefined && marked && state === "present";
          return (
            <button
              key={state}
              type="button"
              aria-pressed={stated === state}
              className={implied ? "implied" : ""}
              disabled={!may}
              title={implied ? t("Marked as present") : t(word)}
              aria-label={t(word)}
              data-testid={`case-${label.key}-${state}`}
              onClick={() => stateLabel(label.key, state)}
            >
              <Icon size={14} aria-hidden="true" />
            </button>
          );
        })}
      </span>
    </li>
  );
}
