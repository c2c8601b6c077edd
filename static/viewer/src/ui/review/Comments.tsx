/** Comments as threads, pinned to places: what the reader should do about each, and the talk about it. */
import { Check, MessageSquareReply, RotateCcw } from "lucide-react";
import { useState } from "react";
import type { Comment, Read } from "../../api/types";
import { firstKey } from "../../commands";
import { frameIndex } from "../../engine/geometry";
import { jumpToComment } from "../../moving";
import { client, reread, sentenceOf } from "../../session";
import { room } from "../../store/room";
import { t } from "../../words";
import { momentText } from "../moments";
import { useRoom } from "../use";
import { reasonText } from "./words";

type Filter = "open" | "here" | "all";
/** With fewer threads there is nothing to look through. */
const FILTERED_FROM = 4;

export function Comments() {
  const read = useRoom((state) => state.read);
  const series = useRoom((state) => state.panes[state.active].series);
  const [filter, setFilter] = useState<Filter>("open");
  if (!read) return null;
  const threads = read.comments.filter((comment) => comment.reply_to === null);
  const open = threads.filter((comment) => !comment.resolved);
  const settled = threads.length - open.length;
  const listed =
    filter === "all" ? threads : filter === "here" ? threads.filter((one) => one.series === series) : open;
  const verdict = read.state === "returned" ? (read.review ?? null) : null;
  const by = verdict?.author ?? open[0]?.author;
  const reasons = verdict?.reasons ?? [];
  if (!threads.length && !read.you.may_judge && !verdict?.text && !reasons.length) return null;
  return (
    <section className="sec" data-testid="comments">
      <header>
        <h2>{read.state === "returned" && by ? t("Returned by {name}", { name: by }) : t("Comments")}</h2>
        <span className="end faint">
          {threads.length > 0 && t("{n} open", { n: open.length })}
          {settled > 0 && (
            <>
              {", "}
              <button
                type="button"
                className="linkish"
                onClick={() => setFilter(filter === "all" ? "open" : "all")}
              >
                {t("{n} settled", { n: settled })}
              </button>
            </>
          )}
        </span>
      </header>
      {reasons.length > 0 && (
        <ul className="reasons" data-testid="reasons">
          {reasons.map((reason) => (
            <li key={reason}>{reasonText(reason)}</li>
          ))}
        </ul>
      )}
      {verdict?.text && <p className="verdict">{verdict.text}</p>}
      {threads.length >= FILTERED_FROM && <Filters filter={filter} choose={setFilter} />}
      {listed.map((comment) => (
        <Thread key={comment.id} read={read} comment={comment} />
      ))}
      {!listed.length && threads.length > 0 && (
        <p className="faint small">
          {filter === "here" ? t("None on this series.") : t("All comments are settled.")}
        </p>
      )}
      {read.you.may_judge && <NewComment />}
    </section>
  );
}

function Filters({ filter, choose }: { filter: Filter; choose(filter: Filter): void }) {
  const words: [Filter, string][] = [
    ["open", t("Open")],
    ["here", t("On this series")],
    ["all", t("All")],
  ];
  return (
    <div className="seg" role="group" aria-label={t("Which comments")}>
      {words.map(([name, word]) => (
        <button key={name} type="button" aria-pressed={filter === name} onClick={() => choose(name)}>
          {word}
        </button>
      ))}
    </div>
  );
}

/** What may be said and settled in a thread now, and by whom: the server decides, this is what is offered. */
function mayAct(read: Read): { settle: boolean; reply: boolean } {
  const reader = read.you.capacity === "reader";
  const talking = read.state === "submitted" || read.state === "returned";
  return {
    settle: read.you.may_judge || read.you.may_edit,
    reply: talking && (reader ? read.you.may_edit : read.you.capacity !== "fellow"),
  };
}

function Thread({ read, comment }: { read: Read; comment: Comment }) {
  const [replying, setReplying] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const chosen = useRoom((state) => state.openComment === comment.id);
  const may = mayAct(read);
  const replies = read.comments.filter((one) => one.reply_to === comment.id);
  const act = async (work: () => Promise<unknown>) => {
    try {
      await work();
      setProblem(null);
      await reread();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <div
      className={`cm${comment.resolved ? " done" : ""}${chosen ? " chosen" : ""}`}
      data-testid="thread"
      data-comment={comment.number}
    >
      <span className="pin">{comment.number}</span>
      <div>
        <p>{comment.text}</p>
        <p className="faint small">
          {comment.author}, {momentText(comment.at)}
          {comment.round !== read.round && `, ${t("round {n}", { n: comment.round })}`}
        </p>
        {replies.map((one) => (
          <p key={one.id} className="reply" data-testid="reply">
            <b>{one.author}</b> {one.text} <span className="faint small">{momentText(one.at)}</span>
          </p>
        ))}
        <p className="row does">
          <Where comment={comment} />
          {!comment.resolved && may.reply && !replying && (
            <button
              type="button"
              className="linkish"
              data-testid="start-reply"
              onClick={() => setReplying(true)}
            >
              <MessageSquareReply size={12} aria-hidden="true" />
              {t("Reply")}
            </button>
          )}
          {!comment.resolved && may.settle && (
            <button
              type="button"
              className="linkish"
              data-testid="settle"
              onClick={() => void act(() => client.resolve(comment.id))}
            >
              <Check size={12} aria-hidden="true" />
              {t("Settle")}
            </button>
          )}
          {comment.resolved && <span className="faint">{t("settled")}</span>}
          {comment.resolved && may.settle && (
            <button
              type="button"
              className="linkish"
              data-testid="reopen"
              onClick={() => void act(() => client.reopen(comment.id))}
            >
              <RotateCcw size={12} aria-hidden="true" />
              {t("Reopen")}
            </button>
          )}
        </p>
        {replying && (
          <Reply save={(text) => client.reply(comment.id, text)} done={() => setReplying(false)} />
        )}
        {problem && <p className="emptysay bad">{problem}</p>}
      </div>
    </div>
  );
}

function Where({ comment }: { comment: Comment }) {
  const manifest = useRoom((state) => (comment.series ? state.manifests[comment.series] : undefined));
  const where =
    manifest && comment.sop
      ? t("slice {n}", { n: frameIndex(manifest, comment.sop, comment.frame ?? 1) + 1 })
      : t("the whole case");
  return (
    <button type="button" className="linkish" data-testid="comment" onClick={() => jumpToComment(comment)}>
      {where}
    </button>
  );
}

/** A text that is written and sent: emptied once it is saved, kept with the reason where it isn't. */
function useText(save: (text: string) => Promise<unknown>, notSaved: (why: string) => string) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const send = async () => {
    setSending(true);
    try {
      await save(text.trim());
      setText("");
      setProblem(null);
      void reread().catch(() => {}); // it is saved: news of it comes over the live connection too
    } catch (error) {
      setProblem(notSaved(sentenceOf(error)));
    }
    setSending(false);
  };
  return { text, setText, problem, send, ready: text.trim() !== "" && !sending };
}

function Reply({ save, done }: { save(text: string): Promise<unknown>; done(): void }) {
  const { text, setText, problem, send, ready } = useText(
    (said) => save(said).then(done),
    (why) => t("The answer is not saved. {why}", { why }),
  );
  return (
    <div className="newcm">
      <textarea
        className="notebox"
        rows={2}
        maxLength={4000}
        aria-label={t("Answer")}
        // biome-ignore lint/a11y/noAutofocus: the hand has just asked for it
        autoFocus
        value={text}
        data-testid="reply-text"
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row">
        <button
          type="button"
          className="btn s28"
          disabled={!ready}
          data-testid="send-reply"
          onClick={() => void send()}
        >
          {t("Send")}
        </button>
        <button type="button" className="btn s28 quiet" onClick={done}>
          {t("Cancel")}
        </button>
      </div>
      {problem && <p className="emptysay bad">{problem}</p>}
    </div>
  );
}

function NewComment() {
  const pin = useRoom((state) => state.pin);
  const pane = useRoom((state) => state.panes[state.active]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  const index = pane.shown ?? pane.wanted;
  const pinned =
    pin && manifest && pin.series === manifest.series.id ? frameIndex(manifest, pin.sop, pin.frame) : null;
  const save = async (said: string) => {
    if (!manifest) return;
    const place = pin ?? {
      series: manifest.series.id,
      sop: manifest.frames.sop[index],
      frame: manifest.frames.frame[index],
      point_patient_mm: null,
      point_image: null,
    };
    await client.comment({ text: said, ...place });
    room.setState({ pin: null, tool: "window" });
  };
  const { text, setText, problem, send, ready } = useText(save, (why) =>
    t("The comment is not saved. {why}", { why }),
  );
  return (
    <div className="newcm">
      <textarea
        className="notebox"
        rows={2}
        maxLength={4000}
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
          disabled={!ready || !manifest}
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
