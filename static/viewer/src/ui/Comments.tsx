/** The reviewer's comments, pinned to places; a click goes there. */
import { useState } from "react";
import type { Comment } from "../api/types";
import { firstKey } from "../commands";
import { frameIndex } from "../engine/geometry";
import { jumpToComment } from "../moving";
import { client, reread, sentenceOf } from "../session";
import { room } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";

export function Comments() {
  const read = useRoom((state) => state.read);
  const manifests = useRoom((state) => state.manifests);
  const [problem, setProblem] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  if (!read) return null;
  const open = read.comments.filter((comment) => !comment.resolved);
  const settled = read.comments.length - open.length;
  const listed = all ? read.comments : open;
  const verdict = read.state === "returned" ? read.review : null;
  const by = verdict?.author ?? open[0]?.author;
  if (!read.comments.length && !read.you.may_judge && !verdict?.text) return null;
  const where = (comment: Comment): string => {
    const manifest = comment.series ? manifests[comment.series] : null;
    if (!manifest || !comment.sop) return t("the whole case");
    return t("slice {n}", { n: frameIndex(manifest, comment.sop, comment.frame ?? 1) + 1 });
  };
  const resolve = async (comment: Comment) => {
    try {
      await client.resolve(comment.id);
      setProblem(null);
      await reread();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <section className="sec" data-testid="comments">
      <header>
        <h2>{read.state === "returned" && by ? t("Returned by {name}", { name: by }) : t("Comments")}</h2>
        <span className="end faint">
          {read.comments.length > 0 && t("{n} open", { n: open.length })}
          {settled > 0 && (
            <>
              {", "}
              <button type="button" className="linkish" onClick={() => setAll(!all)}>
                {t("{n} settled", { n: settled })}
              </button>
            </>
          )}
        </span>
      </header>
      {verdict?.text && <p className="verdict">{verdict.text}</p>}
      {listed.map((comment) => (
        <div key={comment.id} className={comment.resolved ? "cm done" : "cm"}>
          <span className="pin">{comment.number}</span>
          <p>
            {comment.text}
            <br />
            <button
              type="button"
              className="linkish"
              data-testid="comment"
              onClick={() => jumpToComment(comment)}
            >
              {where(comment)}
            </button>
            {!comment.resolved && (read.you.may_judge || read.you.may_edit) && (
              <button type="button" className="linkish" onClick={() => void resolve(comment)}>
                {t("Settle")}
              </button>
            )}
            {comment.resolved && <span className="faint"> {t("settled")}</span>}
          </p>
        </div>
      ))}
      {problem && <p className="emptysay bad">{problem}</p>}
      {read.you.may_judge && <NewComment />}
    </section>
  );
}

function NewComment() {
  const pin = useRoom((state) => state.pin);
  const pane = useRoom((state) => state.panes[state.active]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const index = pane.shown ?? pane.wanted;
  const pinned =
    pin && manifest && pin.series === manifest.series.id ? frameIndex(manifest, pin.sop, pin.frame) : null;
  const send = async () => {
    if (!text.trim() || !manifest) return;
    setSending(true);
    const place = pin ?? {
      series: manifest.series.id,
      sop: manifest.frames.sop[index],
      frame: manifest.frames.frame[index],
      point_patient_mm: null,
      point_image: null,
    };
    try {
      await client.comment({ text: text.trim(), ...place });
      setText("");
      setProblem(null);
      room.setState({ pin: null, tool: "window" });
      await reread();
    } catch (error) {
      setProblem(t("The comment is not saved. {why}", { why: sentenceOf(error) }));
    }
    setSending(false);
  };
  return (
    <div className="newcm">
      <textarea
        className="notebox"
        rows={2}
        aria-label={t("New comment")}
        placeholder={t("A comment for the reader")}
        value={text}
        data-testid="new-comment"
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row">
        <span className="faint small">
          {pin
            ? pinned !== null
              ? t("Pinned to a point on slice {n}", { n: pinned + 1 })
              : t("Pinned to a point of another series")
            : t("On slice {n}; press {key} and click to pin a point", {
                n: index + 1,
                key: firstKey("tool.comment"),
              })}
        </span>
        {pin && (
          <button type="button" className="linkish" onClick={() => room.setState({ pin: null })}>
            {t("Unpin")}
          </button>
        )}
        <button
          type="button"
          className="btn s28 end"
          disabled={!text.trim() || sending}
          data-testid="send-comment"
          onClick={() => void send()}
        >
          {t("Add comment")}
        </button>
      </div>
      {problem && <p className="emptysay bad">{problem}</p>}
    </div>
  );
}
