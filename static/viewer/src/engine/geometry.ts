/**
 * Where a voxel is. Pure functions; index coordinates are [column, row] with integers at voxel centres,
 * world coordinates are patient millimetres (LPS), or for images without position a plane of their own.
 */
import type { Manifest, PixelFormat, Point2, Point3, Spacing } from "../api/types";

export interface Plane {
  kind: "patient" | "image";
  origin: Point3; // centre of the first voxel
  row: Point3; // direction in which the column index grows
  column: Point3; // direction in which the row index grows
  row_mm: number; // distance between rows; in pixels when uncalibrated: 1, or more where they are oblong
  column_mm: number; // distance between columns; 1 when uncalibrated
  rows: number;
  columns: number;
  calibration: Spacing["source"];
  /** Which way row and column run, where the file writes letters instead of directions. */
  letters: [string, string] | null;
  /** Of a mammogram that says its directions: which breast it shows. */
  breast?: "L" | "R" | null;
}

export const dot = (a: Point3, b: Point3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const sub = (a: Point3, b: Point3): Point3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const cross = (a: Point3, b: Point3): Point3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const distance = (a: Point3, b: Point3): number => Math.hypot(...sub(a, b));

export function pixelOf(manifest: Manifest, index: number): PixelFormat {
  return manifest.overrides[String(index)]?.pixel ?? manifest.pixel;
}

/** Why something can't be told of a series, by its quality findings; null where nothing speaks against it. */
export function spoils(manifest: Manifest, what: string): string | null {
  return manifest.findings.find((finding) => finding.spoils.includes(what))?.sentence ?? null;
}

/** Which breast a mammogram shows; null for other images, and where its file says too little to hang it by. */
function breastOf(manifest: Manifest, index: number, letters: unknown): "L" | "R" | null {
  if (manifest.series.modality !== "MG" || !letters) return null;
  const side = manifest.frames.laterality?.[index] ?? manifest.series.laterality;
  return side === "L" || side === "R" ? side : null;
}

export function planeOf(manifest: Manifest, index: number): Plane {
  const own = manifest.overrides[String(index)];
  const orientation = own?.orientation ?? manifest.orientation;
  const spacing = own?.spacing ?? manifest.spacing;
  const pixel = pixelOf(manifest, index);
  const letters = own?.letters === undefined ? manifest.letters : own.letters;
  const position = manifest.frames.position?.[index];
  const patient = manifest.geometry === "patient" && orientation && position;
  const { row_mm, column_mm } = spacing;
  // Millimetres at a detector are none in the patient: such an image is kept in pixels, in its true shape.
  const unit = spacing.source === "imager" && column_mm ? column_mm : 1;
  return {
    kind: patient ? "patient" : "image",
    origin: patient ? position : [0, 0, 0],
    row: patient ? [orientation[0], orientation[1], orientation[2]] : [1, 0, 0],
    column: patient ? [orientation[3], orientation[4], orientation[5]] : [0, 1, 0],
    row_mm: (row_mm || 1) / unit,
    column_mm: (column_mm || 1) / unit,
    rows: pixel.rows,
    columns: pixel.columns,
    calibration: row_mm && column_mm && !spoils(manifest, "millimetres") ? spacing.source : "none",
    letters: letters ?? null,
    breast: patient ? null : breastOf(manifest, index, letters),
  };
}

export function indexToWorld(plane: Plane, [column, row]: Point2): Point3 {
  const u = column * plane.column_mm;
  const v = row * plane.row_mm;
  return [0, 1, 2].map((i) => plane.origin[i] + plane.row[i] * u + plane.column[i] * v) as Point3;
}

/** The point's foot on the plane; directions are orthonormal, so two dot products do. */
export function worldToIndex(plane: Plane, point: Point3): Point2 {
  const from = sub(point, plane.origin);
  return [dot(from, plane.row) / plane.column_mm, dot(from, plane.column) / plane.row_mm];
}

/** SCOORD puts the centre of the top left pixel at 0.5, 0.5. */
export const indexToScoord = ([column, row]: Point2): Point2 => [column + 0.5, row + 0.5];
export const scoordToIndex = ([column, row]: Point2): Point2 => [column - 0.5, row - 0.5];

export const normalOf = (plane: Plane): Point3 => cross(plane.row, plane.column);

const LETTERS = [
  ["L", "R"],
  ["P", "A"],
  ["H", "F"],
] as const; // towards +x left, +y posterior, +z head

/** Up to three letters, the strongest direction first; parts below a tenth are left out. */
export function letters(direction: Point3): string {
  return [0, 1, 2]
    .filter((i) => Math.abs(direction[i]) > 0.1)
    .sort((a, b) => Math.abs(direction[b]) - Math.abs(direction[a]))
    .map((i) => LETTERS[i][direction[i] > 0 ? 0 : 1])
    .join("");
}

export interface Pose {
  rotation: 0 | 90 | 180 | 270; // degrees clockwise, after the flips
  flipHorizontal: boolean;
  flipVertical: boolean;
}

/** Screen right and screen down, as directions of the in-plane axes [along columns, along rows]. */
export function screenAxes(pose: Pose): { right: Point2; down: Point2 } {
  const turn = (pose.rotation * Math.PI) / 180;
  const c = Math.round(Math.cos(turn));
  const s = Math.round(Math.sin(turn));
  const fx = pose.flipHorizontal ? -1 : 1;
  const fy = pose.flipVertical ? -1 : 1;
  // A point at in-plane (u, v) is drawn at R(turn) · F · (u, v); the axes on screen are the rows of R · F.
  return { right: [c * fx || 0, -s * fy || 0], down: [s * fx || 0, c * fy || 0] };
}

export const UPRIGHT: Pose = { rotation: 0, flipHorizontal: false, flipVertical: false };

// How a reader hangs a slice: axial seen from the feet, front up; coronal from the front, sagittal from the
// left, head up. By the axis the normal runs along: [what lies to the right, what lies down].
const HANGING: [Point3, Point3][] = [
  [
    [0, 1, 0],
    [0, 0, -1],
  ],
  [
    [1, 0, 0],
    [0, 0, -1],
  ],
  [
    [1, 0, 0],
    [0, 1, 0],
  ],
];

/** The pose that brings a slice closest to how a reader hangs it, however its file runs. */
export function hangingPose(plane: Plane): Pose {
  if (plane.breast) return breastPose(plane, plane.breast);
  if (plane.kind === "image") return UPRIGHT;
  const n = normalOf(plane).map(Math.abs);
  const [right, down] = HANGING[n.indexOf(Math.max(...n))];
  let best = UPRIGHT;
  let most = Number.NEGATIVE_INFINITY;
  // A vertical flip is a horizontal one turned by 180°: eight poses cover all.
  for (const flipHorizontal of [false, true]) {
    for (const rotation of [0, 90, 180, 270] as const) {
      const pose = { rotation, flipHorizontal, flipVertical: false };
      const axes = screenAxes(pose);
      const along = ([u, v]: Point2, to: Point3) => u * dot(plane.row, to) + v * dot(plane.column, to);
      const score = along(axes.right, right) + along(axes.down, down);
      if (score > most + 1e-9) {
        most = score;
        best = pose;
      }
    }
  }
  return best;
}

/**
 * Mammograms hang with the chest wall towards the middle: a right breast's on the right, a left one's on the left.
 * Up is headwards, or on a craniocaudal view, which has no head, the outer side.
 */
function breastPose(plane: Plane, breast: "L" | "R"): Pose {
  const inward = breast === "R" ? "L" : "R";
  let best = UPRIGHT;
  let most = 0;
  for (const flipHorizontal of [false, true]) {
    for (const rotation of [0, 90, 180, 270] as const) {
      const pose = { rotation, flipHorizontal, flipVertical: false };
      const edges = edgeLetters(plane, pose);
      const wall = breast === "R" ? edges?.right : edges?.left;
      const down = edges?.bottom[0];
      const score = 2 * Number(wall?.[0] === "P") + Number(down === "F" || down === inward);
      if (score > most) {
        most = score;
        best = pose;
      }
    }
  }
  return best;
}

/** Whether a pose shows the mirror image of another, and by how many degrees it is turned against it. */
export function against(pose: Pose, usual: Pose): { mirrored: boolean; turned: number } {
  const parity = (one: Pose) => one.flipHorizontal !== one.flipVertical;
  const mirrored = parity(pose) !== parity(usual);
  if (mirrored) return { mirrored, turned: 0 };
  // A vertical flip is a horizontal one and half a turn.
  const angle = (one: Pose) => one.rotation + (one.flipVertical ? 180 : 0);
  return { mirrored, turned: (angle(pose) - angle(usual) + 720) % 360 };
}

export interface Edges {
  left: string;
  right: string;
  top: string;
  bottom: string;
}

const OPPOSITE: Record<string, string> = { L: "R", R: "L", P: "A", A: "P", H: "F", F: "H" };
const opposite = (word: string): string => [...word].map((letter) => OPPOSITE[letter] ?? "").join("");

export function edgeLetters(plane: Plane, pose: Pose): Edges | null {
  const { right, down } = screenAxes(pose);
  if (plane.kind === "image") {
    if (!plane.letters) return null;
    const [row, column] = plane.letters;
    // An axis of the screen runs along a row, or down a column, forwards or backwards.
    const towards = ([u, v]: Point2): string => {
      const word = u ? row : column;
      return (u || v) > 0 ? word : opposite(word);
    };
    const [r, d] = [towards(right), towards(down)];
    return { left: opposite(r), right: r, top: opposite(d), bottom: d };
  }
  const along = ([u, v]: Point2): Point3 =>
    [0, 1, 2].map((i) => plane.row[i] * u + plane.column[i] * v) as Point3;
  const minus = (p: Point3): Point3 => [-p[0], -p[1], -p[2]];
  const r = along(right);
  const d = along(down);
  return { left: letters(minus(r)), right: letters(r), top: letters(minus(d)), bottom: letters(d) };
}

/** Whether lengths on a plane are millimetres in the patient, and not pixels. */
export const isCalibrated = (plane: Plane): boolean =>
  plane.calibration === "pixel" || plane.calibration === "estimated";

/** Millimetres between neighbouring slices (median along the normal); null where it means nothing. */
export function sliceDistance(
  manifest: Manifest,
  first = 0,
  count = Number.POSITIVE_INFINITY,
): number | null {
  const positions = manifest.frames.position?.slice(first, first + count);
  if (manifest.geometry !== "patient" || !positions || positions.length < 2) return null;
  const normal = normalOf(planeOf(manifest, first));
  const along = positions.map((p) => dot(p, normal));
  const gaps = along
    .slice(1)
    .map((v, i) => Math.abs(v - along[i]))
    .sort((a, b) => a - b);
  const median = gaps[Math.floor(gaps.length / 2)];
  return median > 1e-3 ? median : null;
}

/** The position along the normal's strongest axis, named as on a CT console. */
export function slicePosition(plane: Plane): { axis: "x" | "y" | "z"; mm: number } | null {
  if (plane.kind === "image") return null;
  const n = normalOf(plane).map(Math.abs);
  const i = n.indexOf(Math.max(...n));
  return { axis: (["x", "y", "z"] as const)[i], mm: plane.origin[i] };
}

/** The frame whose plane is nearest to a point, by distance along the normal, among `count` from `first`. */
export function nearestFrame(
  manifest: Manifest,
  point: Point3,
  first = 0,
  count = Number.POSITIVE_INFINITY,
): number {
  const positions = manifest.frames.position;
  if (!positions) return first;
  const normal = normalOf(planeOf(manifest, first));
  let best = first;
  let least = Number.POSITIVE_INFINITY;
  for (let i = first; i < Math.min(positions.length, first + count); i++) {
    const away = Math.abs(dot(sub(point, positions[i]), normal));
    if (away < least) {
      least = away;
      best = i;
    }
  }
  return best;
}

export function frameIndex(manifest: Manifest, sop: string, frame: number): number {
  const { sop: sops, frame: frames } = manifest.frames;
  for (let i = 0; i < sops.length; i++) if (sops[i] === sop && frames[i] === frame) return i;
  return -1;
}
