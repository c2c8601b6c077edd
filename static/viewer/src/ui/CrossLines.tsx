/** Where the active image cuts this one: a line to find one's way between images of one body. */
import { apply } from "../engine/camera";
import { crossing } from "../engine/crossing";
import { isSameSpace } from "../engine/together";
import { type Place, placeOf } from "../place";
import { room } from "../store/room";
import { useRoom } from "./use";

export function CrossLines({ which, place }: { which: number; place: Place | null }) {
  const active = useRoom((state) => state.active);
  const shown = useRoom((state) => state.crossLines && state.overlays && !state.maximised);
  // placeOf reads these of the active image from the store.
  useRoom((state) => state.panes[state.active]);
  if (!place || !shown || active === which) return null;
  // Cuts that share a crosshair have its lines, which can be taken hold of.
  if (place.cut && room.getState().panes[active].cut) return null;
  const other = placeOf(active);
  if (!other || !isSameSpace(place.manifest, other.manifest)) return null;
  const line = crossing(place.plane, other.plane);
  if (!line) return null;
  const [[x1, y1], [x2, y2]] = line.map((point) => apply(place.matrix, point));
  return (
    <svg className="shapes" aria-hidden="true" data-testid={`cross-line-${which}`}>
      <line className="crossline under" x1={x1} y1={y1} x2={x2} y2={y2} />
      <line className="crossline" x1={x1} y1={y1} x2={x2} y2={y2} />
    </svg>
  );
}
