/** One-click lesion: a press on it shows its voxels, the wheel makes it larger or smaller, Enter keeps it. */
import type { Point2 } from "../api/types";
import { valueAt } from "../engine/decode";
import { indexToWorld, worldToIndex } from "../engine/geometry";
import { type Place, toIndex } from "../place";
import { frames } from "../session";
import { unitsOf } from "../spoilt";
import { sliceKey } from "../store/marks";
import type { Gesture } from "../tools";
import { DONE } from "../tools/gestures";
import { amount, fixed } from "../ui/words";
import { t } from "../words";
import { type Block, type Box, blockOf, thicknesses, widened } from "./block";
import { type Field, priced, regionAt, type Source, STEPS, suggested } from "./lesion";
import { options } from "./options";
import { preview } from "./preview";
import type { Slice } from "./slices";
import { newTarget, say } from "./target";

/** The values around a click; null where some of them are not here yet. */
function valuesIn(place: Place, block: Block, box: Box): Float32Array | null {
  const loader = frames.get(place.manifest.series.id);
  const width = box.right - box.left + 1;
  const height = box.bottom - box.top + 1;
  const values = new Float32Array(width * height * (box.last - box.first + 1));
  for (let slice = box.first; slice <= box.last; slice++) {
    const index = block.indices[slice];
    const pixels = loader?.pixels[index];
    if (!pixels || pixels.colour) return null;
    for (let y = 0; y < height; y++) {
      const from = (box.top + y) * pixels.columns + box.left;
      const to = ((slice - box.first) * height + y) * width;
      for (let x = 0; x < width; x++) values[to + x] = valueAt(place.manifest, index, pixels, from + x);
    }
  }
  return values;
}

/** The voxel of the block under a point of the pane: column, row, slice; null outside. */
function voxelAt(place: Place, block: Block, at: Point2): [number, number, number] | null {
  const point = indexToWorld(place.plane, toIndex(place, at));
  let slice = place.index === null ? -1 : block.indices.indexOf(place.index);
  if (slice < 0) {
    let least = Number.POSITIVE_INFINITY;
    block.planes.forEach((plane, i) => {
      const foot = indexToWorld(plane, worldToIndex(plane, point));
      const away = Math.hypot(foot[0] - point[0], foot[1] - point[1], foot[2] - point[2]);
      if (away < least) [least, slice] = [away, i];
    });
  }
  const [column, row] = (
    place.index === null ? worldToIndex(block.planes[slice], point) : toIndex(place, at)
  ).map(Math.round);
  const inside = column >= 0 && row >= 0 && column < block.columns && row < block.rows;
  return inside ? [column, row, slice] : null;
}

export function picking(which: number, start: Point2, place: Place): Gesture | null {
  const block = blockOf(place.manifest, place.near);
  const voxel = voxelAt(place, block, start);
  if (!voxel) return DONE;
  const [column, row, slice] = voxel;
  const { reachMm } = options.getState();
  // Without millimetres, or without a volume: in the slice alone.
  const spot = { left: column, right: column, top: row, bottom: row, first: slice, last: slice };
  const box = widened(spot, block, reachMm, block.why === null);
  const values = valuesIn(place, block, box);
  if (!values) {
    say(t("The images around this place are still loading."));
    return DONE;
  }
  const target = newTarget(block.series);
  if (!target) return DONE;
  const source: Source = {
    box,
    width: box.right - box.left + 1,
    height: box.bottom - box.top + 1,
    depth: box.last - box.first + 1,
    column_mm: block.column_mm,
    row_mm: block.row_mm,
    at_mm: block.at_mm.slice(box.first, box.last + 1),
    values,
  };
  const field = priced(source, [column - box.left, row - box.top, slice - box.first], reachMm);
  let price = suggested(field, source);
  const show = () => {
    const region = regionAt(field, price);
    preview.setState({
      shown: {
        pane: which,
        series: block.series,
        annotation: target.id,
        create: target.create,
        color: target.color,
        slices: slicesOf(region, field, block),
        text: textOf(region, field, block, price, unitsOf(place.manifest)),
        turn(steps) {
          // A notch away from the reader makes it larger.
          price = Math.max(0, Math.min(STEPS, price - Math.sign(steps) * stepOf(price)));
          show();
        },
        place: null,
      },
    });
  };
  show();
  return DONE;
}

/** Fine where the range is narrow, coarser where it is wide. */
const stepOf = (price: number): number => Math.max(1, Math.round(price / 25));

function slicesOf(region: Uint8Array, field: Field, block: Block): Map<string, Slice> {
  const { box, width, height, depth } = field;
  const made = new Map<string, Slice>();
  for (let z = 0; z < depth; z++) {
    const from = z * width * height;
    if (!region.subarray(from, from + width * height).includes(1)) continue;
    const { rows, columns } = block;
    const mask = new Uint8Array(rows * columns);
    for (let y = 0; y < height; y++)
      mask.set(region.subarray(from + y * width, from + (y + 1) * width), (box.top + y) * columns + box.left);
    const [sop, frame] = [block.sops[box.first + z], block.frames[box.first + z]];
    made.set(sliceKey(sop, frame), { sop, frame, rows, columns, mask });
  }
  return made;
}

function textOf(region: Uint8Array, field: Field, block: Block, price: number, units: string): string {
  const thick = thicknesses(block);
  const area = field.width * field.height;
  let ml = 0;
  let voxels = 0;
  for (let i = 0; i < region.length; i++) {
    if (!region[i]) continue;
    voxels++;
    ml += (block.row_mm * block.column_mm * thick[field.box.first + Math.floor(i / area)]) / 1000;
  }
  const size =
    block.calibrated && block.whyUneven === null ? `${fixed(ml, ml < 10 ? 2 : 1)} mL` : `${voxels} voxels`;
  return t("Lesion {value} ± {range} {units}: {size}", {
    value: amount(field.value),
    range: amount(price * field.step),
    units,
    size,
  });
}
