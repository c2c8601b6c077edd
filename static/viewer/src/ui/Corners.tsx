/** The text in the corners of an image, the letters on its edges, the ruler. */
import { useStore } from "zustand";
import { against, edgeLetters, hangingPose, slicePosition, UPRIGHT } from "../engine/geometry";
import { stackAt } from "../engine/stacks";
import { planeIn } from "../place";
import { draft } from "../store/draft";
import { presetsFor } from "../store/presets";
import { t } from "../words";
import { CutPlace } from "./CutBar";
import { useRoom } from "./use";
import { amount, dateText, digitsOf, fixed, studyOf } from "./words";

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
    degrees ? `turned ${degrees}°` : null,
    mirrored ? "mirrored" : null,
    pane.inverted ? "inverted" : null,
  ].filter(Boolean);
  const digits = digitsOf(manifest) || undefined;
  // What switches something off comes first; that there are phases is said by their own bar.
  const said = manifest.findings
    .filter((finding) => finding.code !== "phases")
    .sort((a, b) => Number(!a.spoils.length) - Number(!b.spoils.length));
  const some = progress && progress.loaded < progress.total;
  return (
    <div className="corners">
      <div className="o tl">
        <b>{dateText(study?.date ?? null)}</b> {study?.description}
        <br />
        {manifest.series.description || `Series ${manifest.series.number ?? ""}`}
        {manifest.series.laterality && <> · {manifest.series.laterality === "L" ? "left" : "right"}</>}
        {said.slice(0, 2).map((finding) => (
          <span key={finding.code} className="warned">
            {finding.sentence}
          </span>
        ))}
        {said.length > 2 && (
          <span className="warned">and {said.length - 2} more, on the series at the left</span>
        )}
      </div>
      <div className="o tr">
        {read.subject.pseudonym}
        <br />
        {[read.subject.sex, read.subject.age_years === null ? null : `${read.subject.age_years} y`]
          .filter(Boolean)
          .join(" ")}
      </div>
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
        <br />
        Zoom {fixed(pane.sight.scale * plane.column_mm, 1)}
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
        {manifest.pixel.samples === 1 && pane.window && (
          <>
            W {amount(pane.window.width, digits)} L {amount(pane.window.center, digits)}
            <br />
          </>
        )}
        <b>{preset?.long ?? (pane.window?.preset === "own" ? "Own window" : "By hand")}</b>
      </div>
      <Ruler scale={pane.sight.scale} calibration={plane.calibration} height={pane.area.height} />
      {some && (
        <div className="o loadline" role="status">
          <i className="pb">
            <i style={{ width: `${(100 * progress.loaded) / progress.total}%` }} />
          </i>
          {progress.loaded} of {progress.total} loaded
          {progress.failed > 0 && `, ${progress.failed} failed`}
        </div>
      )}
    </div>
  );
}

/** Real millimetres, a round number of them, a fifth to a third of the image high. */
function Ruler({ scale, calibration, height }: { scale: number; calibration: string; height: number }) {
  if (calibration !== "pixel" && calibration !== "estimated")
    return <div className="sbar none">not calibrated: pixels</div>;
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
      aria-label={`Ruler ${mm} mm`}
    >
      {["under", "over"].map((name) => (
        <path
          key={name}
          className={name}
          d={`M1,1V${1 + long}${ticks.map((t) => `M1,${1 + t * long}h${t === 0 || t === 1 ? 8 : 5}`).join("")}`}
        />
      ))}
      <text x="14" y={long + 5}>
        {calibration === "estimated" ? `≈ ${mm} mm, an estimate` : `${mm} mm`}
      </text>
    </svg>
  );
}
