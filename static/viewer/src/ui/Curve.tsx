/** The mean inside the chosen outline over the phases of its series: a small curve, and its numbers. */
import { X } from "lucide-react";
import { useEffect } from "react";
import { useStore } from "zustand";
import { change, curveOf, framesOfCurve, laidOut } from "../engine/curve";
import { scrollTo } from "../moving";
import { frames } from "../session";
import { unitsOf } from "../spoilt";
import { display } from "../store/display";
import { marks } from "../store/marks";
import { t } from "../words";
import { useRoom } from "./use";
import { digitsOf, fixed } from "./words";

const WIDTH = 212;
const HEIGHT = 76;
const PAD = 8;

export function Curve({ which }: { which: number }) {
  const id = useStore(display, (state) => state.curve);
  const mark = useStore(marks, (state) => (id ? state.marks.get(id) : undefined));
  const series = useRoom((state) => state.panes[which].series);
  const wanted = useRoom((state) => state.panes[which].wanted);
  const manifest = useRoom((state) => state.manifests[series ?? ""]);
  const shown = useRoom((state) => state.active === which);
  const progress = useRoom((state) => state.progress[series ?? ""]);
  const mine = mark && manifest && mark.value.series === series && shown ? mark : null;

  // The images of other phases at this place may not be here yet.
  useEffect(() => {
    const loader = mine && series ? frames.get(series) : undefined;
    if (!mine || !manifest || !loader) return;
    for (const frame of framesOfCurve(mine.value, manifest)) void loader.get(frame).catch(() => {});
  }, [mine, manifest, series]);

  if (!mine || !manifest || !progress) return null;
  const loader = frames.get(manifest.series.id);
  const points = curveOf(mine.value, manifest, (index) => loader?.pixels[index] ?? null);
  if (points.length < 2) return null;
  const places = laidOut(points, WIDTH - 2 * PAD, HEIGHT - 2 * PAD);
  const units = unitsOf(manifest);
  const digits = Math.max(1, digitsOf(manifest));
  return (
    <section className="curve" aria-label={t("Mean over the phases")} data-testid={`curve-${which}`}>
      <header className="row">
        <b>{t("Mean over the phases")}</b>
        <button
          type="button"
          className="end"
          aria-label={t("Close")}
          onClick={() => display.setState({ curve: null })}
        >
          <X size={13} aria-hidden="true" />
        </button>
      </header>
      <svg width={WIDTH} height={HEIGHT} aria-hidden="true">
        <g transform={`translate(${PAD} ${PAD})`}>
          <polyline
            points={places
              .filter((one) => one !== null)
              .map(([x, y]) => `${x},${y}`)
              .join(" ")}
          />
          {places.map((at, i) =>
            at ? (
              <circle
                key={points[i].frame}
                cx={at[0]}
                cy={at[1]}
                r={points[i].frame === wanted ? 4.5 : 3}
                className={points[i].frame === wanted ? "here" : ""}
              />
            ) : null,
          )}
        </g>
      </svg>
      <table>
        <tbody>
          {points.map((point, i) => {
            const percent = change(points, i);
            return (
              <tr key={point.frame} className={point.frame === wanted ? "here" : ""}>
                <th scope="row">
                  <button type="button" onClick={() => scrollTo(which, point.frame)}>
                    {point.label || t("Phase {number}", { number: i + 1 })}
                  </button>
                </th>
                <td>
                  {point.found
                    ? `${fixed(point.found.mean, digits)} ± ${fixed(point.found.deviation, digits)} ${units}`
                    : t("on its way")}
                </td>
                <td>{percent === null ? "" : `${percent > 0 ? "+" : ""}${fixed(percent, 0)} %`}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
