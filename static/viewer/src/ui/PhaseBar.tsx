/** Which phase is on the screen, where a series has several: step, slide, play, and the curve of a region. */
import { ChartLine, ChevronLeft, ChevronRight, Minus, Pause, Play, Plus } from "lucide-react";
import { useStore } from "zustand";
import { whyNoCurve } from "../engine/curve";
import { sameInStack, stackAt } from "../engine/stacks";
import { scrollTo, stepPhase } from "../moving";
import { display, nextRate } from "../store/display";
import { marks } from "../store/marks";
import { room } from "../store/room";
import { t } from "../words";
import { rateOf } from "./cine";
import { useRoom } from "./use";

/** Narrower than this, the bar breaks into lines and stands above the corners. */
const NARROW_PX = 520;

export function PhaseBar({ which }: { which: number }) {
  const pane = useRoom((state) => state.panes[which]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  const cine = useRoom((state) => state.cine && state.active === which);
  const over = useStore(display, (state) => state.cineOver);
  if (!manifest) return null;
  const stack = stackAt(manifest, pane.wanted);
  if (stack.of < 2) return cine ? <CineBar which={which} /> : null;
  const isNarrow = pane.area.width < NARROW_PX;
  const playing = cine && over === "time";
  const step = (direction: 1 | -1) => {
    room.setState({ active: which });
    stepPhase(direction, which);
  };
  return (
    <>
      {cine && over === "slices" && <CineBar which={which} raised />}
      <fieldset
        className={isNarrow ? "phases narrow" : "phases"}
        aria-label={t("Phase")}
        data-testid={`phase-${which}`}
      >
        <button
          type="button"
          aria-label={t("Play the phases")}
          title={t("Play the phases at this place")}
          aria-pressed={playing}
          data-testid={`play-phases-${which}`}
          onClick={() => playPhases(which, !playing)}
        >
          {playing ? <Pause size={14} aria-hidden="true" /> : <Play size={14} aria-hidden="true" />}
        </button>
        <button
          type="button"
          aria-label={t("Phase before")}
          title={t("Phase before (,)")}
          onClick={() => step(-1)}
        >
          <ChevronLeft size={15} aria-hidden="true" />
        </button>
        <input
          type="range"
          min={1}
          max={stack.of}
          value={stack.number}
          aria-label={t("Phase")}
          aria-valuetext={stack.label}
          data-testid={`phase-slider-${which}`}
          onPointerUp={(event) => event.currentTarget.blur()}
          onChange={(event) => {
            room.setState({ active: which });
            scrollTo(which, sameInStack(manifest, pane.wanted, Number(event.target.value)));
          }}
        />
        <button
          type="button"
          aria-label={t("Phase after")}
          title={t("Phase after (.)")}
          onClick={() => step(1)}
        >
          <ChevronRight size={15} aria-hidden="true" />
        </button>
        <span role="status">
          {stack.label}{" "}
          <span className="faint">{t("{n} of {count}", { n: stack.number, count: stack.of })}</span>
        </span>
        {playing && <Rate />}
        <CurveButton which={which} />
      </fieldset>
    </>
  );
}

function playPhases(which: number, on: boolean): void {
  room.setState({ active: which, cine: on });
  if (on) display.setState({ cineOver: "time", rate: null });
}

/** While slices play: how fast. */
function CineBar({ which, raised = false }: { which: number; raised?: boolean }) {
  return (
    <fieldset
      className={raised ? "phases raised" : "phases"}
      aria-label={t("Playing")}
      data-testid={`cine-${which}`}
    >
      <button
        type="button"
        aria-label={t("Stop")}
        title={t("Stop")}
        onClick={() => room.setState({ cine: false })}
      >
        <Pause size={14} aria-hidden="true" />
      </button>
      <Rate />
    </fieldset>
  );
}

function Rate() {
  const manifest = useRoom((state) => state.manifests[state.panes[state.active].series ?? ""]);
  useStore(display, (state) => state.rate);
  const rate = rateOf(manifest);
  return (
    <>
      <button
        type="button"
        aria-label={t("Slower")}
        title={t("Slower (<)")}
        onClick={() => display.setState({ rate: nextRate(rate, -1) })}
      >
        <Minus size={13} aria-hidden="true" />
      </button>
      <span data-testid="cine-rate">{t("{rate} a second", { rate })}</span>
      <button
        type="button"
        aria-label={t("Faster")}
        title={t("Faster (>)")}
        onClick={() => display.setState({ rate: nextRate(rate, 1) })}
      >
        <Plus size={13} aria-hidden="true" />
      </button>
    </>
  );
}

/** Shows the mean of the chosen outline over the phases. */
function CurveButton({ which }: { which: number }) {
  const series = useRoom((state) => state.panes[which].series);
  const manifest = useRoom((state) => state.manifests[series ?? ""]);
  const selected = useRoom((state) => state.selected);
  const mark = useStore(marks, (state) => (selected ? state.marks.get(selected) : undefined));
  const shown = useStore(display, (state) => state.curve);
  const why =
    !manifest || !mark || mark.value.series !== series
      ? t("Choose an outline on this series first.")
      : whyNoCurve(mark.value, manifest);
  const on = shown !== null && shown === selected;
  return (
    <button
      type="button"
      aria-label={t("Mean over the phases")}
      title={
        why ? t("Mean over the phases: {why}", { why }) : t("Mean over the phases of the chosen outline")
      }
      aria-pressed={on}
      disabled={why !== null}
      data-testid={`show-curve-${which}`}
      onClick={() => display.setState({ curve: on ? null : selected })}
    >
      <ChartLine size={14} aria-hidden="true" />
    </button>
  );
}
