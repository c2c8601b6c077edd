/** What a reviewer's hand does: pin a comment to a place. */
import { MessageSquarePlus } from "lucide-react";
import type { Point2 } from "../api/types";
import { indexToWorld, nearestFrame } from "../engine/geometry";
import { stackAt } from "../engine/stacks";
import { pointsFrom } from "../journal/figures";
import { type Place, toIndex } from "../place";
import { room } from "../store/room";
import { addTools } from "../tools";
import { t } from "../words";

/** A comment names a slice. On a cut it is the one nearest to the place. */
function frameAt(place: Place, index: Point2): number {
  if (place.index !== null) return place.index;
  const { first, count } = stackAt(place.manifest, place.near);
  return nearestFrame(place.manifest, indexToWorld(place.plane, index), first, count);
}

export function pinAt(place: Place, index: Point2): void {
  const frame = frameAt(place, index);
  const points = pointsFrom(place.plane, [index]);
  room.setState({
    pin: {
      series: place.manifest.series.id,
      sop: place.manifest.frames.sop[frame],
      frame: place.manifest.frames.frame[frame],
      point_patient_mm: points.points_patient_mm?.[0] ?? null,
      point_image: points.points_image?.[0] ?? null,
    },
  });
}

addTools({
  name: "comment",
  title: t("Pin a comment to a place"),
  key: "t",
  icon: MessageSquarePlus,
  group: "judge",
  begin(_which, start, place) {
    pinAt(place, toIndex(place, start));
    return null;
  },
});
