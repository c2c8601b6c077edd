/** The masks of a series in space, beside its slices: turned by a drag, each with its volume. */
import { useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import type { Manifest, Point2, Point3 } from "../api/types";
import { moveCrosshair } from "../cutting";
import { type Cut, planeOfCut } from "../engine/cut";
import { indexToWorld } from "../engine/geometry";
import { FRONT, type Loop, projected, Scene, type Solid, turnedBy, type View } from "../engine/scene";
import { type Mesh, surfaceOf } from "../engine/surface";
import { cornersOf, fromGrid, type Grid, gridOf, whyNoVolume } from "../engine/volume";
import { jumpTo } from "../moving";
import { type Mark, marks, numbered } from "../store/marks";
import { room, setPane, shownPanes } from "../store/room";
import { t } from "../words";
import { layersOf } from "./cutmasks";
import { useRoom } from "./use";
import { volumeText } from "./words";

const CUT_COLORS: Record<Cut["name"], Point3> = {
  axial: [1, 0.55, 0.49],
  coronal: [0.5, 0.86, 0.63],
  sagittal: [1, 0.84, 0.42],
};
const REBUILD_MS = 120;
const LETTERS: [string, Point3][] = [
  ["L", [1, 0, 0]],
  ["R", [-1, 0, 0]],
  ["P", [0, 1, 0]],
  ["A", [0, -1, 0]],
  ["H", [0, 0, 1]],
  ["F", [0, 0, -1]],
];

const meshes = new WeakMap<Mark, { grid: Grid; mesh: Mesh | null }>();

function meshOf(mark: Mark, grid: Grid): Mesh | null {
  const known = meshes.get(mark);
  if (known?.grid === grid) return known.mesh;
  const mesh = surfaceOf(grid, layersOf(grid, mark.slices));
  meshes.set(mark, { grid, mesh });
  return mesh;
}

const rgb = (hex: string): Point3 =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255 || 0) as Point3;

interface Shown {
  mark: Mark;
  name: string;
  color: string;
  mesh: Mesh | null;
}

/** The segments of a series with their surfaces; made a moment after the last change, not during a stroke. */
function useSegments(manifest: Manifest | undefined, grid: Grid | null): Shown[] {
  const all = useStore(marks, (state) => state.marks);
  const labels = useRoom((state) => state.read?.schema.labels);
  const hidden = useRoom((state) => state.hidden);
  const [shown, setShown] = useState<Shown[]>([]);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      if (!manifest || !grid) return setShown([]);
      const found: Shown[] = [];
      for (const { mark, number } of numbered(all)) {
        const { kind, series } = mark.value;
        if (kind !== "segment" || series !== manifest.series.id || !mark.voxels) continue;
        if (hidden.includes(mark.id)) continue;
        const label = labels?.find((one) => one.key === mark.value.label);
        const name = `${label?.name ?? mark.value.label} ${number}`;
        found.push({ mark, name, color: label?.color ?? "#ffffff", mesh: meshOf(mark, grid) });
      }
      setShown(found);
    }, REBUILD_MS);
    return () => window.clearTimeout(timer);
  }, [all, manifest, grid, labels, hidden]);
  return shown;
}

/** How much around the masks is seen at least, mm. */
const AROUND_MM = 60;

/** What the view in space looks at: all masks with room around them, else the whole volume; from the front. */
function firstView(grid: Grid, size: Point2, segments: Shown[]): View {
  const low: Point3 = [Infinity, Infinity, Infinity];
  const high: Point3 = [-Infinity, -Infinity, -Infinity];
  const take = (point: ArrayLike<number>, from: number) => {
    for (let i = 0; i < 3; i++) {
      low[i] = Math.min(low[i], point[from + i]);
      high[i] = Math.max(high[i], point[from + i]);
    }
  };
  for (const { mesh } of segments)
    if (mesh) for (let v = 0; v < mesh.positions.length; v += 3) take(mesh.positions, v);
  if (high[0] < low[0]) for (const corner of cornersOf(grid)) take(corner, 0);
  const centre = low.map((v, i) => (v + high[i]) / 2) as Point3;
  const reach = Math.max(AROUND_MM, 1.3 * Math.hypot(...low.map((v, i) => high[i] - v)));
  return { ...FRONT, centre, scale: (0.85 * Math.min(...size)) / reach };
}

/** The volume's longest extent, mm. */
function reachOf(grid: Grid): number {
  const corners = cornersOf(grid);
  const span = (i: number) => Math.max(...corners.map((p) => p[i])) - Math.min(...corners.map((p) => p[i]));
  return Math.hypot(span(0), span(1), span(2));
}

export function Surface({ which }: { which: number }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scene = useRef<Scene | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [size, setSize] = useState<Point2>([1, 1]);
  const [turned, setTurned] = useState<{ grid: Grid; view: View } | null>(null);
  const pane = useRoom((state) => state.panes[which]);
  const panes = useRoom((state) => state.panes);
  const active = useRoom((state) => state.active === which);
  const selected = useRoom((state) => state.selected);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  const grid = useMemo(() => (manifest ? gridOf(manifest, pane.wanted) : null), [manifest, pane.wanted]);
  const segments = useSegments(manifest, grid);
  const view = useMemo(
    () => grid && (turned?.grid === grid ? turned.view : firstView(grid, size, segments)),
    [grid, turned, size, segments],
  );

  useEffect(() => {
    if (!canvas.current || !box.current) return;
    try {
      scene.current = new Scene(canvas.current);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    const element = box.current;
    const watch = new ResizeObserver(() => setSize([element.clientWidth || 1, element.clientHeight || 1]));
    watch.observe(element);
    return () => {
      watch.disconnect();
      scene.current?.end();
      scene.current = null;
    };
  }, []);

  useEffect(() => {
    if (!grid || !view || !scene.current) return;
    const solids: Solid[] = segments.flatMap(({ mark, color, mesh }) =>
      mesh ? [{ mesh, color: rgb(color), chosen: mark.id === selected }] : [],
    );
    const loops: Loop[] = shownPanes(room.getState()).flatMap((other) => {
      const { cut, series } = panes[other];
      if (!cut || series !== pane.series) return [];
      const plane = planeOfCut(cut, grid);
      const [right, bottom] = [plane.columns - 1, plane.rows - 1];
      const corners: Point2[] = [
        [0, 0],
        [right, 0],
        [right, bottom],
        [0, bottom],
      ];
      return [{ points: corners.map((corner) => indexToWorld(plane, corner)), color: CUT_COLORS[cut.name] }];
    });
    scene.current.draw(solids, loops, view, size, reachOf(grid));
  }, [segments, panes, pane.series, view, grid, size, selected]);

  const drag = (event: React.PointerEvent) => {
    if (!view || !grid || !event.buttons) return;
    const { movementX: dx, movementY: dy } = event;
    if (event.buttons & 2) setTurned({ grid, view: { ...view, scale: view.scale * Math.exp(-dy * 0.008) } });
    else if (event.buttons & 4) {
      const centre = view.centre.map(
        (v, i) => v - (view.right[i] * dx + view.down[i] * dy) / view.scale,
      ) as Point3;
      setTurned({ grid, view: { ...view, centre } });
    } else setTurned({ grid, view: turnedBy(view, dx, dy) });
  };

  const why = manifest ? whyNoVolume(manifest, pane.wanted) : null;
  return (
    <div
      ref={box}
      className={active ? "vp active surface" : "vp surface"}
      data-testid={`surface-${which}`}
      data-solids={segments.filter(({ mesh }) => mesh).length}
      role="application"
      aria-label={t("Masks in space")}
    >
      <canvas
        ref={canvas}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          if (!active) room.setState({ active: which });
        }}
        onPointerMove={drag}
        onWheel={(event) => {
          const scale = view && view.scale * (event.deltaY > 0 ? 0.9 : 1 / 0.9);
          if (grid && view && scale) setTurned({ grid, view: { ...view, scale } });
        }}
        onDoubleClick={() => setTurned(null)}
        onContextMenu={(event) => event.preventDefault()}
      />
      {grid && view && !problem && <Facing view={view} size={size} />}
      {segments.length > 0 && (
        <div className="volumes">
          {segments.map(({ mark, name, color }) => (
            <button
              key={mark.id}
              type="button"
              aria-pressed={mark.id === selected}
              data-testid="in-space"
              onClick={() => grid && showMark(which, mark, grid)}
            >
              <i style={{ background: color }} />
              {name}
              <span className="faint">{manifest && volumeText(mark, manifest)}</span>
            </button>
          ))}
        </div>
      )}
      {!segments.length && !why && !problem && <p className="vpsay">{t("No mask in this series yet.")}</p>}
      {(why ?? problem) && <p className="vpsay">{why ?? problem}</p>}
      <div className="cutbar">
        <button type="button" onClick={() => setTurned(null)} data-testid={`front-${which}`}>
          {t("From the front")}
        </button>
        <button type="button" onClick={() => setPane(which, { surface: false, sight: null })}>
          {t("Slices")}
        </button>
      </div>
    </div>
  );
}

/** Which way the patient lies: letters around the middle, those that point away left out. */
function Facing({ view, size }: { view: View; size: Point2 }) {
  const reach = 0.4 * Math.min(...size);
  return LETTERS.map(([letter, direction]) => {
    const far = direction.map((v, i) => view.centre[i] + (v * reach) / view.scale) as Point3;
    const { at, behind } = projected(view, size, far);
    if (Math.abs(behind) * view.scale > 0.85 * reach) return null;
    return (
      <span
        key={letter}
        className="facing"
        style={{ left: at[0], top: at[1], opacity: behind > 0 ? 0.45 : 1 }}
      >
        {letter}
      </span>
    );
  });
}

/** The crosshair goes to the middle of a segment's largest slice; without cuts, the slices do. */
function showMark(which: number, mark: Mark, grid: Grid): void {
  room.setState({ selected: mark.id });
  const { panes } = room.getState();
  const cutting = shownPanes(room.getState()).find(
    (other) => panes[other].cut && panes[other].series === mark.value.series,
  );
  if (cutting === undefined) {
    const flat = shownPanes(room.getState()).find((other) => other !== which && !panes[other].surface);
    if (flat !== undefined) room.setState({ active: flat });
    jumpTo(mark);
    return;
  }
  let best: { slice: number; column: number; row: number; count: number } | null = null;
  layersOf(grid, mark.slices).forEach((layer, slice) => {
    if (!layer) return;
    let [count, across, down] = [0, 0, 0];
    layer.bytes.forEach((set, i) => {
      if (!set) return;
      count++;
      across += i % layer.width;
      down += Math.floor(i / layer.width);
    });
    if (count > (best?.count ?? 0))
      best = { slice, count, column: layer.left + across / count, row: layer.top + down / count };
  });
  if (!best) return;
  const { column, row, slice } = best;
  moveCrosshair(cutting, fromGrid(grid, [Math.round(column), Math.round(row), slice]));
}
