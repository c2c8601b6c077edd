/** An image without a series says what to do, and offers the next one. */
import { offers } from "../panes";
import { openSeries } from "../session";
import { room, shownPanes } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";
import { dateText, studyOf } from "./words";

export function EmptyPane({ which }: { which: number }) {
  const next = useRoom((state) =>
    state.read ? (offers(state.read, state.panes, state.layout).get(which) ?? null) : null,
  );
  const several = useRoom((state) => (state.read?.studies.length ?? 0) > 1);
  const date = useRoom((state) => (next && state.read && studyOf(state.read, next.id)?.date) || null);
  const active = useRoom((state) => state.active === which || shownPanes(state).length === 1);
  return (
    <div className="vpsay empty">
      <p>{active ? t("Click a series at the left, or drag one here.") : t("Drag a series here.")}</p>
      {next && (
        <button
          type="button"
          className="btn s28"
          data-testid={`open-next-${which}`}
          onClick={() => {
            room.setState({ active: which });
            void openSeries(which, next.id);
          }}
        >
          {t("Open {name}", { name: next.description || `${next.modality} ${next.number ?? ""}`.trim() })}
          {several && <span className="faint">{dateText(date)}</span>}
        </button>
      )}
    </div>
  );
}
