/** Telling the data managers of something dangerous outside the question, and what came of it. */
import { Crosshair, Siren } from "lucide-react";
import { useState } from "react";
import { useStore } from "zustand";
import type { Incidental as Finding } from "../../api/review";
import { frameIndex } from "../../engine/geometry";
import { jumpToPlace } from "../../moving";
import { sentenceOf } from "../../session";
import { closeDialog, openDialog } from "../../store/dialog";
import { incidental } from "../../store/incidental";
import { room } from "../../store/room";
import { placeTold, pointToIt, studyOf, tell } from "../../telling";
import { t, tn } from "../../words";
import { Dialog } from "../Dialog";
import { momentText } from "../moments";
import { useRoom } from "../use";
import { dateText } from "../words";

export const Incidental = () => (
  <Dialog name="incidental" title={t("Tell of an incidental finding")} className="incidental">
    <Form />
  </Dialog>
);

/** "Slice 12 of CT chest, 14 Mar 2026", of what would be told now. */
function placeText(): string {
  const place = placeTold();
  const { read, manifests } = room.getState();
  const manifest = place?.series ? manifests[place.series] : undefined;
  if (!place?.sop || !manifest) return t("the whole case");
  const study = read?.studies.find((one) => one.id === studyOf(place.series));
  const name = manifest.series.description || manifest.series.modality;
  const slice = frameIndex(manifest, place.sop, place.frame ?? 1) + 1;
  return t("slice {n} of {name}, {date}", { n: slice, name, date: dateText(study?.date ?? null) });
}

function Form() {
  const { text, urgent, pin } = useStore(incidental);
  const [problem, setProblem] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const send = async () => {
    setSending(true);
    try {
      await tell();
      closeDialog();
    } catch (error) {
      setProblem(t("It is not sent. {why}", { why: sentenceOf(error) }));
      setSending(false);
    }
  };
  return (
    <form
      className="tellform"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() && !sending) void send();
      }}
    >
      <p className="sub">
        {t(
          "Something dangerous outside the question goes to the people who look after these images. They learn the place, your words and your name; nobody sees your marks, and other readers learn nothing.",
        )}
      </p>
      <textarea
        className="notebox"
        rows={4}
        maxLength={4000}
        data-first
        aria-label={t("What you saw")}
        placeholder={t("What you saw")}
        value={text}
        data-testid="incidental-text"
        onChange={(event) => incidental.setState({ text: event.target.value })}
      />
      <div className="row">
        <span>
          {pin ? t("At a point on {place}", { place: placeText() }) : t("On {place}", { place: placeText() })}
        </span>
        <button type="button" className="btn s28 end" data-testid="incidental-point" onClick={pointToIt}>
          <Crosshair size={14} aria-hidden="true" />
          {pin ? t("Point again") : t("Point to it on the image")}
        </button>
      </div>
      <label className="row urgent">
        <input
          type="checkbox"
          checked={urgent}
          data-testid="incidental-urgent"
          onChange={(event) => incidental.setState({ urgent: event.target.checked })}
        />
        {t("Urgent: the patient may need help soon. Call as well, this is no alarm.")}
      </label>
      {problem && <p className="emptysay bad">{problem}</p>}
      <div className="row">
        <button
          type="submit"
          className="btn primary"
          disabled={!text.trim() || sending}
          data-testid="send-incidental"
        >
          {t("Send to the data managers")}
        </button>
        <button type="button" className="btn quiet" onClick={closeDialog}>
          {t("Cancel")}
        </button>
      </div>
    </form>
  );
}

/** What this person told of the case, and what was done. */
export function Told() {
  const told = useRoom((state) => state.read?.incidental);
  if (!told?.length) return null;
  return (
    <section className="sec" data-testid="told">
      <header>
        <h2>{tn(told.length, "Incidental finding", "{n} incidental findings")}</h2>
        <button type="button" className="linkish end" onClick={() => openDialog("incidental")}>
          {t("Tell of another")}
        </button>
      </header>
      {told.map((finding) => (
        <div key={finding.id} className="cm told">
          <Siren size={14} aria-hidden="true" className={finding.urgent ? "bad" : ""} />
          <div>
            <p>{finding.text}</p>
            <p className="faint small">{cameOf(finding)}</p>
            {finding.answer && <p className="reply">{finding.answer}</p>}
            {finding.series && (
              <button type="button" className="linkish" onClick={() => jumpToPlace(finding)}>
                {t("Go there")}
              </button>
            )}
          </div>
        </div>
      ))}
    </section>
  );
}

function cameOf(finding: Finding): string {
  const { at, seen_at: seen, answered_at: answered, answered_by: by } = finding;
  if (answered) return t("Answered by {name}, {time}", { name: by ?? "", time: momentText(answered) });
  if (seen) return t("Seen by a data manager, {time}", { time: momentText(seen) });
  return t("Sent to the data managers, {time}", { time: momentText(at) });
}
