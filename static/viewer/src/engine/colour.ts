/** Colour maps: what colour a value between the bottom and the top of a window is shown in. */

export type ColourName = "hot_iron" | "hot_metal" | "rainbow" | "grey" | "inverted";

/** Position from 0 to 1, and red, green, blue there; straight in between. */
type Stop = [number, number, number, number];

const STOPS: Record<ColourName, Stop[]> = {
  // PS3.6 B.1.1: red over the lower half, then green, blue over the last quarter.
  hot_iron: [
    [0, 0, 0, 0],
    [0.5, 255, 0, 0],
    [0.75, 255, 128, 0],
    [1, 255, 255, 255],
  ],
  hot_metal: [
    [0, 0, 0, 0],
    [0.25, 44, 0, 132],
    [0.45, 160, 0, 96],
    [0.65, 240, 72, 0],
    [0.85, 255, 196, 32],
    [1, 255, 255, 255],
  ],
  rainbow: [
    [0, 0, 0, 96],
    [0.15, 0, 0, 255],
    [0.38, 0, 224, 224],
    [0.55, 0, 200, 0],
    [0.75, 255, 240, 0],
    [1, 255, 0, 0],
  ],
  grey: [
    [0, 0, 0, 0],
    [1, 255, 255, 255],
  ],
  inverted: [
    [0, 255, 255, 255],
    [1, 0, 0, 0],
  ],
};

export const COLOUR_NAMES = Object.keys(STOPS) as ColourName[];

const STEPS = 256;
/** Below this part of the window a colour fades out, so that what takes nothing up doesn't veil the image. */
const FADE = 0.2;

const tables = new Map<string, Uint8ClampedArray>();

/** 256 colours as red, green, blue, opacity; `fades`: the lowest fifth lets more and more of the image through. */
export function colourTable(name: ColourName, fades = true): Uint8ClampedArray {
  const key = `${name}${fades}`;
  let table = tables.get(key);
  if (!table) {
    table = new Uint8ClampedArray(STEPS * 4);
    for (let i = 0; i < STEPS; i++) {
      const part = i / (STEPS - 1);
      table.set(colourAt(STOPS[name], part), i * 4);
      table[i * 4 + 3] = fades ? 255 * Math.min(1, part / FADE) : 255;
    }
    tables.set(key, table);
  }
  return table;
}

function colourAt(stops: Stop[], part: number): [number, number, number] {
  const next = Math.max(
    1,
    stops.findIndex(([at]) => at >= part),
  );
  const [a, b] = [stops[next - 1], stops[next]];
  const way = (part - a[0]) / (b[0] - a[0]);
  const mix = (i: 1 | 2 | 3) => a[i] + (b[i] - a[i]) * way;
  return [mix(1), mix(2), mix(3)];
}

/** Colours for values: `low` and `high` are the ends of the window; what is not a number stays see-through. */
export function paint(
  values: Float32Array,
  low: number,
  high: number,
  table: Uint8ClampedArray,
  pixels: Uint8ClampedArray,
): void {
  const scale = (STEPS - 1) / Math.max(high - low, 1e-9);
  for (let i = 0, to = 0; i < values.length; i++, to += 4) {
    const value = values[i];
    if (Number.isNaN(value)) {
      pixels[to + 3] = 0;
      continue;
    }
    const step = Math.max(0, Math.min(STEPS - 1, Math.round((value - low) * scale))) * 4;
    pixels[to] = table[step];
    pixels[to + 1] = table[step + 1];
    pixels[to + 2] = table[step + 2];
    pixels[to + 3] = table[step + 3];
  }
}

/** A colour map as a CSS gradient, bottom to top: the bar beside an image that says what a colour means. */
export const gradientOf = (name: ColourName): string =>
  `linear-gradient(to top, ${STOPS[name]
    .map(([at, r, g, b]) => `rgb(${r} ${g} ${b}) ${Math.round(at * 100)}%`)
    .join(", ")})`;
