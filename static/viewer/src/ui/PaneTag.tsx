/** An image's letter, as the series at the left have it; drag it onto another image and the two change places. */
import { Link2 } from "lucide-react";
import { companion } from "../linking";
import { LETTERS, swapPanes } from "../panes";
import { openSeries } from "../session";
import { room, shownPanes } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";
import { fixed } from "./words";

const PANE = "text/pane";
const SERIES = "text/series";

export function PaneTag({ which }: { which: number }) {
  const alone = useRoom((state) => shownPanes(state).length === 1);
  const overlays = useRoom((state) => state.overlays);
  const filled = useRoom((state) => state.panes[which].series !== null);
  if (alone || !overlays) return null;
  return (
    <div className="panetag">
      <span
        className="letter"
        role="button"
        tabIndex={-1}
        draggable={filled}
        title={filled ? t("Drag it onto another image: they change places") : undefined}
        data-testid={`pane-tag-${which}`}
        onPointerDown={() => room.setState({ active: which })}
        onDragStart={(event) => {
          event.dataTransfer.setData(PANE, String(which));
          event.dataTransfer.effectAllowed = "move";
        }}
      >
        {LETTERS[which]}
      </span>
      <LinkNote which={which} />
    </div>
  );
}

/** How this image goes along with the active one. */
function LinkNote({ which }: { which: number }) {
  const text = useRoom((state) => {
    const found = companion(which, state);
    if (!found) return null;
    const far = (mm: number) => fixed(Math.abs(mm), 1);
    if (found.off_mm !== null) return `!${t("no slice here: {mm} mm away", { mm: far(found.off_mm) })}`;
    if (found.ahead_mm === null) return t("linked");
    return t("linked, {mm} mm apart", { mm: far(found.ahead_mm) });
  });
  if (text === null) return null;
  const isOff = text.startsWith("!");
  return (
    <span className={isOff ? "link warned" : "link"} data-testid={`link-note-${which}`}>
      <Link2 size={11} aria-hidden="true" /> {isOff ? text.slice(1) : text}
    </span>
  );
}

/** What can be let go over an image: a series to open, or another image to change places with. */
export const isDroppable = (transfer: DataTransfer): boolean =>
  transfer.types.includes(SERIES) || transfer.types.includes(PANE);

export function droppedOn(which: number, transfer: DataTransfer): void {
  // What was dragged keeps the focus; the keys belong to the image now.
  (document.activeElement as HTMLElement | null)?.blur();
  const series = transfer.getData(SERIES);
  const pane = transfer.getData(PANE);
  if (series) {
    room.setState({ active: which });
    void openSeries(which, series);
  } else if (pane) swapPanes(Number(pane), which);
}
