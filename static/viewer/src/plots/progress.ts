/** Cases done, week by week, the plan, and when the rest will be done. */
import * as Plot from "@observablehq/plot";
import { BAR_2, BAR_3, type Drawing, date, FAINT, filled, INK, LINE, shortDay } from "./shared";

export interface Progress {
  total: number;
  done: number;
  due: string | null;
  weeks: { day: string; done: number }[];
  forecast?: { day: string; earliest: string; latest: string };
  words: { label: string; plan: string; done: string; at: string; forecast: string };
  language: string;
}

const HEIGHT_PX = 268;
/** Below this share of all, the count stands above its point: under it lies the axis. */
const LOW = 0.15;

/** The fan of the forecast: where it starts, and the days on which all is done at best and at worst. */
export function fan(data: Progress): { day: Date; low: number; high: number }[] {
  const last = data.weeks.at(-1);
  if (!data.forecast || !last) return [];
  const from = date(last.day).getTime();
  const [early, late] = [date(data.forecast.earliest).getTime(), date(data.forecast.latest).getTime()];
  const left = data.total - data.done;
  const between = (end: number, day: number) =>
    end <= from ? data.total : Math.min(data.done + (left * (day - from)) / (end - from), data.total);
  return [from, early, late].map((day) => ({
    day: new Date(day),
    low: between(late, day),
    high: between(early, day),
  }));
}

export function drawProgress(data: Progress, width: number): Drawing {
  const done = data.weeks.map(({ day, done }) => ({ day: date(day), done }));
  const first = done[0];
  const last = done[done.length - 1];
  const plan = data.due
    ? [
        { day: first.day, done: 0 },
        { day: date(data.due), done: data.total },
      ]
    : [];
  const middle = data.forecast
    ? [
        { day: last.day, done: data.done },
        { day: date(data.forecast.day), done: data.total },
      ]
    : [];
  const svg = Plot.plot({
    width,
    height: HEIGHT_PX,
    marginLeft: 44,
    marginRight: 16,
    marginTop: 14,
    ariaLabel: data.words.label,
    x: { type: "utc", label: null, ticks: Math.max(Math.round(width / 110), 2), tickSize: 0 },
    y: { domain: [0, data.total], label: null, ticks: 5, tickSize: 0 },
    marks: [
      Plot.gridY({ stroke: LINE, strokeOpacity: 1, ticks: 5 }),
      Plot.axisX({ color: FAINT, tickSize: 0, fontSize: 11, ticks: Math.max(Math.round(width / 110), 2) }),
      Plot.axisY({ color: FAINT, tickSize: 0, fontSize: 11, ticks: 5 }),
      Plot.areaY(fan(data), { x: "day", y1: "low", y2: "high", fill: BAR_3, fillOpacity: 0.6 }),
      Plot.line(plan, { x: "day", y: "done", stroke: BAR_2, strokeDasharray: "4 4" }),
      Plot.line(middle, { x: "day", y: "done", stroke: INK, strokeWidth: 1, strokeDasharray: "1 3" }),
      Plot.line(done, { x: "day", y: "done", stroke: INK, strokeWidth: 2 }),
      Plot.dot([last], { x: "day", y: "done", fill: INK, r: 3.5 }),
      Plot.text([last], {
        x: "day",
        y: "done",
        text: () => filled(data.words.done, { n: data.done }),
        fill: INK,
        fontWeight: 600,
        fontSize: 12,
        dx: 8,
        dy: data.done < LOW * data.total ? -10 : 14,
        textAnchor: "start",
      }),
      Plot.text(plan.slice(-1), {
        x: "day",
        y: "done",
        text: () => data.words.plan,
        fill: FAINT,
        fontSize: 11,
        dx: -12,
        dy: 12,
        textAnchor: "end",
      }),
    ],
  });
  const [x, y] = [svg.scale("x")!, svg.scale("y")!];
  const points = done.map(({ day, done }) => ({
    x: x.apply(day) as number,
    y: y.apply(done) as number,
    text: filled(data.words.at, { day: shortDay(day, data.language), n: done, total: data.total }),
  }));
  if (data.forecast) {
    const { day, earliest, latest } = data.forecast;
    points.push({
      x: x.apply(date(day)) as number,
      y: y.apply(data.total) as number,
      text: filled(data.words.forecast, {
        day: shortDay(date(day), data.language),
        earliest: shortDay(date(earliest), data.language),
        latest: shortDay(date(latest), data.language),
      }),
    });
  }
  return { svg, points };
}
