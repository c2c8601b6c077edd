/** What belongs to a cut: which plane, how thick, straight again, back to the slices; and where it lies, at the edge. */
import { Axis3d, RotateCcwSquare, X } from "lucide-react";
import { useStore } from "zustand";
import { commandOf, firstKey, ownKeys, runCommand } from "../commands";
import { cutTo, isMpr, isTurned, leaveCut, setSlab, showCut, straighten, whyNoCuts } from "../cutting";
import { CUT_NAMES, type Cut, type CutName, depthOfCut, normalOfCut, type SlabMode } from "../engine/cut";
import { stackAt } from "../engine/stacks";
import { gridOf } from "../engine/volume";
import { shownPanes } from "../store/room";
import { t } from "../words";
import { EdgeSlider } from "./EdgeSlider";
import { useRoom } from "./use";
import { fixed } from "./words";

export const cutTitle = (name: CutName): string =>
  ({ axial: t("Axial"), coronal: t("Coronal"), sagittal: t("Sagittal") })[name];

export const slabTitle = (mode: SlabMode): string =>
  ({ max: t("highest"), min: t("lowest"), mean: t("mean") })[mode];

export const SLABS_MM = [0, 3, 5, 10, 15, 20, 30, 50];

export function CutBar({ which }: { which: number }) {
  const cut = useRoom((state) => state.panes[which].cut);
  const quiet = useRoom((state) => state.active !== which && shownPanes(state).length > 1);
  const turned = useRoom((state) => state.panes[which].cut !== null && isTurned(which));
  const raised = useRoom((state) => {
    const { series, wanted } = state.panes[which];
    const manifest = series ? state.manifests[series] : undefined;
    return manifest !== undefined && stackAt(manifest, wanted).of > 1;
  });
  if (!cut || quiet) return null;
  return (
    <div
      className={raised ? "cutbar raised" : cut.slab_mm > 0 ? "cutbar wide" : "cutbar"}
      data-testid={`cutbar-${which}`}
    >
      <select
        className="pickbox"
        aria-label={t("Plane of this image")}
        value={cut.name}
        onChange={(event) => {
          showCut(event.target.value as CutName, which);
          event.target.blur();
        }}
      >
        {CUT_NAMES.map((name) => (
          <option key={name} value={name}>
            {cutTitle(name)}
          </option>
        ))}
      </select>
      <select
        className="pickbox"
        aria-label={t("Thickness")}
        data-testid={`slab-${which}`}
        value={cut.slab_mm}
        onChange={(event) => {
          setSlab(which, Number(event.target.value), cut.mode);
          event.target.blur();
        }}
      >
        {SLABS_MM.map((mm) => (
          <option key={mm} value={mm}>
            {mm ? `${mm} mm` : t("Thin")}
          </option>
        ))}
      </select>
      {cut.slab_mm > 0 && (
        <select
          className="pickbox"
          aria-label={t("What the thickness shows")}
          data-testid={`slab-mode-${which}`}
          value={cut.mode}
          onChange={(event) => {
            setSlab(which, cut.slab_mm, event.target.value as SlabMode);
            event.target.blur();
          }}
        >
          {(["max", "min", "mean"] as const).map((mode) => (
            <option key={mode} value={mode}>
              {slabTitle(mode)}
            </option>
          ))}
        </select>
      )}
      {turned && (
        <button
          type="button"
          title={t("Straight again")}
          aria-label={t("Straight again")}
          data-testid={`straighten-${which}`}
          onClick={() => straighten(which)}
        >
          <RotateCcwSquare size={15} aria-hidden="true" />
        </button>
      )}
      <button
        type="button"
        title={t("Back to the slices")}
        aria-label={t("Back to the slices")}
        data-testid={`leave-cut-${which}`}
        onClick={() => leaveCut(which)}
      >
        <X size={15} aria-hidden="true" />
      </button>
    </div>
  );
}

/** Which cut this is and where it lies, for the corner of the image. */
export function CutPlace({ cut }: { cut: Cut }) {
  const along = normalOfCut(cut).map(Math.abs);
  const axis = along.indexOf(Math.max(...along));
  return (
    <>
      <i className={`cutdot of-${cut.name}`} />
      <b>{cutTitle(cut.name)}</b>
      {along[axis] < 0.9998 && ` ${t("turned")}`}
      <br />
      {"xyz"[axis]} {fixed(cut.centre[axis], 1)} mm
      {cut.slab_mm > 0 && `, ${cut.slab_mm} mm ${slabTitle(cut.mode)}`}
    </>
  );
}

/** In the bar of tools: three planes and the masks in space, and back. */
export function PlanesButton() {
  useStore(ownKeys);
  const on = useRoom(() => isMpr());
  const why = useRoom((state) => (isMpr() ? null : whyNoCuts(state.active)));
  const key = firstKey("cut.mpr");
  const name = commandOf("cut.mpr")?.title ?? "";
  return (
    <button
      type="button"
      className="tool"
      aria-pressed={on}
      disabled={why !== null}
      aria-label={name}
      title={why ? t("{name} is off: {why}", { name, why }) : `${name} (${key})`}
      data-testid="planes"
      onClick={() => runCommand("cut.mpr")}
    >
      <Axis3d size={18} strokeWidth={1.6} aria-hidden="true" />
      <span aria-hidden="true">{key.length <= 3 ? key : ""}</span>
    </button>
  );
}

/** The edge of a cut's image: drag it through the volume. */
export function CutSlider({ which }: { which: number }) {
  const pane = useRoom((state) => state.panes[which]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  const grid = pane.cut && manifest ? gridOf(manifest, pane.wanted) : null;
  if (!pane.cut || !grid) return null;
  const { at, low, high } = depthOfCut(pane.cut, grid);
  const part = high > low ? (at - low) / (high - low) : 0;
  return (
    <EdgeSlider
      name={`cut-slider-${which}`}
      label={t("Place of the cut")}
      low={Math.round(low)}
      high={Math.round(high)}
      at={Math.round(at)}
      to={(there) => cutTo(low + there * (high - low), which)}
    >
      <i className={`cutmark of-${pane.cut.name}`} style={{ top: `calc(${part} * (100% - 6px))` }} />
    </EdgeSlider>
  );
}
