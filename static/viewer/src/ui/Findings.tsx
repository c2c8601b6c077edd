/** The right panel: what the reader has found, the chosen finding, comments, imported marks, the last step. */
import { Plus, Trash2 } from "lucide-react";
import { useStore } from "zustand";
import type { AnnotationValue, Label } from "../api/types";
import { valueAt } from "../engine/decode";
import { spoils } from "../engine/geometry";
import { measure, statistics } from "../journal/measure";
import { addSegment, change, remove, stateAbsent } from "../marking";
import { jumpTo } from "../moving";
import { frames } from "../session";
import { type Mark, marks, numbered } from "../store/marks";
import { mayMark, room } from "../store/room";
import { Comments } from "./Comments";
import { Conflicts } from "./Conflicts";
import { ImportedMarks } from "./ImportedMarks";
import { LastStep } from "./LastStep";
import { useRoom } from "./use";
import {
  FOUR_STATES,
  figure,
  KINDS,
  measuredText,
  planeOfMark,
  sliceText,
  statisticsText,
  volumeOf,
  volumeText,
} from "./words";

export function Findings() {
  const read = useRoom((state) => state.read);
  if (!read) return <aside className="findings" />;
  return (
    <aside className="findings" aria-label="Findings">
      <div className="scroll">
        <Conflicts />
        <Comments />
        <Labels labels={read.schema.labels} />
        <List />
        <Chosen />
        <ImportedMarks />
      </div>
      <LastStep />
    </aside>
  );
}

function Labels({ labels }: { labels: Label[] }) {
  const chosen = useRoom((state) => state.label);
  const may = useRoom(mayMark);
  if (!may) return null;
  return (
    <section className="sec">
      <header>
        <h2>Label of new marks</h2>
        <span className="end faint">Schema {room.getState().read?.schema.version}</span>
      </header>
      <div className="labels" role="radiogroup" aria-label="Label of new marks">
        {labels.map((label) => (
          <button
            key={label.key}
            type="button"
            role="radio"
            aria-checked={label.key === chosen}
            title={`${label.code?.meaning ?? label.name}: ${label.kinds.map((kind) => KINDS[kind].toLowerCase()).join(", ")}`}
            data-testid={`label-${label.key}`}
            onClick={() => room.setState({ label: label.key, selected: null })}
          >
            <i className="swatch" style={{ background: label.color }} />
            {label.name}
            {label.required && <span className="faint">required</span>}
          </button>
        ))}
      </div>
    </section>
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
  const missing = labels.filter(
    (label) => label.required && !rows.some(({ mark }) => mark.value.label === label.key),
  );
  const segments = labels.some((label) => label.kinds.includes("segment"));
  return (
    <section className="sec list">
      <header>
        <h2>Findings</h2>
        <span className="faint small">{rows.length || ""}</span>
        {may && segments && (
          <button
            type="button"
            className="linkish end"
            data-testid="add-segment"
            title="A new segment with the chosen label (A)"
            disabled={!series}
            onClick={() => {
              if (series && addSegment(series)) room.setState({ tool: "brush" });
            }}
          >
            <Plus size={13} aria-hidden="true" />
            New segment
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
                  title={`${label?.name ?? mark.value.label} ${number}, ${KINDS[mark.value.kind].toLowerCase()}: go there`}
                  data-annotation={mark.id}
                  onClick={() => jumpTo(mark)}
                >
                  <i className="swatch" style={{ background: label?.color }} />
                  <span className="clip">
                    <b>
                      {label?.name ?? mark.value.label} {number}
                    </b>{" "}
                    <span className="faint">{KINDS[mark.value.kind].toLowerCase()}</span>
                  </span>
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
            ? "Nothing marked yet. Press B to paint, D or X to measure."
            : "Nothing is marked in this read."}
        </p>
      )}
      {may &&
        missing.map((label) => (
          <p key={label.key} className="emptysay miss">
            <i className="swatch" style={{ background: label.color }} />
            <span>{label.name} is required and not marked.</span>
            {label.kinds.includes("segment") && series && (
              <button
                type="button"
                className="linkish"
                data-testid={`absent-${label.key}`}
                title="Looked, nothing there"
                onClick={() => stateAbsent(series, label.key)}
              >
                State it absent
              </button>
            )}
          </p>
        ))}
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
          {mark.value.origin.from === "imported"
            ? "copied from an import"
            : KINDS[mark.value.kind].toLowerCase()}
        </span>
        <span className="end faint small">{manifest && figure(mark, manifest)}</span>
      </header>
      <div className="seg" role="radiogroup" aria-label="Is it there?">
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
        <label htmlFor="mark-label">Label</label>
        <select
          id="mark-label"
          className="pickbox"
          disabled={!may}
          value={mark.value.label}
          onChange={(event) => set({ label: event.target.value })}
        >
          {labels
            .filter((label) => label.kinds.includes(mark.value.kind) || label.key === mark.value.label)
            .map((label) => (
              <option key={label.key} value={label.key}>
                {label.name}
              </option>
            ))}
        </select>
      </div>
      <div className="q">
        <label htmlFor="mark-note">Note</label>
        <textarea
          id="mark-note"
          key={mark.id + mark.value.note}
          className="notebox"
          rows={2}
          disabled={!may}
          defaultValue={mark.value.note}
          placeholder={may ? "Anything the numbers don't say" : "No note"}
          data-testid="note"
          onBlur={(event) => {
            if (event.target.value !== mark.value.note) set({ note: event.target.value });
          }}
        />
      </div>
      <Numbers mark={mark} />
      {may && (
        <button
          type="button"
          className="btn s28 quiet danger"
          title="Delete this finding (Backspace); undo brings it back"
          data-testid="delete"
          onClick={() => remove(mark.id)}
        >
          <Trash2 size={13} aria-hidden="true" />
          Delete
        </button>
      )}
    </section>
  );
}

function Numbers({ mark }: { mark: Mark }) {
  const manifest = useRoom((state) => state.manifests[mark.value.series]);
  const progress = useRoom((state) => state.progress[mark.value.series]);
  if (!manifest) return null;
  const rows: [string, string][] = [];
  if (mark.value.kind === "segment") {
    if (mark.voxels) {
      rows.push([
        "Voxels",
        `${mark.voxels} on ${mark.slices.size} slice${mark.slices.size === 1 ? "" : "s"}`,
      ]);
      const volume = volumeOf(mark, manifest);
      rows.push(["ml" in volume ? "Volume" : "Size", volumeText(mark, manifest)]);
      if ("why" in volume) rows.push(["No mL", volume.why]);
    }
  } else {
    const at = planeOfMark(mark, manifest);
    if (!at) return <p className="emptysay">Its image is no longer in this series.</p>;
    const numbers = measure(mark.value, at.plane);
    const text = measuredText(numbers);
    if (text)
      rows.push([numbers.area !== null ? "Area" : numbers.short !== null ? "Long × short" : "Length", text]);
    const pixels = frames.get(mark.value.series)?.pixels[at.index];
    const found =
      pixels && !pixels.colour && progress
        ? statistics(mark.value, at.plane, (c, r) =>
            valueAt(manifest, at.index, pixels, r * pixels.columns + c),
          )
        : null;
    if (found) {
      rows.push(["Mean ± SD", statisticsText(found.mean, found.deviation, manifest)]);
    }
    if (numbers.unit === "px")
      rows.push(["Scale", spoils(manifest, "millimetres") ?? "Not calibrated: pixels, no millimetres."]);
    if (numbers.estimate) rows.push(["Scale", "estimate: by the magnification that the device estimated"]);
  }
  return (
    <dl className="nums">
      {rows.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
