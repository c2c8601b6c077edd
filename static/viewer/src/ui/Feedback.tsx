/** A training case that was handed in: how it compares with the reference standard, and where that lies. */
import { useEffect, useState } from "react";
import type { Read, Feedback as Told } from "../api/types";
import { importedSlices } from "../marking";
import { jumpTo } from "../moving";
import { client, sentenceOf } from "../session";
import { applyObjects, type Mark, makeMarks } from "../store/marks";
import { room } from "../store/room";
import { t, tn } from "../words";
import { useRoom } from "./use";

const AGAIN_MS = 2000;

/** The reference's marks, as the page keeps marks. */
export function marksOf({ reference }: Told): Mark[] {
  const store = makeMarks();
  applyObjects(
    [
      ...reference.annotations.map(({ id, value }) => ({ object: { annotation: id }, value })),
      ...reference.planes.map(({ annotation, sop, frame, ...plane }) => ({
        object: { annotation, sop, frame },
        value: { rows: 0, columns: 0, ...plane },
      })),
    ],
    store,
  );
  return [...store.getState().marks.values()];
}

const nameOf = (mark: Mark): string => `reference-${mark.id}`;

export function Feedback({ read }: { read: Read }) {
  const due = Boolean(read.is_training) && ["submitted", "accepted"].includes(read.state);
  const [told, setTold] = useState<Told | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const shown = useRoom((state) => state.outlined.some((id) => id.startsWith("reference-")));
  useEffect(() => {
    if (!due) return;
    let timer = 0;
    let gone = false;
    const ask = async () => {
      try {
        const found = await client.feedback();
        if (gone) return;
        setTold(found);
        if (!found.ready) timer = window.setTimeout(ask, AGAIN_MS);
      } catch (error) {
        if (!gone) setProblem(sentenceOf(error));
      }
    };
    void ask();
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [due]);
  if (!read.is_training) return null;
  if (!due) {
    return (
      <p className="emptysay" data-testid="training">
        {t("A training case: once you have submitted, you see how you compare with the reference.")}
      </p>
    );
  }
  const marks = told ? marksOf(told) : [];
  const toggle = () => {
    const segments = marks.filter((mark) => mark.slices.size);
    for (const mark of segments) importedSlices.set(nameOf(mark), [...mark.slices.values()]);
    room.setState((state) => ({
      outlined: shown
        ? state.outlined.filter((id) => !id.startsWith("reference-"))
        : [...state.outlined, ...segments.map(nameOf)],
    }));
    if (!shown && marks[0]) jumpTo(marks[0]);
  };
  return (
    <section className="sec" data-testid="feedback">
      <header>
        <h2>{t("Compared with the reference")}</h2>
        {marks.length > 0 && (
          <button type="button" className="linkish end" aria-pressed={shown} onClick={toggle}>
            {shown ? t("Hide the reference") : t("Show the reference")}
          </button>
        )}
      </header>
      {problem && <p className="emptysay bad">{problem}</p>}
      {told && !told.ready && <p className="emptysay">{t("The numbers are being computed.")}</p>}
      {told?.ready && <Table told={told} />}
      {shown && <p className="emptysay">{t("The dashed outline is the reference.")}</p>}
      {marks.map((mark) => (
        <button key={mark.id} type="button" className="linkish gothere" onClick={() => jumpTo(mark)}>
          {t("Reference: {name}", { name: labelOf(read, mark) })}
        </button>
      ))}
    </section>
  );
}

const labelOf = (read: Read, mark: Mark): string =>
  read.schema.labels.find(({ key }) => key === mark.value.label)?.name ?? mark.value.label;

const share = (value: number | null): string => (value === null ? "–" : value.toFixed(2));
const millilitres = (value: number | null): string => (value === null ? "–" : (value / 1000).toFixed(1));

function Table({ told }: { told: Told }) {
  return (
    <table className="compared">
      <thead>
        <tr>
          <th>{t("Label")}</th>
          <th title={t("How much of both overlaps: 1 is the same, 0 nothing")}>{t("Dice")}</th>
          <th title={t("How far the edges are apart, but for the worst 5 %")}>{t("HD95, mm")}</th>
          <th>{t("You, mL")}</th>
          <th>{t("Reference, mL")}</th>
        </tr>
      </thead>
      <tbody>
        {told.labels.map((one) => (
          <tr key={one.label}>
            <th scope="row">
              {one.name}
              <span className="faint">
                {one.both_empty
                  ? t("both found nothing")
                  : one.unmatched > 0
                    ? tn(one.unmatched, "{n} lesion without a partner", "{n} lesions without a partner")
                    : ""}
              </span>
            </th>
            <td>{share(one.dice)}</td>
            <td>{one.hd95_mm === null ? "–" : one.hd95_mm.toFixed(1)}</td>
            <td>{millilitres(one.your_volume_mm3)}</td>
            <td>{millilitres(one.reference_volume_mm3)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
