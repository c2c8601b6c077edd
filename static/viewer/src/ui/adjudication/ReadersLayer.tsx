/** The readers' marks over an image: outlines by letter, where they agree, and what the lesion becomes. */
import { useEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import { lookOf } from "../../adjudication/looks";
import { judging } from "../../adjudication/store";
import type { Point2 } from "../../api/types";
import { apply } from "../../engine/camera";
import { lineOf, pointsOn, showsOn } from "../../journal/figures";
import type { Place } from "../../place";
import { type Mark, marks } from "../../store/marks";
import { cleared } from "../layer";
import { useRoom } from "../use";
import { paint, RESULT, type Scene, sceneOf } from "./drawing";

/** What an image shows of the adjudication; null where there is none. */
function useScene(which: number): Scene | null {
  const state = useStore(judging);
  const all = useStore(marks);
  const arranged = useRoom(({ layout }) => layout === state.layout);
  return useMemo(() => {
    if (!state.now) return null;
    return sceneOf(state, all, arranged ? (state.roles[which] ?? null) : null);
  }, [state, all, arranged, which]);
}

export function ReadersLayer({ which, place }: { which: number; place: Place | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scene = useScene(which);
  const shown = useRoom((state) => state.overlays);
  const area = useRoom((state) => state.panes[which].area);
  const tool = useRoom((state) => state.tool);
  const past = useRoom((state) => state.past);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `tool` says whether results are lines or marks in the hand
  useEffect(() => {
    const context = cleared(canvas.current, area);
    if (!context) return;
    if (place && shown && scene && !past) paint(context, place, scene);
  }, [scene, shown, area, place, tool, past]);

  if (!scene) return null;
  return (
    <>
      <canvas ref={canvas} className="masks readers" data-testid={`readers-${which}`} />
      {place && shown && !past && <Lines scene={scene} place={place} />}
    </>
  );
}

const pathText = (points: Point2[]): string =>
  points.length ? `M${points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join("L")}` : "";

/** Lengths, axes and other figures of the readers. */
function Lines({ scene, place }: { scene: Scene; place: Place }) {
  const figures = scene.drawn.flatMap(({ letter, marks: theirs, chosen }) =>
    theirs
      .filter((mark) => mark.value.kind !== "segment" && showsOn(mark.value, place))
      .map((mark) => ({ key: `${letter}/${mark.id}`, mark, letter, chosen, look: lookOf(letter) })),
  );
  const results = scene.result.filter((mark) => mark.value.kind !== "segment" && showsOn(mark.value, place));
  if (!figures.length && !results.length) return null;
  const line = (mark: Mark): string =>
    lineOf(mark.value.kind, pointsOn(mark.value, place), place.plane)
      .map((points) => pathText(points.map((point) => apply(place.matrix, point))))
      .join("");
  const end = (mark: Mark): Point2 | null => {
    const points = pointsOn(mark.value, place).map((point) => apply(place.matrix, point));
    return points.length ? points.reduce((a, b) => (b[0] > a[0] ? b : a)) : null;
  };
  return (
    <svg className="shapes" aria-hidden="true">
      {figures.map(({ key, mark, letter, chosen, look }) => {
        const at = end(mark);
        return (
          <g key={key} opacity={chosen ? 1 : 0.5}>
            <path d={line(mark)} className="halo" />
            <path d={line(mark)} className="line" stroke={look.color} strokeDasharray={look.dash.join(" ")} />
            {at && (
              <text x={at[0] + 5} y={at[1] + 4} className="readerletter" fill={look.color}>
                {letter}
              </text>
            )}
          </g>
        );
      })}
      {results.map((mark) => (
        <path key={mark.id} d={line(mark)} className="line chosen" stroke={RESULT} />
      ))}
    </svg>
  );
}
