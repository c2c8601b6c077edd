/** What an image says about itself over the pixels: what is on its way, what went wrong. */
import { TriangleAlert } from "lucide-react";
import { stackAt } from "../engine/stacks";
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
