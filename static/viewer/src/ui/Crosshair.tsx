/** Where the other cuts pass through this one: lines to drag, knobs to turn them by, the crosshair in the middle. */
import { useRef } from "react";
import type { Point2, Point3 } from "../api/types";
import { moveCrosshair, partners, turnCrosshair } from "../cutting";
import { apply } from "../engine/camera";
import { crossing } from "../engine/crossing";
import { type CutName, normalOfCut } from "../engine/cut";
import { cross, dot, indexToWorld, type Plane, sub, worldToIndex } from "../engine/geometry";
import { type Place, placeOf, planeIn, toIndex } from "../place";
import { room } from "../store/room";
import { useRoom } from "./use";

/** Space left free around the crosshair, so that what lies there is seen; CSS pixels. */
const FREE_PX = 22;
/** The knobs' way from the crosshair, as a part of the image's shorter side. */
const KNOB = 0.36;

interface Line {
  pane: number;
  name: CutName;
  normal: Point3;
  ends: [Point2, Point2];
  knobs: [Point2, Point2];
}

type Part = { what: "centre" } | { what: "line"; normal: Point3 } | { what: "knob" };

export function Crosshair({ which, place }: { which: number; place: Place | null }) {
  const panes = useRoom((state) => state.panes);
  const manifests = useRoom((state) => state.manifests);
  const overlays = useRoom((state) => state.overlays);
  const grabs = useRoom((state) => ["window", "pan", "zoom", "crosshair"].includes(state.tool));
  const held = useRef<{ part: Part; start: Point3; centre: Point3 } | null>(null);
  const cut = place?.cut;
  if (!place || !cut || !overlays) return null;

  const lines: Line[] = [];
  const canvas = (point: Point3): Point2 => apply(place.matrix, worldToIndex(place.plane, point));
  const middle = canvas(cut.centre);
  const { width, height, inset } = panes[which].area;
  const reach = KNOB * Math.min(width - inset, height);
  for (const other of partners(which)) {
    const pane = panes[other];
    const manifest = pane.series ? manifests[pane.series] : null;
    if (other === which || !pane.cut || !manifest) continue;
    const plane: Plane = planeIn(pane, manifest);
    const found = crossing(place.plane, plane);
    if (!found) continue;
    const ends = found.map((point) => apply(place.matrix, point)) as [Point2, Point2];
    const [dx, dy] = [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
    const length = Math.hypot(dx, dy) || 1;
    const knob = (by: number): Point2 => [middle[0] + (dx / length) * by, middle[1] + (dy / length) * by];
    const knobs: [Point2, Point2] = [knob(-reach), knob(reach)];
    lines.push({ pane: other, name: pane.cut.name, normal: normalOfCut(pane.cut), ends, knobs });
  }

  const under = (event: React.PointerEvent): Point3 | null => {
    const box = (event.currentTarget as Element).closest(".vp")?.getBoundingClientRect();
    const now = placeOf(which);
    if (!box || !now) return null;
    return indexToWorld(now.plane, toIndex(now, [event.clientX - box.left, event.clientY - box.top]));
  };
  const take = (part: Part) => (event: React.PointerEvent) => {
    if (event.button !== 0) return;
    const start = under(event);
    if (!start) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    held.current = { part, start, centre: cut.centre };
    if (room.getState().active !== which) room.setState({ active: which });
  };
  const drag = (event: React.PointerEvent) => {
    const grip = held.current;
    const now = room.getState().panes[which].cut;
    const to = grip && under(event);
    if (!grip || !to || !now) return;
    if (grip.part.what === "knob") {
      const axis = normalOfCut(now);
      const [a, b] = [sub(grip.start, now.centre), sub(to, now.centre)];
      turnCrosshair(which, Math.atan2(dot(cross(a, b), axis), dot(a, b)));
      held.current = { ...grip, start: to };
      return;
    }
    let by = sub(to, grip.start);
    if (grip.part.what === "line") by = across(by, grip.part.normal, normalOfCut(now));
    moveCrosshair(which, grip.centre.map((v, i) => v + by[i]) as Point3);
  };
  const drop = () => {
    held.current = null;
  };
  const grip = (part: Part) => ({
    onPointerDown: take(part),
    onPointerMove: drag,
    onPointerUp: drop,
    onPointerCancel: drop,
  });

  return (
    <svg className={grabs ? "cross grabs" : "cross"} aria-hidden="true" data-testid={`crosshair-${which}`}>
      {lines.map((line) => {
        const path = broken(line.ends, middle);
        return (
          <g key={line.pane} className={`of-${line.name}`}>
            <path d={path} className="halo" />
            <path d={path} className="thin" />
            <path
              d={path}
              className="grip"
              data-testid={`line-${which}-${line.name}`}
              {...grip({ what: "line", normal: line.normal })}
            />
            {line.knobs.map(([x, y], i) => (
              <g key={i}>
                <circle cx={x} cy={y} r="3.5" className="knob" />
                <circle
                  cx={x}
                  cy={y}
                  r="11"
                  className="grip turn"
                  data-testid={`knob-${which}-${line.name}-${i}`}
                  {...grip({ what: "knob" })}
                />
              </g>
            ))}
          </g>
        );
      })}
      {lines.length > 0 && (
        <circle
          cx={middle[0]}
          cy={middle[1]}
          r="12"
          className="grip centre"
          data-testid={`centre-${which}`}
          {...grip({ what: "centre" })}
        />
      )}
    </svg>
  );
}

/** What of a movement leads across a line: along the normal of the line's own plane, within this one. */
function across(by: Point3, normal: Point3, own: Point3): Point3 {
  const flat = sub(normal, own.map((v) => v * dot(normal, own)) as Point3);
  const length = Math.hypot(...flat) || 1;
  const unit = flat.map((v) => v / length) as Point3;
  return unit.map((v) => v * dot(by, unit)) as Point3;
}

/** A line that leaves the place around the crosshair free. */
function broken([a, b]: [Point2, Point2], middle: Point2): string {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(dx, dy) || 1;
  const at = ((middle[0] - a[0]) * dx + (middle[1] - a[1]) * dy) / length;
  const point = (s: number) =>
    `${(a[0] + (dx / length) * s).toFixed(1)},${(a[1] + (dy / length) * s).toFixed(1)}`;
  const parts: string[] = [];
  if (at > FREE_PX) parts.push(`M${point(0)}L${point(Math.min(length, at - FREE_PX))}`);
  if (at < length - FREE_PX) parts.push(`M${point(Math.max(0, at + FREE_PX))}L${point(length)}`);
  return parts.join("");
}
