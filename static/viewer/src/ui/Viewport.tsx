/** One image: the stage below, masks and lines over it, the corners' text, the hands. */
import { useEffect, useMemo, useRef } from "react";
import { useStore } from "zustand";
import type { Manifest } from "../api/types";
import { type Area, fitted, type Sight } from "../engine/camera";
import { start } from "../engine/cornerstone";
import { hangingPose, UPRIGHT } from "../engine/geometry";
import { Stage } from "../engine/stage";
import { LETTERS, refitted } from "../panes";
import { placeOf, planeIn } from "../place";
import { frames, ownWindow, stages } from "../session";
import { display } from "../store/display";
import { draft } from "../store/draft";
import { mayMark, room, setPane, shownPanes } from "../store/room";
import { t } from "../words";
import { Legend, ReaderHead, useHead } from "./adjudication/Heads";
import { ReadersLayer } from "./adjudication/ReadersLayer";
import { Corners } from "./Corners";
import { Crosshair } from "./Crosshair";
import { CrossLines } from "./CrossLines";
import { Curve } from "./Curve";
import { CutBar, CutSlider } from "./CutBar";
import { FusionBar } from "./FusionBar";
import { FusionLayer } from "./FusionLayer";
import { Histogram } from "./Histogram";
import { Magnifier } from "./Magnifier";
import { MaskAhead } from "./MaskAhead";
import { MaskBars } from "./MaskBars";
import { MaskLayer } from "./MaskLayer";
import { PaneSays } from "./PaneSays";
import { droppedOn, isDroppable, PaneTag } from "./PaneTag";
import { PhaseBar } from "./PhaseBar";
import { useHands } from "./pointer";
import { onResize } from "./resizing";
import { ChangeLayer } from "./review/ChangeLayer";
import { Pins, Shapes } from "./Shapes";
import { SliceBar } from "./SliceBar";
import { useRoom } from "./use";

const INSET = 22;

const nameOf = (manifest: Manifest | undefined): string =>
  manifest ? manifest.series.description || manifest.series.modality : t("empty");

/** The sight of an image whose place on the screen grew or shrank. */
function resized(which: number, sight: Sight, from: Area, to: Area): Sight {
  const { panes, manifests } = room.getState();
  const manifest = panes[which].series ? manifests[panes[which].series] : null;
  return manifest ? refitted(planeIn(panes[which], manifest), sight, from, to) : sight;
}

export function Viewport({ which }: { which: number }) {
  const box = useRef<HTMLDivElement>(null);
  const screen = useRef<HTMLDivElement>(null);
  const pane = useRoom((state) => state.panes[which]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  const active = useRoom((state) => state.active === which);
  const alone = useRoom((state) => shownPanes(state).length === 1);
  const tool = useRoom((state) => state.tool);

  useEffect(() => {
    const element = screen.current;
    const outer = box.current;
    if (!element || !outer) return;
    const engine = start();
    const stage = new Stage(engine, `pane-${which}`, element, {
      shown: (index) => {
        const now = room.getState().panes[which];
        setPane(which, { shown: index, error: null });
        performance.clearMarks("atlas-shown");
        performance.mark("atlas-shown");
        // A file without a window gets one from what its first frame holds.
        if (now.window && now.window.width === 0 && now.series) {
          setPane(which, { window: ownWindow(now.series, index) });
        }
      },
      failed: (index, sentence) =>
        setPane(which, { error: t("Slice {n} did not load. {why}", { n: index + 1, why: sentence }) }),
    });
    stages[which] = stage;
    const unwatch = onResize(outer, () => {
      const area = { width: outer.clientWidth, height: outer.clientHeight, inset: INSET };
      const before = room.getState().panes[which];
      setPane(which, { area, sight: before.sight && resized(which, before.sight, before.area, area) });
    });
    return () => {
      unwatch();
      stages[which] = null;
      stage.end();
      setPane(which, { shown: null });
    };
  }, [which]);

  const { series, wanted, area, sight, window: voi, inverted, cut } = pane;

  useEffect(() => {
    if (manifest && !sight && area.width > 1) {
      const plane = planeIn({ cut, shown: null, wanted }, manifest);
      setPane(which, { sight: fitted(plane, area, cut ? UPRIGHT : hangingPose(plane)) });
    }
  }, [which, manifest, sight, area, wanted, cut]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: where the image lies changes below, without asking for it again
  useEffect(() => {
    const loader = series ? frames.get(series) : undefined;
    if (sight) stages[which]?.look(sight, area);
    if (!loader || !sight || !manifest) return;
    if (cut) stages[which]?.showCut(loader, cut, wanted);
    else void stages[which]?.show(loader, wanted);
  }, [which, series, manifest, wanted, cut, sight === null]);

  const loaded = useRoom((state) => (cut && series ? state.progress[series]?.loaded : 0));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `loaded` says that more slices have come
  useEffect(() => {
    if (cut) stages[which]?.arrived();
  }, [which, loaded]);

  useEffect(() => {
    if (sight) stages[which]?.look(sight, area);
  }, [which, sight, area]);

  useEffect(() => {
    if (voi && voi.width > 0) stages[which]?.window(voi, inverted);
  }, [which, voi, inverted]);

  const smooth = useStore(display, (state) => state.smooth);
  useEffect(() => stages[which]?.smoothing(smooth), [which, smooth]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: placeOf reads exactly these from the store
  const place = useMemo(() => placeOf(which), [which, manifest, pane.shown, sight, area, cut]);

  const head = useHead(which);
  useHands(which, box);

  // The keyboard's focus follows the hand from image to image.
  useEffect(() => {
    const focused = document.activeElement;
    if (active && focused !== box.current && focused?.getAttribute("role") === "application")
      box.current?.focus();
  }, [active]);

  return (
    <div
      ref={box}
      className={[active ? (alone ? "vp here" : "vp active") : "vp", head ? "ofreader" : ""].join(" ").trim()}
      data-tool={tool}
      data-testid={`viewport-${which}`}
      role="application"
      aria-label={
        head === null
          ? t("Image {letter}: {name}", { letter: LETTERS[which], name: nameOf(manifest) })
          : head === ""
            ? t("All readers: {name}", { name: nameOf(manifest) })
            : t("Reader {letter}: {name}", { letter: head, name: nameOf(manifest) })
      }
      tabIndex={active ? 0 : -1}
      onFocus={() => {
        if (room.getState().active !== which) room.setState({ active: which });
      }}
      onDragOver={(event) => {
        if (!isDroppable(event.dataTransfer)) return;
        event.preventDefault();
        event.currentTarget.classList.add("dropping");
      }}
      onDragLeave={(event) => event.currentTarget.classList.remove("dropping")}
      onDrop={(event) => {
        event.preventDefault();
        event.currentTarget.classList.remove("dropping");
        droppedOn(which, event.dataTransfer);
      }}
    >
      {/* Until its first image is drawn, the canvas still holds that of the series or the case before. */}
      <div ref={screen} className={pane.shown === null ? "screen blank" : "screen"} />
      <FusionLayer which={which} place={place} />
      <MaskLayer which={which} place={place} />
      <ReadersLayer which={which} place={place} />
      <MaskAhead which={which} place={place} />
      <ChangeLayer which={which} place={place} />
      <CrossLines which={which} place={place} />
      <Shapes which={which} place={place} />
      <Pins place={place} />
      <BrushRing which={which} />
      {head ? <ReaderHead which={which} letter={head} /> : <Corners which={which} />}
      {head === "" && which === 0 && <Legend />}
      {(head === null || tool === "crosshair") && <Crosshair which={which} place={place} />}
      <PhaseBar which={which} />
      <FusionBar which={which} />
      <MaskBars which={which} />
      <Histogram which={which} />
      <Curve which={which} />
      <Magnifier which={which} place={place} />
      <CutBar which={which} />
      <CutSlider which={which} />
      <SliceBar which={which} />
      <PaneTag which={which} />
      <PaneSays which={which} />
    </div>
  );
}

/** The brush at its size in millimetres, as a ring under the cursor. */
function BrushRing({ which }: { which: number }) {
  const hover = useStore(draft, (state) => (state.hover?.pane === which ? state.hover : null));
  const tool = useRoom((state) => state.tool);
  const mm = useRoom((state) => state.brushMm);
  const scale = useRoom((state) => state.panes[which].sight?.scale ?? 1);
  const may = useRoom(mayMark);
  if (!hover || !may || !["brush", "eraser", "threshold"].includes(tool)) return null;
  const r = mm * scale;
  return (
    <svg className="shapes" aria-hidden="true">
      <circle cx={hover.canvas[0]} cy={hover.canvas[1]} r={r} className="halo" />
      <circle
        cx={hover.canvas[0]}
        cy={hover.canvas[1]}
        r={r}
        className={tool === "eraser" ? "ring erase" : "ring"}
      />
    </svg>
  );
}
