/** The text in the corners of an image, the letters on its edges, the ruler. */
import { useStore } from "zustand";
import { against, edgeLetters, hangingPose, slicePosition, UPRIGHT } from "../engine/geometry";
import { stackAt } from "../engine/stacks";
import { fusedText } from "../fusing";
import { placeOf, planeIn, toIndex } from "../place";
import { draft } from "../store/draft";
import { presetsFor } from "../store/presets";
import { t, tn } from "../words";
import { CutPlace } from "./CutBar";
import { useRoom } from "./use";
import { amount, dateText, digitsOf, fixed, studyOf } from "./words";

/** Narrower or lower than this, an image keeps only what belongs to the slice on it. */
const SMALL_PX = { width: 340, height: 280 };

/** What the series laid over this one reads under the cursor. */
function FusedValue({ which }: { which: number }) {
  const canvas = useStore(draft, (state) => (state.hover?.pane === which ? state.hover.canvas : null));
  const place = canvas && placeOf(which);
  const text = place && canvas ? fusedText(which, place, toIndex(place, canvas)) : null;
  if (!text) return null;
  return (
    <>
      <span data-testid={`fused-value-${which}`}>{text}</span>
      <br />
    </>
  );
}

export function Corners({ which }: { which: number }) {
  const pane = useRoom((state) => state.panes[which]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  const progress = useRoom((state) => (pane.series ? state.progress[pane.series] : undefined));
  const read = useRoom((state) => state.read);
  const overlays = useRoom((state) => state.overlays);
  const value = useStore(draft, (state) => (state.hover?.pane === which ? state.hover.text : null));
  if (!manifest || !read || !overlays || !pane.sight) return null;
  const index = pane.shown ?? pane.wanted;
  const plane = planeIn(pane, manifest);
  const stack = stackAt(manifest, index);
  const study = studyOf(read, manifest.series.id);
  const edges = edgeLetters(plane, pane.sight.pose);
  const position = slicePosition(plane);
  const preset = presetsFor(manifest.series.modality, manifest.suv_factor !== null).find(
    (one) => one.id === pane.window?.preset,
  );
  const { turned: degrees, mirrored } = against(pane.sight.pose, pane.cut ? UPRIGHT : hangingPose(plane));
  const turned = [
    degrees ? t("turned {degrees}°", { degrees }) : null,
    mirrored ? t("mirrored") : null,
    pane.inverted ? t("inverted") : null,
  ].filter(Boolean);
  const digits = digitsOf(manifest) || undefined;
  // Maps may span thousandths: as many digits as tell the window.
  const shown = (value: number): string =>
    manifest.pixel.floating ? String(Number(value.toPrecision(3))) : amount(value, digits);
  // What switches something off comes first; that there are phases is said by their own bar.
  const said = manifest.findings
    .filter((finding) => finding.code !== "phases")
    .sort((a, b) => Number(!a.spoils.length) - Number(!b.spoils.length));
  const some = progress && progress.loaded < progress.total;
  const isSmall = pane.area.width < SMALL_PX.width || pane.area.height < SMALL_PX.height;
  const name = manifest.series.description || t("Series {number}", { number: manifest.series.number ?? "" });
  const side = manifest.frames.laterality?.[index] ?? manifest.series.laterality;
  const view = manifest.frames.view?.[index];
  const sides = [side === "L" ? t("left") : side === "R" ? t("right") : null, view || null].filter(Boolean);
  return (
    <div className={isSmall ? "corners small" : "corners"}>
      <div className="o tl">
        <b>{dateText(study?.date ?? null)}</b> {!isSmall && study?.description}
        <br />
        <span className="seriesname">{[name, ...sides].join(" · ")}</span>
        {!isSmall &&
          said.slice(0, 2).map((finding) => (
            <span key={finding.code} className="warned">
              {finding.sentence}
            </span>
          ))}
        {said.length > 2 && !isSmall && (
          <span className="warned">
            {t("and {n} more, on the series at the left", { n: said.length - 2 })}
          </span>
        )}
        {said.length > 0 && isSmall && (
          <span className="warned" title={said.map((finding) => finding.sentence).join("\n")}>
            {tn(said.length, "{n} note", "{n} notes")}
          </span>
        )}
      </div>
      {!isSmall && (
        <div className="o tr">
          {read.subject.pseudonym}
          <br />
          {[read.subject.sex, read.subject.age_years === null ? null : `${read.subject.age_years} y`]
            .filter(Boolean)
            .join(" ")}
        </div>
      )}
      {edges && (
        <>
          <div className="o ot" data-testid={`edge-top-${which}`}>
            {edges.top}
          </div>
          <div className="o ob">{edges.bottom}</div>
          <div className="o ol" data-testid={`edge-left-${which}`}>
            {edges.left}
          </div>
          <div className="o or">{edges.right}</div>
        </>
      )}
      <div className="o bl" data-testid={`place-${which}`}>
        {pane.cut ? (
          <CutPlace cut={pane.cut} />
        ) : (
          <>
            <b>{index - stack.first + 1}</b> / {stack.count}
          </>
        )}
        {position && !pane.cut && (
          <>
            <br />
            {position.axis} {fixed(position.mm, 1)} mm
          </>
        )}
        {!isSmall && (
          <>
            <br />
            {t("Zoom {factor}", { factor: fixed(pane.sight.scale * plane.column_mm, 1) })}
          </>
        )}
        {turned.length > 0 && (
          <>
            <br />
            {turned.join(", ")}
          </>
        )}
      </div>
      <div className="o br">
        {value && (
          <>
            <span data-testid={`value-${which}`}>{value}</span>
            {pane.cut && ` ${t("interpolated")}`}
            <br />
          </>
        )}
        <FusedValue which={which} />
        {manifest.pixel.samples === 1 && pane.window && (
          <>
            W {shown(pane.window.width)} L {shown(pane.window.center)}
            {!isSmall && <br />}
          </>
        )}
        {!isSmall && (
          <b>{preset ? t(preset.long) : pane.window?.preset === "own" ? t("Own window") : t("By hand")}</b>
        )}
      </div>
      {pane.area.height >= SMALL_PX.height && (
        <Ruler scale={pane.sight.scale} calibration={plane.calibration} height={pane.area.height} />
      )}
      {some && (
        <div className="o loadline" role="status">
          <i className="pb">
            <i style={{ width: `${(100 * progress.loaded) / progress.total}%` }} />
          </i>
          {t("{loaded} of {total} loaded", { loaded: progress.loaded, total: progress.total })}
          {progress.failed > 0 && t(", {failed} failed", { failed: progress.failed })}
        </div>
      )}
    </div>
  );
}

/** Real millimetres, a round number of them, a fifth to a third of the image high. */
function Ruler({ scale, calibration, height }: { scale: number; calibration: string; height: number }) {
  if (calibration !== "pixel" && calibration !== "estimated")
    return <div className="sbar none">{t("not calibrated: pixels")}</div>;
  const target = (height * 0.24) / scale;
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500];
  const mm = steps.reduce(
    (best, step) => (Math.abs(step - target) < Math.abs(best - target) ? step : best),
    1,
  );
  const long = mm * scale;
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  return (
    <svg
      className="sbar"
      width="100"
      height={long + 12}
      style={{ height: long + 12 }}
      role="img"
      aria-label={t("Ruler {mm} mm", { mm })}
    >
      {["under", "over"].map((name) => (
        <path
          key={name}
          className={name}
          d={`M1,1V${1 + long}${ticks.map((t) => `M1,${1 + t * long}h${t === 0 || t === 1 ? 8 : 5}`).join("")}`}
        />
      ))}
      <text x="14" y={long + 5}>
        {calibration === "estimated" ? t("≈ {mm} mm, an estimate", { mm }) : `${mm} mm`}
      </text>
    </svg>
  );
}
