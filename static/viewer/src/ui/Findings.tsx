/** The right panel: labels, findings, questions, proposals, comments, what was done, the last step. */

import { FileInput, Plus, Trash2 } from "lucide-react";
import { useStore } from "zustand";
import type { AnnotationValue } from "../api/types";
import { firstKey } from "../commands";
import { inUse } from "../labels";
import { addSegment, change, remove } from "../marking";
import { jumpTo } from "../moving";
import { marks, numbered } from "../store/marks";
import { mayMark, room } from "../store/room";
import { t } from "../words";
import { Compare } from "./adjudication/Compare";
import { Decide } from "./adjudication/Decide";
import { Conflicts } from "./Conflicts";
import { Feedback } from "./Feedback";
import { Forms, Questions } from "./Forms";
import { History, PastBar } from "./History";
import { Labels } from "./Labels";
import { LastStep } from "./LastStep";
import { MarkActions, MarkSigns } from "./MarkActions";
import { MaskPanel } from "./MaskPanel";
import { Numbers } from "./Numbers";
import { Parked } from "./Parked";
import { FromProposal, Proposals } from "./Proposals";
import { Changes } from "./review/Changes";
import { Comments } from "./review/Comments";
import { Told } from "./review/Incidental";
import { type Side, side } from "./side";
import { useRoom } from "./use";
import { FOUR_STATES, figure, KINDS, sliceText } from "./words";

export function Findings() {
  const read = useRoom((state) => state.read);
  const shown = useStore(side, (state) => state.shown);
  if (!read) return <aside className="findings" />;
  return (
    <aside className="findings" aria-label={t("Findings")}>
      <Tabs />
      <PastBar />
      <div className="scroll" id="side" role="tabpanel" aria-labelledby={`tab-${shown}`}>
        {shown === "history" ? (
          <History read={read} />
        ) : shown === "compare" ? (
          <Compare read={read} />
        ) : (
          <>
            <Conflicts />
            <Parked read={read} />
            <Comments />
            <Changes />
            <Told />
            <Labels read={read} />
            <List />
            <Chosen />
            <Forms />
            <Proposals />
            <Feedback read={read} />
          </>
        )}
      </div>
      {read.adjudication ? <Decide read={read} /> : <LastStep />}
    </aside>
  );
}

/** Findings, and what was done: one of them at a time. */
function Tabs() {
  const shown = useStore(side, (state) => state.shown);
  const adjudicates = useRoom((state) => Boolean(state.read?.adjudication));
  const tabs: [Side, string][] = [
    ...(adjudicates ? [["compare", t("Compare")] as [Side, string]] : []),
    ["findings", t("Findings")],
    ["history", t("History")],
  ];
  return (
    <div className="tabs" role="tablist" aria-label={t("Parts of this panel")}>
      {tabs.map(([name, word]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={shown === name}
          aria-controls="side"
          data-testid={`tab-${name}`}
          onClick={() => side.setState({ shown: name })}
        >
          {word}
        </button>
      ))}
    </div>
  );
}

function List() {
  const all = useStore(marks, (state) => state.marks);
  const read = useRoom((state) => state.read);
  const selected = useRoom((state) => state.selected);
  const manifests = useRoom((state) => state.manifests);
  const series = useRoom((state) => state.panes[state.active].series);
  const loaded = useRoom((state) => state.report !== null);
  const may = useRoom(mayMark);
  const rows = numbered(all);
  const labels = read?.schema.labels ?? [];
  const segments = inUse(labels).some((label) => label.kinds.includes("segment"));
  return (
    <section className="sec list">
      <header>
        <h2>{t("Findings")}</h2>
        <span className="faint small">{rows.length || ""}</span>
        {may && segments && (
          <button
            type="button"
            className="linkish end"
            data-testid="add-segment"
            title={t("A new segment with the chosen label ({key})", { key: firstKey("mask.segment") })}
            disabled={!series}
            onClick={() => {
              if (series && addSegment(series)) room.setState({ tool: "brush" });
            }}
          >
            <Plus size={13} aria-hidden="true" />
            {t("New segment")}
          </button>
        )}
      </header>
      {rows.length > 0 && (
        <ul className="les" data-testid="findings">
          {rows.map(({ mark, number }) => {
            const label = labels.find((one) => one.key === mark.value.label);
            return (
              <li key={mark.id} className={mark.id === selected ? "sel" : ""}>
                <button
                  type="button"
                  aria-pressed={mark.id === selected}
                  data-testid="finding"
                  title={t("{what}: go there", {
                    what: `${label?.name ?? mark.value.label} ${number}, ${KINDS[mark.value.kind].toLowerCase()}`,
                  })}
                  data-annotation={mark.id}
                  onClick={() => jumpTo(mark)}
                >
                  <i className="swatch" style={{ background: label?.color }} />
                  <span className="clip">
                    <b>
                      {label?.name ?? mark.value.label} {number}
                    </b>{" "}
                    <span className="faint">{KINDS[mark.value.kind].toLowerCase()}</span>{" "}
                    {mark.value.origin.from === "imported" && (
                      <FileInput size={12} role="img" aria-label={t("from a proposal")} />
                    )}
                  </span>
                  <MarkSigns mark={mark} />
                  <span className="num">{figure(mark, manifests[mark.value.series])}</span>
                  <span className="num faint">{sliceText(mark, manifests[mark.value.series])}</span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {!rows.length && loaded && (
        <p className="emptysay">
          {may
            ? t("Nothing marked yet. Press {brush} to paint, {length} or {axes} to measure.", {
                brush: firstKey("tool.brush"),
                length: firstKey("tool.length"),
                axes: firstKey("tool.bidirectional"),
              })
            : t("Nothing is marked in this read.")}
        </p>
      )}
    </section>
  );
}

function Chosen() {
  const selected = useRoom((state) => state.selected);
  const mark = useStore(marks, (state) => (selected ? state.marks.get(selected) : undefined));
  const all = useStore(marks, (state) => state.marks);
  const read = useRoom((state) => state.read);
  const manifest = useRoom((state) => (mark ? state.manifests[mark.value.series] : undefined));
  const may = useRoom(mayMark);
  if (!mark || !read) return null;
  const labels = read.schema.labels;
  const number = numbered(all).find((row) => row.mark.id === mark.id)?.number;
  const name = labels.find((label) => label.key === mark.value.label)?.name ?? mark.value.label;
  const set = (part: Partial<AnnotationValue>) => change(mark.id, part);
  return (
    <section className="sec" data-testid="chosen">
      <header>
        <h2>
          {name} {number}
        </h2>
        <span className="faint small">
          {mark.value.origin.from === "imported" ? (
            <FromProposal mark={mark} />
          ) : (
            KINDS[mark.value.kind].toLowerCase()
          )}
        </span>
        <span className="end faint small">{manifest && figure(mark, manifest)}</span>
      </header>
      <div className="seg" role="radiogroup" aria-label={t("Is it there?")}>
        {FOUR_STATES.map(([state, word]) => (
          <button
            key={state}
            type="button"
            aria-pressed={mark.value.state === state}
            disabled={!may}
            data-testid={`state-${state}`}
            onClick={() => set({ state })}
          >
            {word}
          </button>
        ))}
      </div>
      <div className="q">
        <label htmlFor="mark-label">{t("Label")}</label>
        <select
          id="mark-label"
          className="pickbox"
          disabled={!may}
          value={mark.value.label}
          onChange={(event) => set({ label: event.target.value })}
        >
          {labels
            .filter(
              (label) =>
                (label.kinds.includes(mark.value.kind) && !label.retired) || label.key === mark.value.label,
            )
            .map((label) => (
              <option key={label.key} value={label.key}>
                {label.name}
              </option>
            ))}
        </select>
      </div>
      <div className="q">
        <label htmlFor="mark-note">{t("Note")}</label>
        <textarea
          id="mark-note"
          key={mark.id + mark.value.note}
          className="notebox"
          rows={2}
          disabled={!may}
          defaultValue={mark.value.note}
          placeholder={may ? t("Anything the numbers don't say") : t("No note")}
          data-testid="note"
          onBlur={(event) => {
            if (event.target.value !== mark.value.note) set({ note: event.target.value });
          }}
        />
      </div>
      <Questions of="annotation" about={mark.id} />
      <Numbers mark={mark} />
      <MarkActions mark={mark} />
      {may && mark.value.kind === "segment" && <MaskPanel mark={mark} />}
      {may && (
        <button
          type="button"
          className="btn s28 quiet danger"
          title={t("Delete this finding ({key}); undo brings it back", { key: firstKey("change.delete") })}
          data-testid="delete"
          onClick={() => remove(mark.id)}
        >
          <Trash2 size={13} aria-hidden="true" />
          {t("Delete")}
        </button>
      )}
    </section>
  );
}
