/** The values of the image and the window over them. It shows itself while the window changes, or stays open. */
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { dragged, heights, histogram } from "../engine/histogram";
import { frames } from "../session";
import { display } from "../store/display";
import { setPane } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";
import { amount, digitsOf } from "./words";

const WIDTH = 200;
const HEIGHT = 64;
const STAYS_MS = 1200;

/** True for a moment after the window was changed by hand. */
function useJustChanged(which: number): boolean {
  const window_ = useRoom((state) => state.panes[which].window);
  const [shown, setShown] = useState(false);
  const before = useRef(window_);
  useEffect(() => {
    const was = before.current;
    before.current = window_;
    // A preset is a jump, and the first window of a series no change.
    if (!was || !window_ || window_ === was || window_.preset !== null) return;
    setShown(true);
    const timer = window.setTimeout(() => setShown(false), STAYS_MS);
    return () => window.clearTimeout(timer);
  }, [window_]);
  return shown;
}

export function Histogram({ which }: { which: number }) {
  const changed = useJustChanged(which);
  const stays = useStore(display, (state) => state.histogram);
  const active = useRoom((state) => state.active === which);
  const shown = (stays && active) || changed;
  return shown ? <Panel which={which} canDrag={stays} /> : null;
}

function Panel({ which, canDrag }: { which: number; canDrag: boolean }) {
  const pane = useRoom((state) => state.panes[which]);
  const manifest = useRoom((state) => state.manifests[pane.series ?? ""]);
  const held = useRef<"low" | "high" | "both" | null>(null);
  const pixels = pane.series && pane.shown !== null ? frames.get(pane.series)?.pixels[pane.shown] : null;
  const found = useMemo(() => (pixels && !pixels.colour ? histogram(pixels.data) : null), [pixels]);
  const bars = useMemo(() => (found ? heights(found) : []), [found]);
  if (!found || !manifest || !pane.window) return null;
  const { width, center } = pane.window;
  const [low, high] = [center - width / 2, center + width / 2];
  const from = Math.min(found.low, low);
  const to = Math.max(found.high, high);
  const x = (value: number) => ((value - from) / (to - from)) * WIDTH;
  const step = (x(found.high) - x(found.low)) / bars.length;
  const digits = digitsOf(manifest) || undefined;

  const valueAtEvent = (event: PointerEvent<SVGSVGElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return from + ((event.clientX - box.left) / box.width) * (to - from);
  };
  const begin = (event: PointerEvent<SVGSVGElement>) => {
    if (!canDrag) return;
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    const value = valueAtEvent(event);
    const near = (to - from) * 0.04;
    const away = [Math.abs(value - low), Math.abs(value - high)];
    if (Math.min(...away) < near) held.current = away[0] <= away[1] ? "low" : "high";
    else held.current = "both";
    move(event);
  };
  const move = (event: PointerEvent<SVGSVGElement>) => {
    if (!held.current || !pane.window) return;
    const least = (to - from) / 1000;
    const next = dragged(pane.window, held.current, valueAtEvent(event), least);
    const isWhole = to - from > 20;
    const rounded = (value: number) => (isWhole ? Math.round(value) : value);
    setPane(which, {
      window: {
        width: Math.max(isWhole ? 2 : least, rounded(next.width)),
        center: rounded(next.center),
        preset: null,
      },
    });
  };
  return (
    <div className="histogram" data-testid={`histogram-${which}`}>
      <svg
        width={WIDTH}
        height={HEIGHT}
        role="img"
        aria-label={t("How often which value occurs, and the window")}
        className={canDrag ? "drags" : ""}
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={() => {
          held.current = null;
        }}
      >
        <path
          className="counts"
          d={bars
            .map((height, i) => {
              const top = HEIGHT - height * (HEIGHT - 6);
              const left = x(found.low) + i * step;
              return `M${left.toFixed(1)},${HEIGHT}V${top.toFixed(1)}h${step.toFixed(2)}V${HEIGHT}`;
            })
            .join("")}
        />
        <path className="ramp" d={`M0,${HEIGHT - 1}H${x(low)}L${x(high)},4H${WIDTH}`} />
        <path className="ends" d={`M${x(low)},0V${HEIGHT}M${x(high)},0V${HEIGHT}`} />
      </svg>
      <div className="row">
        <span>{amount(low, digits)}</span>
        <span className="end">{amount(high, digits)}</span>
      </div>
    </div>
  );
}
