/** The live wire's way over the image of a pane: costs once an image, ways once an anchor. */
import type { Point2 } from "../api/types";
import { cheapestWays, edgeCosts, type Ways } from "../journal/livewire";
import { onFrame, type Place } from "../place";
import { frames } from "../session";

let costs: { of: object; costs: Uint8Array } | null = null;
let ways: Ways | null = null;

/** Finds the cheapest ways from an anchor to all around it. Index coordinates. */
export function wireFrom(place: Place, anchor: Point2): void {
  ways = null;
  if (!onFrame(place)) return;
  const pixels = frames.get(place.manifest.series.id)?.pixels[place.index];
  if (!pixels) return;
  if (costs?.of !== pixels) costs = { of: pixels, costs: edgeCosts(pixels) };
  ways = cheapestWays(costs.costs, pixels.rows, pixels.columns, anchor);
}

/** From behind the anchor to a point, along edges; out of reach, straight. */
export function wirePath(_place: Place, to: Point2): Point2[] {
  return ways?.pathTo(to) ?? [to];
}
