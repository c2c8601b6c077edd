/** A case from the queue is kept for a while only. Whoever comes back too late learns what that means. */
import { useState } from "react";
import type { Read } from "../api/types";
import { room } from "../store/room";
import { t } from "../words";
import { momentText } from "./moments";
import { useRoom } from "./use";

export function RanOut({ read }: { read: Read }) {
  const heard = useRoom((state) => state.ranOut);
  const [dismissed, setDismissed] = useState<string | null>(null);
  const since = heard ?? (read.lease?.ran_out ? read.lease.until : null);
  if (since === null || since === dismissed) return null;
  const close = () => {
    setDismissed(since);
    room.setState({ ranOut: null });
  };
  return (
    <p className="banner warn" role="status" data-testid="ran-out">
      {t(
        "This case was kept for you until {time}. Since then others could take it as well. All that you drew is kept, and counts: go on, and submit as usual.",
        { time: momentText(since) },
      )}
      <button type="button" className="linkish" onClick={close}>
        {t("Dismiss")}
      </button>
    </p>
  );
}
