/** Lines and their numbers on what a pane shows: SVG over the image, text in boxes beside. */
import { useLayoutEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import type { AnnotationValue, Comment, Point2, Point3 } from "../api/types";
import { apply } from "../engine/camera";
import { stepOfCut } from "../engine/cut";
import { dot, normalOf, sub, worldToIndex } from "../engine/geometry";
import { gridOf } from "../engine/volume";
import { keyOfPlace, lineOf, placed, pointsOn, showsOn } from "../journal/figures";
import { measure, type Statistics, statistics } from "../journal/measure";
import { change, withPoints } from "../marking";
import { onFrame, type Place } from "../place";
import { boxStatistics, sampler } from "../reading";
import { draft, type Shape } from "../store/draft";
import { type Mark, marks, numbered } from "../store/marks";
import { mayMark } from "../store/room";
import { HANDLELESS, middles } from "../tools/picking";
import { t } from "../words";
import { useQuiet } from "./adjudication/quiet";
import { useRoom } from "./use";
import { measuredText, rangeText, sidesText, statisticsText } from "./words";

interface Item {
  id: string;
  value: AnnotationValue;
  /** Index coordinates on what the pane shows. */
  points: Point2[];
  color: string;
  name: string;
  chosen: boolean;
  drawing: boolean;
  ahead: Point2[];
}

const path = (points: Point2[]): string =>
  points.length ? `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}` : "";

/** The line of a mark in CSS pixels, as SVG path data. */
function lineText({ value: { kind }, points, drawing }: Item, { plane, matrix }: Place): string {
  const lines = lineOf(kind, points, plane, drawing).map((line) => line.map((p) => apply(matrix, p)));
  if (kind === "point" && lines.length) {
    const [x, y] = lines[0][0];
    return `M${x - 7},${y}H${x - 2}M${x + 2},${y}H${x + 7}M${x},${y - 7}V${y - 2}M${x},${y + 2}V${y + 7}`;
  }
  if (kind === "arrow" && lines[0]?.length === 2) return path(lines[0]) + head(lines[0][0], lines[0][1]);
  return lines.map(path).join("");
}

const HEAD_PX = 10;
/** The bar of slices at the right edge of an image, and a little air. */
const BAR_PX = 26;

/** The two barbs at an arrow's tip. */
function head(tip: Point2, tail: Point2): string {
  const angle = Math.atan2(tail[1] - tip[1], tail[0] - tip[0]);
  const barb = (turn: number): Point2 => [
    tip[0] + HEAD_PX * Math.cos(angle + turn),
    tip[1] + HEAD_PX * Math.sin(angle + turn),
  ];
  return path([barb(0.42), tip, barb(-0.42)]);
}

/** What stands beside a mark: its measures, then what the values inside it are. */
function linesOf(item: Item, place: Place): string[] {
  const { plane, manifest } = place;
  const numbers = measure(item.value, plane);
  // Of the chosen mark everything; beside the others little, so that the image stays in sight.
  const lines = [measuredText(numbers), item.chosen ? sidesText(numbers) : null].filter(
    (line) => line !== null,
  );
  const found = valuesIn(item.value, place);
  if (found) {
    lines.push(t("mean {value}", { value: statisticsText(found.mean, found.deviation, manifest) }));
    if (item.chosen) lines.push(rangeText(found.minimum, found.maximum, manifest));
  }
  return lines;
}

function valuesIn(value: AnnotationValue, place: Place): Statistics | null {
  if (value.kind === "box") return boxStatistics(value, place.manifest);
  const values = sampler(place);
  return values && statistics(value, place.plane, values);
}

export function Shapes({ which, place }: { which: number; place: Place | null }) {
  const all = useStore(marks, (state) => state.marks);
  const shape = useStore(draft, (state) => (state.shape?.pane === which ? state.shape : null));
  const naming = useStore(draft, (state) => state.naming);
  const read = useRoom((state) => state.read);
  const selected = useRoom((state) => state.selected);
  const hidden = useRoom((state) => state.hidden);
  const overlays = useRoom((state) => state.overlays);
  const may = useRoom(mayMark);
  const quiet = useQuiet();
  if (!place || !overlays || !read) return null;
  const items: Item[] = [];
  for (const { mark, number } of numbered(all)) {
    if (
      mark.value.kind === "segment" ||
      hidden.includes(mark.id) ||
      quiet.includes(mark.id) ||
      !showsOn(mark.value, place)
    )
      continue;
    const dragged = shape?.of === mark.id ? shape.points : null;
    const label = read.schema.labels.find((one) => one.key === mark.value.label);
    items.push({
      id: mark.id,
      value: dragged ? withPoints(mark.value, place, dragged) : mark.value,
      points: dragged ?? pointsOn(mark.value, place),
      color: label?.color ?? "#ffffff",
      name: `${label?.name ?? mark.value.label} ${number}`,
      chosen: mark.id === selected,
      drawing: false,
      ahead: [],
    });
  }
  if (shape && !shape.of && (!shape.on || shape.on === keyOfPlace(place)))
    items.push(draftItem(shape, place));
  return (
    <>
      <svg className="shapes" aria-hidden="true">
        {items.map((item) => (
          <Line
            key={item.id}
            item={item}
            place={place}
            handles={item.drawing || (item.chosen && may && !item.value.locked)}
          />
        ))}
      </svg>
      {items.map((item) =>
        item.id === naming ? (
          <Naming key={item.id} item={item} place={place} />
        ) : (
          <Tag key={item.id} item={item} place={place} />
        ),
      )}
    </>
  );
}

/** What is being drawn, as if it were a mark already: its numbers are there while the hand moves. */
function draftItem(shape: Shape, place: Place): Item {
  const value: AnnotationValue = {
    kind: shape.kind,
    label: "",
    series: place.manifest.series.id,
    state: "present",
    note: "",
    origin: { from: "reader" },
    ...placed(place, [...shape.points, ...(shape.kind === "livewire" ? [] : (shape.ahead ?? []))]),
  };
  return {
    id: "draft",
    value,
    points: shape.points,
    color: "#ffffff",
    name: "",
    chosen: true,
    drawing: true,
    ahead: shape.ahead ?? [],
  };
}

function Line({ item, place, handles }: { item: Item; place: Place; handles: boolean }) {
  const { kind } = item.value;
  const line = lineText(item, place);
  const ends = HANDLELESS.includes(kind) || kind === "point" ? [] : item.points;
  const last = item.points.at(-1);
  const ahead =
    last && item.ahead.length ? path([last, ...item.ahead].map((p) => apply(place.matrix, p))) : "";
  const corners = ends.map((point) => apply(place.matrix, point));
  const between = item.drawing ? [] : middles(kind, item.points).map((point) => apply(place.matrix, point));
  return (
    <g>
      <path d={line} className="halo" />
      <path d={line} stroke={item.color} className={item.chosen ? "line chosen" : "line"} />
      {ahead && <path d={ahead} stroke={item.color} className="line ahead" />}
      {handles &&
        between.map(([x, y], i) => (
          <circle key={i} cx={x} cy={y} r="2" className="handle" data-testid="middle" />
        ))}
      {handles &&
        corners.map(([x, y], i) => (
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

/** Where the words of a mark stand: beside its rightmost point; of an arrow, at its tail. */
function corner(item: Item, place: Place): { left: number; top: number } | null {
  if (!item.points.length) return null;
  const on = item.points.map((point) => apply(place.matrix, point));
  if (item.value.kind === "arrow" && on.length === 2) {
    const [[tipX], [x, y]] = on;
    return { left: x >= tipX ? x + 6 : x - 6, top: y - 9 };
  }
  const right = on.reduce((a, b) => (b[0] > a[0] ? b : a));
  return { left: right[0] + 14, top: right[1] + 10 };
}

function Tag({ item, place }: { item: Item; place: Place }) {
  const loaded = useRoom((state) => state.progress[place.manifest.series.id]?.loaded);
  const values = onFrame(place) && item.value.kind !== "box" ? sampler(place) !== null : loaded;
  // Panning and zooming change the place, not the numbers.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the numbers come from
  const lines = useMemo(
    () => linesOf(item, place),
    [item.value, item.chosen, place.manifest, place.index, place.cut, values],
  );
  const at = corner(item, place);
  const arrow = item.value.kind === "arrow";
  const left =
    at !== null && arrow && item.points.length === 2 && apply(place.matrix, item.points[1])[0] > at.left;
  const box = useRef<HTMLDivElement>(null);
  // Whole in the image, beside its bar: the width of a text is known once it stands there.
  useLayoutEffect(() => {
    const element = box.current;
    const around = element?.parentElement;
    if (!element || !around || !at) return;
    const over = at.left + element.offsetWidth + BAR_PX - around.clientWidth;
    const below = at.top + element.offsetHeight + 4 - around.clientHeight;
    element.style.marginLeft = `${left ? 0 : -Math.max(0, Math.min(over, at.left))}px`;
    element.style.marginTop = `${-Math.max(0, Math.min(below, at.top))}px`;
  });
  if (!at || (!lines.length && !item.name)) return null;
  return (
    <div
      ref={box}
      className={left ? "at lab left" : "at lab"}
      style={at}
      data-testid="mark-text"
      data-annotation={item.id}
    >
      {item.name && (
        <b style={{ color: item.color }}>{arrow && item.value.note ? item.value.note : item.name}</b>
      )}{" "}
      {lines[0]}
      {lines.slice(1).map((line) => (
        <span key={line}>{line}</span>
      ))}
    </div>
  );
}

/** The words of an arrow just drawn. Enter or a click elsewhere keeps them, Escape leaves it without. */
function Naming({ item, place }: { item: Item; place: Place }) {
  const at = corner(item, place);
  if (!at) return null;
  const done = (text: string | null) => {
    draft.setState({ naming: null });
    if (text?.trim()) change(item.id, { note: text.trim() });
  };
  return (
    <input
      className="at naming"
      style={at}
      // biome-ignore lint/a11y/noAutofocus: the hand has just put it there, its words come next
      autoFocus
      maxLength={200}
      aria-label={t("Text of the arrow")}
      placeholder={t("Text")}
      data-testid="arrow-text"
      onPointerDown={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.currentTarget.value = "";
          event.currentTarget.blur();
        }
        if (event.key === "Enter") event.currentTarget.blur();
      }}
      onBlur={(event) => done(event.currentTarget.value)}
    />
  );
}

/** Whether a point lies on a cut, or less than half a step of the wheel away. */
function isNear({ manifest, near, cut, plane }: Place, point: Point3): boolean {
  const grid = gridOf(manifest, near);
  if (!grid || !cut) return false;
  return Math.abs(dot(sub(point, plane.origin), normalOf(plane))) <= stepOfCut(cut, grid) / 2;
}

/** Comments pinned to this frame, and the pin that is being placed. */
export function Pins({ place }: { place: Place | null }) {
  const read = useRoom((state) => state.read);
  const pin = useRoom((state) => state.pin);
  const overlays = useRoom((state) => state.overlays);
  const open = useRoom((state) => state.openComment);
  if (!place || !read || !overlays) return null;
  const { manifest, index, plane, matrix } = place;
  const here = (one: Pick<Comment, "series" | "sop" | "frame" | "point_patient_mm">) => {
    if (one.series !== manifest.series.id) return false;
    if (index === null) return one.point_patient_mm !== null && isNear(place, one.point_patient_mm);
    return one.sop === manifest.frames.sop[index] && (one.frame ?? 1) === manifest.frames.frame[index];
  };
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
