/** Agreement month by month: the middle half of all comparisons, their median, and each reader's faintly. */
import * as Plot from "@observablehq/plot";
import { BAR_2, BAR_3, type Drawing, date, FAINT, filled, INK, LINE, shortMonth } from "./shared";

export interface Drift {
  months: {
    month: string;
    n: number;
    q1: number;
    median: number;
    q3: number;
    readers: { name: string; median: number; n: number }[];
  }[];
  limit: number | null;
  words: { label: string; at: string; reader: string; limit: string };
  language: string;
}

const HEIGHT_PX = 240;

export function drawDrift(data: Drift, width: number): Drawing {
  const months = data.months.map((one) => ({ ...one, day: date(`${one.month}-01`) }));
  const readers = months.flatMap(({ day, readers }) => readers.map((one) => ({ ...one, day })));
  const lowest = Math.min(...months.map(({ q1 }) => q1), ...readers.map(({ median }) => median), 0.9);
  const floor = Math.max(Math.floor(lowest * 10 - 0.5) / 10, 0);
  const svg = Plot.plot({
    width,
    height: HEIGHT_PX,
    marginLeft: 44,
    marginRight: 16,
    marginTop: 14,
    ariaLabel: data.words.label,
    x: { type: "utc", label: null, inset: months.length === 1 ? 40 : 8 },
    y: { domain: [floor, 1], label: null },
    marks: [
      Plot.gridY({ stroke: LINE, strokeOpacity: 1, ticks: 5 }),
      Plot.axisX(
        months.map(({ day }) => day),
        {
          color: FAINT,
          tickSize: 0,
          fontSize: 11,
          tickFormat: (day: Date) => shortMonth(day, data.language),
          filter: (_: Date, at: number) => at % Math.max(Math.ceil((months.length * 76) / width), 1) === 0,
        } as Plot.AxisXOptions,
      ),
      Plot.axisY({ color: FAINT, tickSize: 0, fontSize: 11, ticks: 5, tickFormat: ".2f" }),
      Plot.areaY(months, { x: "day", y1: "q1", y2: "q3", fill: BAR_3, fillOpacity: 0.6 }),
      ...(data.limit === null
        ? []
        : [Plot.ruleY([data.limit], { stroke: "var(--warn)", strokeDasharray: "4 4" })]),
      Plot.line(readers, { x: "day", y: "median", z: "name", stroke: BAR_2, strokeWidth: 1 }),
      Plot.line(months, { x: "day", y: "median", stroke: INK, strokeWidth: 2 }),
      Plot.dot(months, { x: "day", y: "median", fill: INK, r: 3 }),
    ],
  });
  const [x, y] = [svg.scale("x")!, svg.scale("y")!];
  const all = months.map(({ day, median, n, q1, q3 }) => ({
    x: x.apply(day) as number,
    y: y.apply(median) as number,
    text: filled(data.words.at, {
      month: shortMonth(day, data.language),
      median: median.toFixed(2),
      q1: q1.toFixed(2),
      q3: q3.toFixed(2),
      n,
    }),
  }));
  const each = readers.map(({ day, name, median, n }) => ({
    x: x.apply(day) as number,
    y: y.apply(median) as number,
    text: filled(data.words.reader, {
      month: shortMonth(day, data.language),
      name,
      median: median.toFixed(2),
      n,
    }),
  }));
  return { svg, points: [...all, ...each] };
}
