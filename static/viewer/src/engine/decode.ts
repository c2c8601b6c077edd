/** From the bytes of one frame to displayed values. Native frames are little endian, whatever the file was. */
import { getWebWorkerManager } from "@cornerstonejs/core";
import type { Manifest, PixelFormat } from "../api/types";
import { t } from "../words";
import { whole16 } from "./decode16";
import { pixelOf } from "./geometry";

export interface Pixels {
  /** What is drawn: one value a voxel, or three (RGB, interleaved, 8 bits) in colour. */
  data: Uint8Array | Int16Array | Uint16Array | Float32Array;
  /** Stored numbers, where what is drawn no longer tells them to the last digit. */
  exact?: Stored;
  colour: boolean;
  rows: number;
  columns: number;
  minimum: number;
  maximum: number;
}

const NATIVE = new Set(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]);
const WORKERS = 2;

/** Slope and intercept of the displayed value: the modality's, times the SUV factor where there is one. */
export function scaleOf(manifest: Manifest, index: number): { slope: number; intercept: number } {
  const { slope, intercept } = manifest.frames;
  const suv = manifest.suv_factor ?? 1;
  return { slope: slope[index] * suv, intercept: intercept[index] * suv };
}

export async function decodeFrame(manifest: Manifest, index: number, bytes: Uint8Array): Promise<Pixels> {
  const format = pixelOf(manifest, index);
  const syntax = manifest.syntaxes[manifest.frames.syntax[index]];
  const { slope, intercept } = scaleOf(manifest, index);
  const plain = NATIVE.has(syntax) && whole16(format, bytes, slope, intercept);
  if (plain) return plain;
  const stored = NATIVE.has(syntax)
    ? nativeValues(format, bytes)
    : await compressedValues(format, syntax, bytes);
  if (format.samples === 3) return colour(format, stored, syntax);
  return scaled(stored, format, slope, intercept);
}

type Stored =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

export function nativeValues(format: PixelFormat, bytes: Uint8Array): Stored {
  const expected = format.rows * format.columns * format.samples;
  const width = format.bits_allocated / 8;
  if (![1, 2, 4].includes(width) && !(format.floating && width === 8))
    throw new Error(t("Pixels of {bits} bits cannot be shown.", { bits: format.bits_allocated }));
  if (bytes.byteLength < expected * width) throw new Error(t("It holds fewer pixels than it says."));
  // A typed array needs an aligned start, and a run of frames in one answer need not give one.
  const buffer = bytes.slice(0, expected * width).buffer;
  if (format.floating) return width === 8 ? new Float64Array(buffer) : new Float32Array(buffer);
  if (width === 1) return format.signed ? new Int8Array(buffer) : new Uint8Array(buffer);
  if (width === 4) return format.signed ? new Int32Array(buffer) : new Uint32Array(buffer);
  const values = format.signed ? new Int16Array(buffer) : new Uint16Array(buffer);
  const unused = 16 - format.bits_stored;
  if (unused > 0) {
    // Bits above the stored ones may hold old overlays; bits below, where the value sits high, are shifted out.
    const low = Math.max(0, format.high_bit + 1 - format.bits_stored);
    for (let i = 0; i < values.length; i++) {
      const raw = (values[i] >> low) << (16 + unused);
      values[i] = format.signed ? raw >> (16 + unused) : raw >>> (16 + unused);
    }
  }
  return values;
}

async function compressedValues(format: PixelFormat, syntax: string, bytes: Uint8Array): Promise<Stored> {
  await startDecoders();
  const frame = await getWebWorkerManager().executeTask("dicomImageLoader", "decodeTask", {
    imageFrame: {
      rows: format.rows,
      columns: format.columns,
      samplesPerPixel: format.samples,
      photometricInterpretation: format.photometric,
      // Colours of a pixel side by side, however the file had them.
      planarConfiguration: 0,
      bitsAllocated: format.bits_allocated,
      bitsStored: format.bits_stored,
      pixelRepresentation: format.signed ? 1 : 0,
    },
    transferSyntax: syntax,
    pixelData: bytes.slice(),
    decodeConfig: {},
    // Scaling stays here, so that native and compressed frames go through the same arithmetic.
    options: { preScale: { enabled: false }, allowFloatRendering: true },
  });
  return signedAs(format, (frame as { pixelData: Stored }).pixelData);
}

/** Some decoders know nothing of signs: numbers of fewer bits than their array, or of 8, come without theirs. */
export function signedAs(format: PixelFormat, decoded: Stored): Stored {
  if (!format.signed || format.bits_stored > 16) return decoded;
  const unused = 32 - format.bits_stored;
  const signed = decoded instanceof Int16Array ? decoded : new Int16Array(decoded.length);
  for (let i = 0; i < decoded.length; i++) signed[i] = (decoded[i] << unused) >> unused;
  return signed;
}

let decoders: Promise<void> | null = null;
function startDecoders(): Promise<void> {
  decoders ??= import("@cornerstonejs/dicom-image-loader").then(({ init }) => {
    init({ maxWebWorkers: Math.max(1, Math.min(WORKERS, (navigator.hardwareConcurrency ?? 2) - 1)) });
  });
  return decoders;
}

/** Whole numbers up to here are the same in 32 bit floating point. */
const EXACT_MAX = 2 ** 24;

export function scaled(stored: Stored, format: PixelFormat, slope: number, intercept: number): Pixels {
  const isFloat = format.floating === true;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < stored.length; i++) {
    const value = stored[i];
    if (isFloat && !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) low = high = 0;
  const ends = [low * slope + intercept, high * slope + intercept];
  const minimum = Math.min(...ends);
  const maximum = Math.max(...ends);
  const whole = Number.isInteger(slope) && Number.isInteger(intercept) && !isFloat;
  const data =
    whole && minimum >= -32768 && maximum <= 32767
      ? new Int16Array(stored.length)
      : whole && minimum >= 0 && maximum <= 65535
        ? new Uint16Array(stored.length)
        : new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i++) data[i] = stored[i] * slope + intercept;
  const { rows, columns } = format;
  const image: Pixels = { data, colour: false, rows, columns, minimum, maximum };
  if (isFloat) {
    // What is no number is drawn as the darkest, and read as what it is.
    for (let i = 0; i < data.length; i++)
      if (!Number.isFinite(data[i])) data[i] = data[i] > 0 ? maximum : minimum;
    image.exact = stored;
  } else if (Math.max(-low, high) > EXACT_MAX) image.exact = stored;
  return image;
}

export function colour(format: PixelFormat, stored: Stored, syntax: string): Pixels {
  const { rows, columns } = format;
  const voxels = rows * columns;
  const planes = format.planar === 1 && NATIVE.has(syntax);
  const side = <T extends Stored>(to: T, scale: number): T => {
    for (let i = 0; i < voxels; i++)
      for (let s = 0; s < 3; s++)
        to[i * 3 + s] = Math.floor(stored[planes ? s * voxels + i : i * 3 + s] / scale);
    return to;
  };
  const data = side(new Uint8Array(voxels * 3), 2 ** Math.max(0, format.bits_stored - 8));
  // JPEG decoders hand out RGB already; only native and run-length frames are still in YBR.
  if (format.photometric === "YBR_FULL" && (NATIVE.has(syntax) || syntax.endsWith(".5"))) toRgb(data);
  const image: Pixels = { data, colour: true, rows, columns, minimum: 0, maximum: 255 };
  if (format.bits_stored > 8) image.exact = side(new Uint32Array(voxels * 3), 1);
  return image;
}

function toRgb(data: Uint8Array): void {
  const clamp = (v: number) => Math.max(0, Math.min(255, Math.round(v)));
  for (let i = 0; i < data.length; i += 3) {
    const y = data[i];
    const cb = data[i + 1] - 128;
    const cr = data[i + 2] - 128;
    data[i] = clamp(y + 1.402 * cr);
    data[i + 1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
    data[i + 2] = clamp(y + 1.772 * cb);
  }
}

/** The value a reader reads: from the stored number in double precision, not from what the screen rounds to. */
export function valueAt(manifest: Manifest, index: number, pixels: Pixels, offset: number): number {
  const { slope, intercept } = scaleOf(manifest, index);
  if (pixels.exact) return pixels.exact[offset] * slope + intercept;
  const shown = pixels.data[offset];
  if (!(pixels.data instanceof Float32Array) || slope === 0) return shown;
  return Math.round((shown - intercept) / slope) * slope + intercept;
}

/** Red, green and blue as they are stored. */
export const coloursAt = ({ data, exact }: Pixels, offset: number): number[] =>
  [0, 1, 2].map((s) => (exact ?? data)[offset * 3 + s]);

/** What an image takes in memory. */
export const bytesOf = ({ data, exact }: Pixels): number => data.byteLength + (exact?.byteLength ?? 0);
