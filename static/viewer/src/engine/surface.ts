/**
 * The surface of a mask in space: one vertex in every cell of voxels that the border passes through, where its
 * edges are crossed on the average, four-sided faces between them, then smoothed a little without shrinking
 * (Taubin). Positions are patient millimetres, at the slices' true places. Pure.
 */
import type { Point3 } from "../api/types";
import type { Crop } from "./maskcut";
import { fromGrid, type Grid } from "./volume";

export interface Mesh {
  /** Three numbers a vertex, patient mm. */
  positions: Float32Array;
  /** Unit vectors, outward. */
  normals: Float32Array;
  /** Three vertices a triangle, anticlockwise seen from outside. */
  triangles: Uint32Array;
}

/** More cells than this are looked at with every second or third voxel: a picture, not a measurement. */
const CELLS_MOST = 6_000_000;
const SMOOTHINGS = 8;
const INWARD = 0.5;
const OUTWARD = -0.53;

/**
 * @param layers by slice of the grid: what is set there; null where nothing is
 * @returns null where nothing is set
 */
export function surfaceOf(grid: Grid, layers: (Crop | null)[]): Mesh | null {
  const box = bounds(layers);
  if (!box) return null;
  const mesh = netsOf(sampled(layers, box), grid);
  relaxed(mesh);
  orient(mesh);
  return mesh;
}

interface Box {
  low: Point3; // column, row, slice
  high: Point3;
}

function bounds(layers: (Crop | null)[]): Box | null {
  const low: Point3 = [Infinity, Infinity, Infinity];
  const high: Point3 = [-1, -1, -1];
  layers.forEach((layer, slice) => {
    if (!layer?.bytes.includes(1)) return;
    const ends = [
      [layer.left, layer.top, slice],
      [layer.left + layer.width - 1, layer.top + layer.height - 1, slice],
    ];
    for (let i = 0; i < 3; i++) {
      low[i] = Math.min(low[i], ends[0][i]);
      high[i] = Math.max(high[i], ends[1][i]);
    }
  });
  return high[0] < 0 ? null : { low, high };
}

/** Voxels with an empty rim all around, so that every surface closes. */
interface Sampled {
  bytes: Uint8Array;
  size: Point3;
  low: Point3;
  /** Every how many-th voxel, by axis. */
  step: Point3;
}

function sampled(layers: (Crop | null)[], { low, high }: Box): Sampled {
  const step: Point3 = [1, 1, 1];
  const sizeOf = (): Point3 => [0, 1, 2].map((i) => Math.floor((high[i] - low[i]) / step[i]) + 3) as Point3;
  let size = sizeOf();
  while (size[0] * size[1] * size[2] > CELLS_MOST) {
    step[0]++;
    step[1]++;
    if (step[0] > 2) step[2]++;
    size = sizeOf();
  }
  const [nx, ny, nz] = size;
  const bytes = new Uint8Array(nx * ny * nz);
  for (let z = 1; z < nz - 1; z++) {
    const layer = layers[low[2] + (z - 1) * step[2]];
    if (!layer) continue;
    for (let y = 1; y < ny - 1; y++) {
      const row = low[1] + (y - 1) * step[1] - layer.top;
      if (row < 0 || row >= layer.height) continue;
      for (let x = 1; x < nx - 1; x++) {
        const column = low[0] + (x - 1) * step[0] - layer.left;
        if (column < 0 || column >= layer.width) continue;
        if (layer.bytes[row * layer.width + column] === 1) bytes[(z * ny + y) * nx + x] = 1;
      }
    }
  }
  return { bytes, size, low, step };
}

/** The twelve edges of a cell as pairs of its corners; corner i lies at the bits of i (x, y, z). */
const EDGES: [number, number][] = [
  [0, 1],
  [2, 3],
  [4, 5],
  [6, 7],
  [0, 2],
  [1, 3],
  [4, 6],
  [5, 7],
  [0, 4],
  [1, 5],
  [2, 6],
  [3, 7],
];

function netsOf({ bytes, size, low, step }: Sampled, grid: Grid): Mesh {
  const [nx, ny, nz] = size;
  const corner = [0, 1, nx, nx + 1, nx * ny, nx * ny + 1, nx * ny + nx, nx * ny + nx + 1];
  const vertexOf = new Int32Array(bytes.length).fill(-1);
  const places: number[] = [];
  for (let z = 0; z < nz - 1; z++) {
    for (let y = 0; y < ny - 1; y++) {
      for (let x = 0; x < nx - 1; x++) {
        const at = (z * ny + y) * nx + x;
        let set = 0;
        for (let i = 0; i < 8; i++) if (bytes[at + corner[i]]) set |= 1 << i;
        if (set === 0 || set === 255) continue;
        let [sx, sy, sz, n] = [0, 0, 0, 0];
        for (const [a, b] of EDGES) {
          if (((set >> a) & 1) === ((set >> b) & 1)) continue;
          sx += (a & 1) + (b & 1);
          sy += ((a >> 1) & 1) + ((b >> 1) & 1);
          sz += (a >> 2) + (b >> 2);
          n += 2;
        }
        vertexOf[at] = places.length / 3;
        const point = fromGrid(grid, [
          low[0] + (x - 1 + sx / n) * step[0],
          low[1] + (y - 1 + sy / n) * step[1],
          low[2] + (z - 1 + sz / n) * step[2],
        ]);
        places.push(point[0], point[1], point[2]);
      }
    }
  }
  const triangles: number[] = [];
  const face = (inside: boolean, a: number, b: number, c: number, d: number) => {
    if (inside) triangles.push(a, b, c, a, c, d);
    else triangles.push(a, c, b, a, d, c);
  };
  const [dx, dy, dz] = [1, nx, nx * ny];
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) {
        const at = (z * ny + y) * nx + x;
        const here = bytes[at] === 1;
        // The border crosses the edge to a neighbour: the four cells around that edge make a face.
        if (y && z && x < nx - 1 && here !== (bytes[at + dx] === 1))
          face(here, vertexOf[at - dy - dz], vertexOf[at - dz], vertexOf[at], vertexOf[at - dy]);
        if (x && z && y < ny - 1 && here !== (bytes[at + dy] === 1))
          face(here, vertexOf[at - dx - dz], vertexOf[at - dx], vertexOf[at], vertexOf[at - dz]);
        if (x && y && z < nz - 1 && here !== (bytes[at + dz] === 1))
          face(here, vertexOf[at - dx - dy], vertexOf[at - dy], vertexOf[at], vertexOf[at - dx]);
      }
    }
  }
  return {
    positions: Float32Array.from(places),
    normals: new Float32Array(places.length),
    triangles: Uint32Array.from(triangles),
  };
}

/** Every vertex a little towards the middle of its neighbours, then a little further back: steps go, size stays. */
function relaxed(mesh: Mesh): void {
  const { positions, triangles } = mesh;
  const count = positions.length / 3;
  const sum = new Float32Array(positions.length);
  const neighbours = new Uint16Array(count);
  for (let pass = 0; pass < 2 * SMOOTHINGS; pass++) {
    const by = pass % 2 ? OUTWARD : INWARD;
    sum.fill(0);
    neighbours.fill(0);
    for (let t = 0; t < triangles.length; t += 3) {
      for (let i = 0; i < 3; i++) {
        const a = triangles[t + i];
        const b = triangles[t + ((i + 1) % 3)];
        neighbours[a]++;
        for (let k = 0; k < 3; k++) sum[3 * a + k] += positions[3 * b + k];
      }
    }
    for (let v = 0; v < count; v++) {
      if (!neighbours[v]) continue;
      for (let k = 0; k < 3; k++) {
        const at = 3 * v + k;
        positions[at] += by * (sum[at] / neighbours[v] - positions[at]);
      }
    }
  }
}

/** Normals from the faces around each vertex; turned over as a whole where the grid is left-handed. */
function orient(mesh: Mesh): void {
  const { positions, normals, triangles } = mesh;
  if (signedVolume(mesh) < 0) {
    for (let t = 0; t < triangles.length; t += 3) {
      const b = triangles[t + 1];
      triangles[t + 1] = triangles[t + 2];
      triangles[t + 2] = b;
    }
  }
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    const ux = positions[b] - positions[a];
    const uy = positions[b + 1] - positions[a + 1];
    const uz = positions[b + 2] - positions[a + 2];
    const vx = positions[c] - positions[a];
    const vy = positions[c + 1] - positions[a + 1];
    const vz = positions[c + 2] - positions[a + 2];
    const n = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const v of [a, b, c]) for (let k = 0; k < 3; k++) normals[v + k] += n[k];
  }
  for (let v = 0; v < normals.length; v += 3) {
    const length = Math.hypot(normals[v], normals[v + 1], normals[v + 2]) || 1;
    for (let k = 0; k < 3; k++) normals[v + k] /= length;
  }
}

/** What a closed surface encloses, mm³; positive where its triangles face outward. */
export function signedVolume({ positions, triangles }: Pick<Mesh, "positions" | "triangles">): number {
  let six = 0;
  // About its own first vertex: far from the origin the sums would lose their digits.
  const [ox, oy, oz] = positions;
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    const [ax, ay, az] = [positions[a] - ox, positions[a + 1] - oy, positions[a + 2] - oz];
    const [bx, by, bz] = [positions[b] - ox, positions[b + 1] - oy, positions[b + 2] - oz];
    const [cx, cy, cz] = [positions[c] - ox, positions[c + 1] - oy, positions[c + 2] - oz];
    six += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx);
  }
  return six / 6;
}
