/** The reading room: bar, tools, rail, images, findings. */
import { useEffect } from "react";
import { useStore } from "zustand";
import { judging } from "../adjudication/store";
import { redo, undo } from "../marking";
import { journal } from "../session";
import { lockSentence, room, shownPanes } from "../store/room";
import { t, tn } from "../words";
import { Beside } from "./adjudication/Beside";
import { useCine } from "./cine";
import { Dialogs } from "./Dialogs";
import { Findings } from "./Findings";
import { listen } from "./keys";
import { Rail } from "./Rail";
import { RanOut } from "./RanOut";
import { Surface } from "./Surface";
import { Toolbar } from "./Toolbar";
import { TopBar } from "./TopBar";
import { useRoom } from "./use";
import { Viewport } from "./Viewport";

export function Room() {
  const problem = useRoom((state) => state.problem);
  const read = useRoom((state) => state.read);
  const layout = useRoom((state) => state.layout);
  const maximised = useRoom((state) => state.maximised);
  const active = useRoom((state) => state.active);
  const beside = useStore(judging, (state) => state.layout);
  useEffect(listen, []);
  useCine();
  const isViewing = location.pathname.startsWith("/access/");
  if (problem) {
    return (
      <main className="roomsay">
        <h1>{isViewing ? t("This study can't be opened") : t("This read can't be opened")}</h1>
        <p>{problem}</p>
        <div className="row">
          <button type="button" className="btn" onClick={() => location.reload()}>
            {t("Try again")}
          </button>
          <a className="btn" href={isViewing ? "/access/" : "/worklist/"}>
            {isViewing ? t("Your access") : t("Back to the worklist")}
          </a>
        </div>
      </main>
    );
  }
  if (!read) {
    return (
      <main className="roomsay">
        <p>{t("Fetching the read.")}</p>
      </main>
    );
  }
  const panes = shownPanes({ layout });
  const isBeside = layout === beside && !maximised;
  const alone = maximised || panes.length === 1;
  const across = alone ? 1 : layout.columns;
  const down = alone ? 1 : layout.rows;
  return (
    <div
      className={`room read ${read.kind === "viewing" ? "viewing" : read.adjudication ? "adjudicating" : ""}`}
      // After a click the keys belong to the image again: Space must not press the button once more.
      onPointerUp={(event) => (event.target as Element).closest("button")?.blur()}
    >
      <TopBar />
      <Toolbar />
      <Rail />
      <main className="view">
        <Banners />
        {isBeside ? (
          <Beside image={(which) => <Shown which={which} />} />
        ) : (
          <div
            className="panes"
            style={{ gridTemplate: `repeat(${down}, minmax(0, 1fr)) / repeat(${across}, minmax(0, 1fr))` }}
          >
            {panes.map((which) => (
              <div key={which} className={maximised && which !== active ? "paneslot away" : "paneslot"}>
                <Shown which={which} />
              </div>
            ))}
          </div>
        )}
      </main>
      {read.kind !== "viewing" && <Findings key={read.id} />}
      <Dialogs />
    </div>
  );
}

/** An image, or the masks of its series in space. */
function Shown({ which }: { which: number }) {
  const inSpace = useRoom((state) => state.panes[which].surface);
  return inSpace ? <Surface which={which} /> : <Viewport which={which} />;
}

function Banners() {
  const read = useRoom((state) => state.read);
  const editing = useRoom((state) => state.editing);
  const report = useRoom((state) => state.report);
  const notice = useRoom((state) => state.notice);
  if (!read) return null;
  const lock = lockSentence(read);
  return (
    <div className="banners">
      {lock && (
        <p className="banner" data-testid="locked">
          {lock}
        </p>
      )}
      {!lock && editing === "elsewhere" && (
        <p className="banner" data-testid="other-tab">
          {t("You edit this read in another tab. This one follows it, and takes over when the other closes.")}
        </p>
      )}
      {!lock && <RanOut read={read} />}
      {report && report.parked > 0 && (
        <p className="banner warn">
          {tn(
            report.parked,
            "{n} edit came too late and is kept aside on the server, not in this read.",
            "{n} edits came too late and are kept aside on the server, not in this read.",
          )}{" "}
          {report.parkedReason}
        </p>
      )}
      {report?.refused && (
        <p className="banner bad" role="alert">
          {t("A change was not taken: {why}", { why: report.refused })}
          <button type="button" className="linkish" onClick={() => journal.dismissRefusal()}>
            {t("Dismiss")}
          </button>
        </p>
      )}
      {notice && (
        <p className="banner" role="status">
          {notice.sentence}
          {notice.act && (
            <button
              type="button"
              className="linkish"
              onClick={() => (notice.does === "redo" ? redo(true) : undo(true))}
            >
              {notice.act}
            </button>
          )}
          <button type="button" className="linkish" onClick={() => room.setState({ notice: null })}>
            {t("Dismiss")}
          </button>
        </p>
      )}
    </div>
  );
}
