/** What an image says about itself over the pixels: its phase, what is on its way, what went wrong. */
import { ChevronLeft, ChevronRight, TriangleAlert } from "lucide-react";
import { stackAt } from "../engine/stacks";
import { stepPhase } from "../moving";
import { frames, stages } from "../session";
import { room, setPane } from "../store/room";
import { t } from "../words";
import { EmptyPane } from "./EmptyPane";
import { useRoom } from "./use";

export function PaneSays({ which }: { which: number }) {
  const pane = useRoom((state) => state.panes[which]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  const problem = useRoom((state) => state.manifestProblems[pane.series ?? ""]);
  if (!pane.series) return <EmptyPane which={which} />;
  if (problem) return <p className="vpsay">{t("This series can't be opened. {why}", { why: problem })}</p>;
  if (pane.error) return <Broken which={which} sentence={pane.error} />;
  if (pane.surface || (manifest && (pane.cut ? pane.shown !== null : pane.shown === pane.wanted)))
    return null;
  if (!manifest || pane.shown === null) return <p className="vpsay">{t("The image is on its way.")}</p>;
  const slice = pane.wanted - stackAt(manifest, pane.wanted).first + 1;
  return <p className="vpsay low">{t("Slice {n} is on its way.", { n: slice })}</p>;
}

/** Which phase is on the screen, where a series has several; a click goes to the same place in another. */
export function PhaseBar({ which }: { which: number }) {
  const pane = useRoom((state) => state.panes[which]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  if (!manifest) return null;
  const stack = stackAt(manifest, pane.wanted);
  if (stack.of < 2) return null;
  const step = (direction: 1 | -1) => {
    room.setState({ active: which });
    stepPhase(direction, which);
  };
  return (
    <fieldset className="phases" aria-label={t("Phase")} data-testid={`phase-${which}`}>
      <button
        type="button"
        aria-label={t("Phase before")}
        title={t("Phase before (,)")}
        onClick={() => step(-1)}
      >
        <ChevronLeft size={15} aria-hidden="true" />
      </button>
      <span role="status">
        {stack.label}{" "}
        <span className="faint">{t("{n} of {count}", { n: stack.number, count: stack.of })}</span>
      </span>
      <button
        type="button"
        aria-label={t("Phase after")}
        title={t("Phase after (.)")}
        onClick={() => step(1)}
      >
        <ChevronRight size={15} aria-hidden="true" />
      </button>
    </fieldset>
  );
}

function Broken({ which, sentence }: { which: number; sentence: string }) {
  return (
    <div className="vpsay" role="alert">
      <p>
        <TriangleAlert size={14} aria-hidden="true" /> {sentence}
      </p>
      <button
        type="button"
        className="btn s28"
        data-testid="retry-frame"
        onClick={() => {
          const { series, wanted } = room.getState().panes[which];
          const loader = series ? frames.get(series) : undefined;
          setPane(which, { error: null });
          loader?.retry();
          if (loader) void stages[which]?.show(loader, wanted);
        }}
      >
        {t("Try again")}
      </button>
    </div>
  );
}
