/**
 * Slices filled in between drawn ones, by shape: every drawn slice becomes a map of signed distances to its rim, in
 * millimetres; between two of them the maps are mixed by how far the slice lies from each. Pure.
 */
import { type Block, type Box, boxAround, cutOut, type Layer, shiftBetween } from "./block";
import { squaredDistances } from "./distance";
import { type Pace, partOf } from "./pace";

/** Positive inside, negative outside, millimetres from the rim (half way between two centres counts as it may). */
async function signed(layer: Uint8Array, block: Block, box: Box, pace: Pace): Promise<Float32Array> {
  const flat = { ...box, first: 0, last: 0 };
  const cube = cutOut([layer], block, flat);
  const out = await squaredDistances(cube, 1, false, pace);
  const into = await squaredDistances(cube, 0, false, pace);
  for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(into[i]) - Math.sqrt(out[i]);
  return out;
}

function centre(layer: Uint8Array, columns: number): [number, number] {
  let n = 0;
  let x = 0;
  let y = 0;
  for (let i = layer.indexOf(1); i >= 0; i = layer.indexOf(1, i + 1)) {
    n++;
    x += i % columns;
    y += Math.floor(i / columns);
  }
  return [x / n, y / n];
}

/** A map read at a place between voxels; beyond the box it is far outside. */
function read(map: Float32Array, width: number, height: number, x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  if (x0 < 0 || y0 < 0 || x0 >= width - 1 || y0 >= height - 1) {
    const cx = Math.max(0, Math.min(width - 1, Math.round(x)));
    const cy = Math.max(0, Math.min(height - 1, Math.round(y)));
    return map[cy * width + cx] - Math.hypot(x - cx, y - cy);
  }
  const fx = x - x0;
  const fy = y - y0;
  const i = y0 * width + x0;
  return (
    (map[i] * (1 - fx) + map[i + 1] * fx) * (1 - fy) +
    (map[i + width] * (1 - fx) + map[i + width + 1] * fx) * fy
  );
}

const meet = (a: Uint8Array, b: Uint8Array, shift: [number, number], columns: number): boolean => {
  const by = Math.round(shift[1]) * columns + Math.round(shift[0]);
  for (let i = a.indexOf(1); i >= 0; i = a.indexOf(1, i + 1)) if (b[i + by]) return true;
  return false;
};

/**
 * @param layers by slice; drawn ones stay as they are
 * @returns the new planes of the empty slices between drawn ones
 */
export async function filledBetween(
  layers: readonly Layer[],
  block: Block,
  pace: Pace,
): Promise<Map<number, Uint8Array>> {
  const made = new Map<number, Uint8Array>();
  const drawn = layers.flatMap((layer, i) => (layer?.includes(1) ? [i] : []));
  const gaps = drawn.flatMap((low, i) => (drawn[i + 1] > low + 1 ? [[low, drawn[i + 1]]] : []));
  const { rows, columns } = block;
  for (const [number, [low, high]] of gaps.entries()) {
    const own = partOf(pace, number / gaps.length, (number + 1) / gaps.length);
    const [a, b] = [layers[low]!, layers[high]!];
    const around = boxAround([a, b], columns)!;
    const box = {
      ...around,
      left: Math.max(0, around.left - 2),
      right: Math.min(columns - 1, around.right + 2),
      top: Math.max(0, around.top - 2),
      bottom: Math.min(rows - 1, around.bottom + 2),
    };
    const width = box.right - box.left + 1;
    const height = box.bottom - box.top + 1;
    const below = await signed(a, block, box, partOf(own, 0, 0.3));
    const above = await signed(b, block, box, partOf(own, 0.3, 0.6));
    // Shapes beside each other have nothing in common to mix: they are brought together by their centres.
    const straight = shiftBetween(block, low, high);
    const [ca, cb] = [centre(a, columns), centre(b, columns)];
    const drift: [number, number] = meet(a, b, straight, columns) ? straight : [cb[0] - ca[0], cb[1] - ca[1]];
    for (let slice = low + 1; slice < high; slice++) {
      const wait = own(0.6 + (0.4 * (slice - low)) / (high - low));
      if (wait) await wait;
      const t = (block.at_mm[slice] - block.at_mm[low]) / (block.at_mm[high] - block.at_mm[low]);
      const plane = new Uint8Array(rows * columns);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const from = read(below, width, height, x - drift[0] * t, y - drift[1] * t);
          const to = read(above, width, height, x + drift[0] * (1 - t), y + drift[1] * (1 - t));
          if (from * (1 - t) + to * t > 0) plane[(box.top + y) * columns + box.left + x] = 1;
        }
      }
      made.set(slice, plane);
    }
  }
  return made;
}
