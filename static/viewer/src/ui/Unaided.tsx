/** Before proposals are shown, the reader locks what they found without them. */
import { Lock } from "lucide-react";
import { useState } from "react";
import type { Read } from "../api/types";
import { client, journal, reread, sentenceOf } from "../session";
import { t } from "../words";

/** `reason`: why nothing can be handed in now; the same holds for locking. */
export function Unaided({ read, reason }: { read: Read; reason: string | null }) {
  const [sure, setSure] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const proposals = read.proposals;
  if (proposals?.shown !== "after" || !read.you.may_edit || read.you.capacity !== "reader") return null;
  if (proposals.unaided_number !== null) {
    return (
      <p className="row faint tight unaided" data-testid="unaided">
        <Lock size={14} aria-hidden="true" />
        {t("Own read locked at edit {n}; what follows counts as aided", { n: proposals.unaided_number })}
      </p>
    );
  }
  const lock = async () => {
    setSure(false);
    try {
      await client.lockUnaided(journal.lastNumber);
      setProblem(null);
      await reread();
    } catch (error) {
      setProblem(sentenceOf(error));
      await reread().catch(() => {});
    }
  };
  return (
    <div className="unaided">
      <button
        type="button"
        className="btn grow"
        aria-disabled={reason !== null}
        title={reason ?? t("Your read as it is now is kept for good. You may still correct it afterwards.")}
        data-testid="lock-unaided"
        onClick={() => {
          if (reason) return;
          if (sure) void lock();
          else setSure(true);
        }}
      >
        <Lock size={14} aria-hidden="true" />
        {sure ? t("Lock my read and show them") : t("Show AI proposals")}
      </button>
      {sure ? (
        <button type="button" className="btn quiet" onClick={() => setSure(false)}>
          {t("Not yet")}
        </button>
      ) : (
        <span className="small sub why">{t("Your own read is locked first.")}</span>
      )}
      {problem && <span className="small bad why">{problem}</span>}
    </div>
  );
}
