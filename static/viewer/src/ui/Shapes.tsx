/** Lines and their numbers on the frame shown: SVG over the image, text in boxes beside. */
import { useStore } from "zustand";
import type { AnnotationValue, Kind, Point2 } from "../api/types";
import { apply } from "../engine/camera";
import { valueAt } from "../engine/decode";
import { worldToIndex } from "../engine/geometry";
import { indexPoints, measure, statistics } from "../journal/measure";
import { pointsOf } from "../marking";
import { type FramePlace, onFrame, type Place } from "../place";
import { frames } from "../session";
import { draft } from "../store/draft";
import { type Mark, marks, numbered } from "../store/marks";
import { mayMark } from "../store/room";
import { useRoom } from "./use";
import { measuredText, statisticsText } from "./words";

const path = (points: Point2[], closed: boolean): string =>
  points.length
    ? `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}${closed ? "Z" : ""}`
    : "";

/** The line of a mark in CSS pixels, as SVG path data. */
function lineOf(kind: Kind, points: Point2[], drawing: boolean): string {
  if (kind === "bidirectional") return path(points.slice(0, 2), false) + path(points.slice(2), false);
  if (kind === "ellipse" && points.length === 4) return ellipse(points);
  if (kind === "point" && points.length) {
    const [x, y] = points[0];
    return `M${x - 7},${y}H${x - 2}M${x + 2},${y}H${x + 7}M${x},${y - 7}V${y - 2}M${x},${y + 2}V${y + 7}`;
  }
  return path(points, (kind === "polygon" || kind === "freehand") && !drawing);
}

function ellipse([a, b, c, d]: Point2[]): string {
  const centre: Point2 = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const u: Point2 = [(b[0] - a[0]) / 2, (b[1] - a[1]) / 2];
  const v: Point2 = [(d[0] - c[0]) / 2, (d[1] - c[1]) / 2];
  const steps = 72;
  const points = Array.from({ length: steps }, (_, i): Point2 => {
    const t = (i / steps) * 2 * Math.PI;
    return [
      centre[0] + u[0] * Math.cos(t) + v[0] * Math.sin(t),
      centre[1] + u[1] * Math.cos(t) + v[1] * Math.sin(t),
    ];
  });
  return path(points, true);
}

interface Item {
  id: string;
  value: AnnotationValue;
  points: Point2[];
  color: string;
  name: string;
  chosen: boolean;
  drawing: boolean;
}

function textOf(item: Item, place: FramePlace): string[] {
  const { plane, manifest, index } = place;
  const numbers = measure(item.value, plane);
  const lines: string[] = [];
  const first = measuredText(numbers);
  if (first) lines.push(first);
  const pixels = frames.get(manifest.series.id)?.pixels[index];
  if (pixels && !pixels.colour && !item.drawing) {
    const found = statistics(item.value, plane, (column, row) =>
      valueAt(manifest, index, pixels, row * pixels.columns + column),
    );
    if (found) lines.push(`mean ${statisticsText(found.mean, found.deviation, manifest)}`);
  }
  return lines;
}

export function Shapes({ which, place }: { which: number; place: Place | null }) {
  const all = useStore(marks, (state) => state.marks);
  const shape = useStore(draft, (state) => (state.shape?.pane === which ? state.shape : null));
  const read = useRoom((state) => state.read);
  const selected = useRoom((state) => state.selected);
  const overlays = useRoom((state) => state.overlays);
  const may = useRoom(mayMark);
  if (!place || !onFrame(place) || !overlays || !read) return null;
  const { manifest, index, plane, matrix } = place;
  const sop = manifest.frames.sop[index];
  const frame = manifest.frames.frame[index];
  const label = (key: string) => read.schema.labels.find((one) => one.key === key);
  const items: Item[] = [];
  for (const { mark, number } of numbered(all)) {
    if (mark.value.kind === "segment" || mark.value.series !== manifest.series.id) continue;
    if (mark.value.sop !== sop || mark.value.frame !== frame) continue;
    const dragged = shape?.of === mark.id ? shape.points : null;
    items.push({
      id: mark.id,
      value: dragged ? { ...mark.value, ...pointsOf(manifest, index, dragged) } : mark.value,
      points: (dragged ?? indexPoints(mark.value, plane)).map((point) => apply(matrix, point)),
      color: label(mark.value.label)?.color ?? "#ffffff",
      name: `${label(mark.value.label)?.name ?? mark.value.label} ${number}`,
      chosen: mark.id === selected,
      drawing: false,
    });
  }
  if (shape && !shape.of) {
    const value: AnnotationValue = {
      kind: shape.kind,
      label: "",
      series: manifest.series.id,
      state: "present",
      note: "",
      origin: { from: "reader" },
      ...pointsOf(manifest, index, shape.points),
    };
    items.push({
      id: "draft",
      value,
      points: shape.points.map((point) => apply(matrix, point)),
      color: "#ffffff",
      name: "",
      chosen: true,
      drawing: true,
    });
  }
  return (
    <>
      <svg className="shapes" aria-hidden="true">
        {items.map((item) => (
          <Line key={item.id} item={item} handles={item.chosen && may} />
        ))}
      </svg>
      {items.map((item) => (
        <Tag key={item.id} item={item} lines={textOf(item, place)} />
      ))}
    </>
  );
}

function Line({ item, handles }: { item: Item; handles: boolean }) {
  const line = lineOf(item.value.kind, item.points, item.drawing);
  const ends = item.value.kind === "freehand" || item.value.kind === "point" ? [] : item.points;
  return (
    <g>
      <path d={line} className="halo" />
      <path d={line} stroke={item.color} className={item.chosen ? "line chosen" : "line"} />
      {handles &&
        ends.map(([x, y], i) => (
          <rect
            key={i}
            x={x - 2.5}
            y={y - 2.5}
            width="5"
            height="5"
            className="handle"
            data-testid="handle"
          />
        ))}
    </g>
  );
}

function Tag({ item, lines }: { item: Item; lines: string[] }) {
  if (!item.points.length || (!lines.length && !item.name)) return null;
  const right = item.points.reduce((a, b) => (b[0] > a[0] ? b : a));
  return (
    <div
      className="at lab"
      style={{ left: right[0] + 14, top: right[1] + 10 }}
      data-testid="mark-text"
      data-annotation={item.id}
    >
      {item.name && <b style={{ color: item.color }}>{item.name}</b>} {lines[0]}
      {lines.slice(1).map((line) => (
        <span key={line}>{line}</span>
      ))}
    </div>
  );
}

/** Comments pinned to this frame, and the pin that is being placed. */
export function Pins({ place }: { place: Place | null }) {
  const read = useRoom((state) => state.read);
  const pin = useRoom((state) => state.pin);
  const overlays = useRoom((state) => state.overlays);
  const open = useRoom((state) => state.openComment);
  if (!place || !onFrame(place) || !read || !overlays) return null;
  const { manifest, index, plane, matrix } = place;
  const here = (one: { series: string | null; sop: string | null; frame: number | null }) =>
    one.series === manifest.series.id &&
    one.sop === manifest.frames.sop[index] &&
    (one.frame ?? 1) === manifest.frames.frame[index];
  const where = (one: { point_patient_mm: [number, number, number] | null; point_image: Point2 | null }) => {
    if (one.point_patient_mm) return apply(matrix, worldToIndex(plane, one.point_patient_mm));
    if (one.point_image) return apply(matrix, [one.point_image[0] - 0.5, one.point_image[1] - 0.5]);
    return null;
  };
  const dots = read.comments.filter((comment) => here(comment) && !comment.resolved);
  const placing = pin && here(pin) ? where(pin) : null;
  return (
    <>
      {dots.map((comment) => {
        const at = where(comment);
        if (!at) return null;
        const name = comment.id === open ? "at pinat on" : "at pinat";
        return (
          <div key={comment.id} className={name} style={{ left: at[0], top: at[1] }} title={comment.text}>
            {comment.number}
          </div>
        );
      })}
      {placing && (
        <div className="at pinat" style={{ left: placing[0], top: placing[1] }} data-testid="new-pin">
          +
        </div>
      )}
    </>
  );
}

export type { Mark };
