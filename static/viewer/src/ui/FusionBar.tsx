/** What lies over an image: which series, how much of it shows through, in which colours, up to which value. */
import { X } from "lucide-react";
import { COLOUR_NAMES, type ColourName, gradientOf } from "../engine/colour";
import { fuse, overlaysFor, setFusion } from "../fusing";
import { unitsOf } from "../spoilt";
import { presetsFor } from "../store/presets";
import { shownPanes } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";
import { amount } from "./words";

const NAMES: Record<ColourName, () => string> = {
  hot_iron: () => t("Hot iron"),
  hot_metal: () => t("Hot metal"),
  rainbow: () => t("Rainbow"),
  grey: () => t("Grey"),
  inverted: () => t("Grey, inverted"),
};
const NARROW_PX = 460;
/** Narrower than this, the bar would cover the text in the corners beside it. */
const LOW_PX = 900;

export function FusionBar({ which }: { which: number }) {
  const fusion = useRoom((state) => state.panes[which].fusion);
  const below = useRoom((state) => state.manifests[state.panes[which].series ?? ""]);
  const above = useRoom((state) => (fusion ? state.manifests[fusion.series] : undefined));
  const progress = useRoom((state) => (fusion ? state.progress[fusion.series] : undefined));
  const width = useRoom((state) => state.panes[which].area.width);
  const quiet = useRoom((state) => state.active !== which && shownPanes(state).length > 1);
  if (!fusion || !above || !below) return null;
  const high = fusion.window.center + fusion.window.width / 2;
  const low = fusion.window.center - fusion.window.width / 2;
  const presets = presetsFor(above.series.modality, above.suv_factor !== null);
  const preset = presets.find(
    (one) => one.width === fusion.window.width && one.center === fusion.window.center,
  );
  const digits = Math.abs(high) >= 20 ? 0 : 1;
  const isNarrow = width < NARROW_PX;
  const name = above.series.description || above.series.modality;
  return (
    <>
      <div className="scale" title={`${name}, ${unitsOf(above)}`} aria-hidden="true">
        <span>{amount(high, digits)}</span>
        <i style={{ background: gradientOf(fusion.colours) }} />
        <span>{amount(low, digits)}</span>
      </div>
      <fieldset
        className={width < LOW_PX ? "imagebar fusebar low" : "imagebar fusebar"}
        hidden={quiet}
        aria-label={t("Fusion")}
        data-testid={`fusion-${which}`}
      >
        {!isNarrow && (
          <select
            aria-label={t("Series laid over this one")}
            value={fusion.series}
            onChange={(event) => {
              void fuse(which, event.target.value);
              event.target.blur();
            }}
          >
            {[above, ...overlaysFor(below).filter((one) => one !== above)].map((one) => (
              <option key={one.series.id} value={one.series.id}>
                {one.series.description || one.series.modality}
              </option>
            ))}
          </select>
        )}
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          aria-label={t("How much of it shows")}
          title={t("{percent} % of {name} shows", { percent: Math.round(fusion.opacity * 100), name })}
          value={Math.round(fusion.opacity * 100)}
          data-testid={`fusion-opacity-${which}`}
          onChange={(event) => setFusion(which, { opacity: Number(event.target.value) / 100 })}
          // Moved by the mouse: the keys belong to the image again.
          onPointerUp={(event) => event.currentTarget.blur()}
        />
        {!isNarrow && (
          <select
            aria-label={t("Colours")}
            value={fusion.colours}
            data-testid={`fusion-colours-${which}`}
            onChange={(event) => {
              setFusion(which, { colours: event.target.value as ColourName });
              event.target.blur();
            }}
          >
            {COLOUR_NAMES.map((one) => (
              <option key={one} value={one}>
                {NAMES[one]()}
              </option>
            ))}
          </select>
        )}
        {presets.length > 0 && (
          <select
            aria-label={t("Window of the upper series")}
            value={preset?.id ?? ""}
            data-testid={`fusion-window-${which}`}
            onChange={(event) => {
              const chosen = presets.find((one) => one.id === event.target.value);
              if (chosen) setFusion(which, { window: { width: chosen.width, center: chosen.center } });
              event.target.blur();
            }}
          >
            {!preset && <option value="">{t("Own window")}</option>}
            {presets.map((one) => (
              <option key={one.id} value={one.id}>
                {t(one.long)}
              </option>
            ))}
          </select>
        )}
        {progress && progress.loaded < progress.total && (
          <span role="status">
            {t("{loaded} of {total}", { loaded: progress.loaded, total: progress.total })}
          </span>
        )}
        <button
          type="button"
          aria-label={t("Take {name} away", { name })}
          title={t("Take {name} away", { name })}
          data-testid={`fusion-off-${which}`}
          onClick={() => void fuse(which, null)}
        >
          <X size={14} aria-hidden="true" />
        </button>
      </fieldset>
    </>
  );
}
