/** What all plots have in common: ink, margins, and the places that a hand or a key can point at. */

/** A place on a plot that says something, in pixels of the drawing. */
export interface Point {
  x: number;
  y: number;
  text: string;
  /** Where it leads, if anywhere. */
  href?: string;
}

export interface Drawing {
  svg: Element;
  points: Point[];
}

export type Draw<Data> = (data: Data, width: number) => Drawing;

export const INK = "var(--ink)";
export const FAINT = "var(--ink-3)";
export const LINE = "var(--line)";
export const BAR = "var(--bar)";
export const BAR_2 = "var(--bar-2)";
export const BAR_3 = "var(--bar-3)";

export const DAY_MS = 86_400_000;

export function date(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

/** "23 Mar", with the year where it is another one than now. */
export function shortDay(day: Date, language: string, now = new Date()): string {
  const year = day.getUTCFullYear() === now.getUTCFullYear() ? undefined : "numeric";
  return day.toLocaleDateString(language, { day: "numeric", month: "short", year, timeZone: "UTC" });
}

export function shortMonth(month: Date, language: string): string {
  return month.toLocaleDateString(language, { month: "short", year: "numeric", timeZone: "UTC" });
}

/** The point nearest to the pointer; with `across`, only how far it is to the side counts. */
export function nearest(points: readonly Point[], x: number, y: number, across = false): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  points.forEach((point, at) => {
    const distance = (point.x - x) ** 2 + (across ? 0 : (point.y - y) ** 2);
    if (distance < least) {
      least = distance;
      best = at;
    }
  });
  return best;
}

/** Words with {names}, filled in. */
export function filled(words: string, values: Record<string, string | number>): string {
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
