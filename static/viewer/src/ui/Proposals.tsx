/** Marks that came with the images, each a proposal: look at it, take it over, change it, or turn it down. */
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { accept, isAsItCame, type Proposal, proposalOf, reject, taking } from "../answering";
import type { Imported } from "../api/types";
import { fetchImported } from "../marking";
import { jumpTo } from "../moving";
import { sentenceOf } from "../session";
import { type Mark, marks } from "../store/marks";
import { mayMark, room } from "../store/room";
import { t, tn } from "../words";
import { momentText } from "./moments";
import { useRoom } from "./use";

export function Proposals() {
  const imported = useRoom((state) => state.read?.imported);
  const now = useStore(marks);
  if (!imported?.length) return null;
  const open = imported.filter((one) => proposalOf(one, now).state === "open").length;
  return (
    <section className="sec" data-testid="proposals">
      <header>
        <h2>{t("Came with the images")}</h2>
        <span className="end faint">{open ? t("{n} to decide", { n: open }) : t("all decided")}</span>
      </header>
      {imported.map((one) => (
        <Row key={one.id} imported={one} proposal={proposalOf(one, now)} />
      ))}
    </section>
  );
}

function Row({ imported, proposal }: { imported: Imported; proposal: Proposal }) {
  const shown = useRoom((state) => state.outlined.includes(imported.id));
  const may = useRoom(mayMark);
  const label = useRoom((state) => state.read?.schema.labels.find((one) => one.key === imported.label)?.name);
  const ready = useRoom((state) => Boolean(state.manifests[imported.series]));
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const attempt = (work: () => Promise<unknown>) => {
    setProblem(null);
    setBusy(true);
    work()
      .catch((error: unknown) => setProblem(sentenceOf(error)))
      .finally(() => setBusy(false));
  };
  const outline = () =>
    attempt(async () => {
      await fetchImported(imported);
      room.setState((state) => ({
        outlined: shown
          ? state.outlined.filter((id) => id !== imported.id)
          : [...state.outlined, imported.id],
      }));
    });
  const take = (thenEdit: boolean) =>
    attempt(async () => {
      const id = await accept(imported);
      const mark = id ? marks.getState().marks.get(id) : undefined;
      if (mark) jumpTo(mark);
      if (thenEdit) room.setState({ tool: mark?.value.kind === "segment" ? "brush" : "window" });
    });
  const { state, mark } = proposal;
  const takeable = may && taking(imported) !== null;
  return (
    <div className={`imp ${state}`} data-testid="proposal" data-state={state}>
      <p>
        {label && <b>{label}</b>} <span className="sub">{imported.origin}</span>{" "}
        <span className="faint">{tn(imported.slices, "{n} slice", "{n} slices")}</span>
      </p>
      <Verdict imported={imported} proposal={proposal} />
      <div className="row tight wrap">
        <button
          type="button"
          className="btn s28"
          aria-pressed={shown}
          disabled={!ready || busy}
          data-testid="outline-imported"
          title={t("As a dashed outline on its images")}
          onClick={outline}
        >
          {shown ? t("Hide outline") : t("Show outline")}
        </button>
        {takeable && (state === "open" || (state === "accepted" && !mark)) && (
          <>
            <button
              type="button"
              className="btn s28"
              disabled={!ready || busy}
              data-testid="copy-imported"
              title={t("Take it over into your marks as it is")}
              onClick={() => take(false)}
            >
              {t("Accept")}
            </button>
            <button
              type="button"
              className="btn s28"
              disabled={!ready || busy}
              data-testid="edit-proposal"
              title={t("Take it over, and change it")}
              onClick={() => take(true)}
            >
              {t("Edit")}
            </button>
          </>
        )}
        {may && state !== "accepted" && (
          <button
            type="button"
            className="btn s28"
            disabled={busy}
            data-testid="reject-proposal"
            title={state === "rejected" ? t("Decide anew") : t("Not a finding: nothing is taken over")}
            onClick={() => reject(imported)}
          >
            {state === "rejected" ? t("Reconsider") : t("Reject")}
          </button>
        )}
      </div>
      {problem && <p className="emptysay bad">{problem}</p>}
    </div>
  );
}

/** What became of it, and when. */
function Verdict({ imported, proposal: { state, at, mark } }: { imported: Imported; proposal: Proposal }) {
  const untouched = useAsItCame(imported, mark);
  if (state === "open") return null;
  const when = at ? `, ${momentText(at)}` : "";
  if (state === "rejected")
    return (
      <p className="faint">
        {t("Rejected")}
        {when}
      </p>
    );
  if (!mark)
    return (
      <p className="faint">
        {t("Accepted, then deleted")}
        {when}
      </p>
    );
  const since = untouched === null ? "" : untouched ? ` ${t("as it came")}` : ` ${t("and changed")}`;
  return (
    <p className="good" data-testid="verdict">
      {t("Accepted")}
      {since}
      {when}{" "}
      <button type="button" className="linkish" onClick={() => jumpTo(mark)}>
        {t("Go there")}
      </button>
    </p>
  );
}

/** Null until the slices it came with are known. */
function useAsItCame(imported: Imported | undefined, mark: Mark | undefined): boolean | null {
  const [, again] = useState(0);
  const known = imported && mark ? isAsItCame(imported, mark) : null;
  const wanted = imported !== undefined && mark !== undefined && known === null;
  useEffect(() => {
    if (wanted && imported)
      fetchImported(imported)
        .then(() => again((n) => n + 1))
        .catch(() => {});
  }, [wanted, imported]);
  return known;
}

/** Where a mark is from, and whether it is still as it came. */
export function FromProposal({ mark }: { mark: Mark }) {
  const imported = useRoom((state) =>
    state.read?.imported.find(({ id }) => id === mark.value.origin.imported),
  );
  const untouched = useAsItCame(imported, mark);
  if (untouched === null) return t("from a proposal");
  return untouched ? t("from a proposal, as it came") : t("from a proposal, changed since");
}
