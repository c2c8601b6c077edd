/** How often which value occurs in an image: arithmetic for the panel that shows a window over it. */

export interface Histogram {
  counts: Uint32Array;
  /** Values at the left end of the first bar and the right end of the last. */
  low: number;
  high: number;
}

const BARS = 160;
/** Values rarer than this at either end (metal, padding) would squeeze the rest together. */
const RARE = 0.0005;

/** `values` as they are drawn; at most some hundred thousand of them are looked at. */
export function histogram(values: ArrayLike<number>, bars = BARS): Histogram | null {
  const step = Math.max(1, Math.floor(values.length / 200_000));
  const looked: number[] = [];
  for (let i = 0; i < values.length; i += step) if (Number.isFinite(values[i])) looked.push(values[i]);
  if (!looked.length) return null;
  const sorted = Float64Array.from(looked).sort();
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  const low = at(RARE);
  const high = at(1 - RARE);
  const counts = new Uint32Array(bars);
  if (high <= low) return { counts, low: low - 1, high: high + 1 };
  const scale = bars / (high - low);
  for (const value of sorted) {
    if (value < low || value > high) continue;
    counts[Math.min(bars - 1, Math.floor((value - low) * scale))]++;
  }
  return { counts, low, high };
}

/** Heights from 0 to 1: roots, so that a lesion shows beside all the air around the body. */
export function heights({ counts }: Histogram): number[] {
  const most = Math.max(1, ...counts);
  return Array.from(counts, (count) => Math.sqrt(count / most));
}

/** The window after its lower or upper end was dragged to a value; never narrower than `least`. */
export function dragged(
  window: { width: number; center: number },
  end: "low" | "high" | "both",
  value: number,
  least: number,
): { width: number; center: number } {
  if (end === "both") return { width: window.width, center: value };
  const low = window.center - window.width / 2;
  const high = window.center + window.width / 2;
  const [a, b] = end === "low" ? [Math.min(value, high - least), high] : [low, Math.max(value, low + least)];
  return { width: b - a, center: (a + b) / 2 };
}
