/** How large each reader's mask is on each slice, and that of the result; a click goes there. */
import { useStore } from "zustand";
import { lookOf } from "../../adjudication/looks";
import { judging, previewOf } from "../../adjudication/store";
import type { AdjudicatedLesion, Adjudication, Areas as AreasOf } from "../../api/adjudication";
import { scrollTo } from "../../moving";
import { t } from "../../words";
import { useRoom } from "../use";

const [WIDTH, HEIGHT] = [340, 112];
const [LEFT, RIGHT, TOP, BOTTOM] = [34, 332, 8, 90];

interface Line {
  key: string;
  letter: string | null;
  areas: AreasOf;
}

/** A round step that parts `most` into two to five. */
export function stepOf(most: number): number {
  const rough = most / 3;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
  return power * ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10);
}

export function Areas({ now, lesion }: { now: Adjudication; lesion: AdjudicatedLesion }) {
  const preview = useStore(judging, (state) => previewOf(state, lesion)?.preview ?? null);
  const off = useStore(judging, (state) => state.off);
  const shown = useRoom((state) => (state.panes[0].series === lesion.series ? state.panes[0].shown : null));
  const lines = now.readers.flatMap(({ read, letter }): Line[] => {
    const own = lesion.numbers.reads[read];
    const isHere = own?.areas_mm2 && own.series === lesion.series && !off.includes(letter);
    return isHere && own.areas_mm2 ? [{ key: read, letter, areas: own.areas_mm2 }] : [];
  });
  if (!lines.length) return null;
  const result = preview?.numbers?.areas_mm2;
  if (result) lines.push({ key: "result", letter: null, areas: result });
  const first = Math.min(...lines.map(({ areas }) => areas.first)) - 1;
  const last = Math.max(...lines.map(({ areas }) => areas.first + areas.values.length));
  const most = Math.max(1, ...lines.flatMap(({ areas }) => areas.values));
  const step = stepOf(most);
  const top = Math.ceil(most / step) * step;
  const x = (index: number) => LEFT + ((index - first) / Math.max(1, last - first)) * (RIGHT - LEFT);
  const y = (area: number) => BOTTOM - (area / top) * (BOTTOM - TOP);
  const pathOf = ({ first: from, values }: AreasOf): string =>
    [0, ...values, 0].map((area, i) => `${x(from + i - 1).toFixed(1)},${y(area).toFixed(1)}`).join("L");
  const ticks = [...new Set([first, shown ?? first, last])].filter((tick) => tick >= first && tick <= last);
  const go = (event: React.MouseEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    scrollTo(0, Math.round(first + ((at - LEFT) / (RIGHT - LEFT)) * (last - first)));
  };
  return (
    <section className="sec areas">
      <header>
        <h2>{t("Area by slice")}</h2>
        <span className="faint small">mm²</span>
      </header>
      {/* The same places have keys: the arrows go through the slices. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        width="100%"
        role="img"
        aria-label={t("Area of each reader's mask on each slice")}
        data-testid="areas"
        onClick={go}
      >
        {Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step).map((area) => (
          <g key={area}>
            <line x1={LEFT} x2={RIGHT} y1={y(area)} y2={y(area)} className="grid" />
            <text x={LEFT - 4} y={y(area) + 4} textAnchor="end">
              {area >= 1000 ? area.toLocaleString("en-GB") : Number(area.toPrecision(3))}
            </text>
          </g>
        ))}
        {ticks.map((tick) => (
          <text key={tick} x={x(tick)} y={HEIGHT - 4} textAnchor="middle">
            {tick + 1}
          </text>
        ))}
        {shown !== null && shown >= first && shown <= last && (
          <line x1={x(shown)} x2={x(shown)} y1={TOP - 4} y2={BOTTOM} className="here" />
        )}
        {lines.map(({ key, letter, areas }) => (
          <path
            key={key}
            d={`M${pathOf(areas)}`}
            className={letter === null ? "resultline" : ""}
            stroke={letter === null ? "var(--ink)" : lookOf(letter).color}
            strokeDasharray={letter === null ? "" : lookOf(letter).dash.join(" ")}
          />
        ))}
      </svg>
    </section>
  );
}
