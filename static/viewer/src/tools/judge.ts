/** What a reviewer's hand does: pin a comment to a place. */
import { MessageSquarePlus } from "lucide-react";
import type { Point2 } from "../api/types";
import { pointsFrom } from "../journal/figures";
import { type FramePlace, onFrame, toIndex } from "../place";
import { room } from "../store/room";
import { addTools } from "../tools";
import { t } from "../words";

export function pinAt(place: FramePlace, index: Point2): void {
  const points = pointsFrom(place.plane, [index]);
  room.setState({
    pin: {
      series: place.manifest.series.id,
      sop: place.manifest.frames.sop[place.index],
      frame: place.manifest.frames.frame[place.index],
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
    if (onFrame(place)) pinAt(place, toIndex(place, start));
    return null;
  },
});
