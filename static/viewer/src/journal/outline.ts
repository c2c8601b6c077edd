/** The outline of a mask slice along the edges of its voxels, as closed rings in index coordinates. */
import type { Point2 } from "../api/types";

// Directions of travel with the filled voxel on the right hand: east, south, west, north.
const STEP: Point2[] = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
];

/**
 * @param mask one byte a voxel, row-major
 * @returns rings of corners (x = column − 0.5 …), outer rings clockwise on screen, holes the other way:
 *   fill with the even-odd rule
 */
export function outline(mask: Uint8Array, rows: number, columns: number): Point2[][] {
  const filled = (column: number, row: number) =>
    column >= 0 && row >= 0 && column < columns && row < rows && mask[row * columns + column] === 1;
  const seen = new Set<number>(); // top edges already walked, by voxel offset
  const rings: Point2[][] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const offset = row * columns + column;
      if (mask[offset] !== 1 || filled(column, row - 1) || seen.has(offset)) continue;
      const ring: Point2[] = [];
      let x = column;
      let y = row;
      let heading = 0;
      do {
        if (heading === 0) seen.add(y * columns + x);
        ring.push([x - 0.5, y - 0.5]);
        x += STEP[heading][0];
        y += STEP[heading][1];
        // Turn right where the way ahead is open on the inside, else straight, else left.
        const ahead = cells(x, y, heading);
        if (!filled(...ahead.right)) heading = (heading + 1) % 4;
        else if (filled(...ahead.left)) heading = (heading + 3) % 4;
      } while (x !== column || y !== row || heading !== 0);
      rings.push(straighten(ring));
    }
  }
  return rings;
}

/** The two voxels in front of a corner, seen along the heading. */
function cells(x: number, y: number, heading: number): { left: Point2; right: Point2 } {
  switch (heading) {
    case 0:
      return { left: [x, y - 1], right: [x, y] };
    case 1:
      return { left: [x, y], right: [x - 1, y] };
    case 2:
      return { left: [x - 1, y], right: [x - 1, y - 1] };
    default:
      return { left: [x - 1, y - 1], right: [x, y - 1] };
  }
}

/** Drops the corners between edges of the same direction. */
function straighten(ring: Point2[]): Point2[] {
  return ring.filter((p, i) => {
    const before = ring[(i + ring.length - 1) % ring.length];
    const after = ring[(i + 1) % ring.length];
    return (p[0] - before[0]) * (after[1] - p[1]) !== (p[1] - before[1]) * (after[0] - p[0]);
  });
}
