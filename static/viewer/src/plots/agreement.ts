/** What two readers measured of one lesion (Bland-Altman), and every two readers of a large project. */
import * as Plot from "@observablehq/plot";
import { BAR, type Drawing, FAINT, filled, INK, LINE } from "./shared";

export interface BlandAltman {
  /** [mean, second - first, case number] */
  points: [number, number, number][];
  bias: number;
  limits: [number | null, number | null];
  cases: string; // the address of a case, with {number}
  words: { label: string; mean: string; difference: string; at: string };
}

export interface Matrix {
  readers: string[];
  /** [row, column, dice or null, hd95 in mm or null, n], row before column */
  pairs: [number, number, number | null, number | null, number][];
  limit: number | null;
  words: { label: string; at: string; none: string };
}

const HEIGHT_PX = 260;

export function drawBlandAltman(data: BlandAltman, width: number): Drawing {
  const rules = [data.bias, ...data.limits].filter((value) => value !== null);
  const most = Math.max(
    ...data.points.map(([, difference]) => Math.abs(difference)),
    ...rules.map(Math.abs),
    1,
  );
  const svg = Plot.plot({
    width,
    height: HEIGHT_PX,
    marginLeft: 44,
    marginBottom: 40,
    marginTop: 24,
    ariaLabel: data.words.label,
    x: { label: null, nice: true, zero: true },
    y: { domain: [-most * 1.1, most * 1.1], label: null },
    marks: [
      Plot.gridY({ stroke: LINE, strokeOpacity: 1, ticks: 5 }),
      Plot.axisX({ color: FAINT, tickSize: 0, fontSize: 11, label: data.words.mean, labelArrow: "none" }),
      Plot.axisY({
        color: FAINT,
        tickSize: 0,
        fontSize: 11,
        ticks: 5,
        label: data.words.difference,
        labelArrow: "none",
      }),
      Plot.dot(data.points, { x: (p) => p[0], y: (p) => p[1], fill: BAR, fillOpacity: 0.7, r: 2.5 }),
      Plot.ruleY([data.bias], { stroke: INK, strokeWidth: 1.5 }),
      Plot.ruleY(
        data.limits.filter((value) => value !== null),
        { stroke: INK, strokeDasharray: "4 4" },
      ),
      Plot.text(rules, {
        y: (value) => value,
        text: (value) => value.toFixed(1),
        frameAnchor: "right",
        textAnchor: "end",
        dy: -7,
        fill: INK,
        fontSize: 11,
      }),
    ],
  });
  const [x, y] = [svg.scale("x")!, svg.scale("y")!];
  const points = data.points.map(([mean, difference, number]) => ({
    x: x.apply(mean) as number,
    y: y.apply(difference) as number,
    text: filled(data.words.at, { number, mean: mean.toFixed(1), difference: difference.toFixed(1) }),
    href: filled(data.cases, { number }),
  }));
  return { svg, points };
}

/** Five steps of heat, as the page's own table has them: the last is where readers agree most. */
export function heat(dice: number, limit: number | null): string {
  const edge = limit ?? 0.8;
  const step = (1 - edge) / 4;
  if (dice < edge - step) return "var(--heat-0)";
  if (dice < edge) return "var(--heat-1)";
  if (dice < edge + step) return "var(--heat-2)";
  if (dice < edge + 2 * step) return "var(--heat-3)";
  return "var(--heat-4)";
}

export function drawMatrix(data: Matrix, width: number): Drawing {
  const label = Math.min(Math.max(...data.readers.map((name) => name.length)) * 6 + 12, 140);
  const side = Math.min((width - label - 8) / data.readers.length, 18);
  const cells = data.pairs.flatMap(([row, column, dice, , n]) =>
    dice === null
      ? []
      : [
          { row, column, dice, n },
          { row: column, column: row, dice, n },
        ],
  );
  const places = data.readers.map((_, at) => at);
  const svg = Plot.plot({
    width: label + side * data.readers.length + 8,
    height: side * data.readers.length + label,
    marginLeft: label,
    marginTop: label,
    marginRight: 8,
    marginBottom: 0,
    padding: 0,
    ariaLabel: data.words.label,
    x: { domain: places, label: null, axis: null },
    y: { domain: places, label: null, axis: null },
    marks: [
      Plot.axisX(places, {
        anchor: "top",
        tickSize: 0,
        tickRotate: -90,
        fontSize: 10,
        color: FAINT,
        tickFormat: (at: number) => data.readers[at],
      }),
      Plot.axisY(places, {
        tickSize: 0,
        fontSize: 10,
        color: FAINT,
        tickFormat: (at: number) => data.readers[at],
      }),
      Plot.cell(cells, { x: "column", y: "row", fill: (one) => heat(one.dice, data.limit), inset: 0.5 }),
    ],
  });
  const [x, y] = [svg.scale("x")!, svg.scale("y")!];
  const half = (x.bandwidth ?? 0) / 2;
  const points = cells.map(({ row, column, dice, n }) => ({
    x: (x.apply(column) as number) + half,
    y: (y.apply(row) as number) + half,
    text: filled(data.words.at, {
      first: data.readers[row],
      second: data.readers[column],
      dice: dice.toFixed(2),
      n,
    }),
  }));
  return { svg, points };
}
