/** At the foot of an image: the mask that is proposed, and work on masks that takes a while. */
import { Check, Minus, Plus, X } from "lucide-react";
import { useStore } from "zustand";
import { cancelJob, job } from "../masks/job";
import { dropPreview, keepPreview, preview } from "../masks/preview";
import { t } from "../words";
import { useRoom } from "./use";

const NARROW_PX = 520;

export function MaskBars({ which }: { which: number }) {
  const shown = useStore(preview, (state) => (state.shown?.pane === which ? state.shown : null));
  const active = useRoom((state) => state.active === which);
  const narrow = useRoom((state) => state.panes[which].area.width < NARROW_PX);
  const work = useStore(job, (state) => (state.visible && active ? state : null));
  if (work)
    return (
      <div className="imagebar maskbar" role="status" data-testid="mask-job">
        <span>{work.title}</span>
        <progress max={1} value={work.done} aria-label={work.title} />
        <button type="button" className="wordy" onClick={cancelJob} title={t("Esc stops it")}>
          <X size={14} aria-hidden="true" /> {t("Stop")}
        </button>
      </div>
    );
  if (!shown) return null;
  return (
    <div
      className={narrow ? "imagebar maskbar narrow" : "imagebar maskbar"}
      title={shown.text}
      role="status"
      data-testid="mask-preview"
    >
      {shown.turn && (
        <button
          type="button"
          aria-label={t("Smaller")}
          title={t("Smaller: the wheel towards you")}
          data-testid="preview-smaller"
          onClick={() => shown.turn?.(1)}
        >
          <Minus size={14} aria-hidden="true" />
        </button>
      )}
      <span>{shown.text}</span>
      {shown.turn && (
        <button
          type="button"
          aria-label={t("Larger")}
          title={t("Larger: the wheel away from you")}
          data-testid="preview-larger"
          onClick={() => shown.turn?.(-1)}
        >
          <Plus size={14} aria-hidden="true" />
        </button>
      )}
      <button type="button" className="wordy keep" data-testid="preview-keep" onClick={keepPreview}>
        <Check size={14} aria-hidden="true" /> {t("Keep")} <kbd>Enter</kbd>
      </button>
      <button type="button" className="wordy" data-testid="preview-drop" onClick={dropPreview}>
        <X size={14} aria-hidden="true" /> {t("Discard")} <kbd>Esc</kbd>
      </button>
    </div>
  );
}
