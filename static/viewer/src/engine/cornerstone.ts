/** Starting Cornerstone once: the `atlas:` loader over our own frames, metadata from the manifests. */
import { cache, imageLoader, init, metaData, RenderingEngine, type Types } from "@cornerstonejs/core";
import type { Manifest } from "../api/types";
import { t } from "../words";
import type { Pixels } from "./decode";
import type { SeriesFrames } from "./frames";
import { type Plane, pixelOf, planeOf } from "./geometry";

const known = new Map<string, SeriesFrames>();
// Cornerstone's cache only points at arrays that SeriesFrames holds; the limit that counts is ours.
const CORNERSTONE_CACHE_BYTES = 4 * 1024 ** 3;

export const imageIdOf = (manifest: Manifest, index: number): string =>
  `atlas:${manifest.series.id}/${manifest.generation}/${index}`;

/** Images that are no frame of a series: cuts through its volume. */
const cuts = new Map<string, CutSource>();
let cutNumber = 0;

export interface CutSource {
  manifest: Manifest;
  plane: Plane;
  pixels: Pixels;
}

/** A cut as one more image; told by whoever shows it when it is no longer shown. */
export function registerCut(source: CutSource): string {
  const imageId = `atlascut:${++cutNumber}`;
  cuts.set(imageId, source);
  return imageId;
}

export function forgetCut(imageId: string): void {
  cuts.delete(imageId);
  if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
}

function parse(imageId: string): { frames: SeriesFrames; index: number } | null {
  const match = /^atlas:([^/]+\/\d+)\/(\d+)$/.exec(imageId);
  const frames = match && known.get(match[1]);
  return frames ? { frames, index: Number(match[2]) } : null;
}

/**
 * The window that Cornerstone starts a stack with; ours replaces it at once. It must be wider than 1: its formula
 * subtracts 1 from the width, so a narrower one, as of an ADC map, would show every later window black or inverted.
 */
const FIRST_WINDOW = { center: 128, width: 256 };

/** Metadata has to be known before an image loads, so a series is registered before it is shown. */
export function register(frames: SeriesFrames): void {
  known.set(`${frames.manifest.series.id}/${frames.manifest.generation}`, frames);
}

/** Its cache points to the pixels of a frame: they stay in memory until it lets go of them, too. */
export function forgetFrame(frames: SeriesFrames, index: number): void {
  const imageId = imageIdOf(frames.manifest, index);
  if (cache.getImageLoadObject(imageId)) cache.removeImageLoadObject(imageId, { force: true });
}

export function forget(frames: SeriesFrames): void {
  frames.manifest.frames.sop.forEach((_, index) => {
    forgetFrame(frames, index);
  });
}

/** A series that nobody shows any more. */
export function unregister(frames: SeriesFrames): void {
  forget(frames);
  const name = `${frames.manifest.series.id}/${frames.manifest.generation}`;
  if (known.get(name) === frames) known.delete(name);
}

function metadata(type: string, imageId: unknown): unknown {
  if (typeof imageId !== "string") return undefined;
  const cut = cuts.get(imageId);
  const found = cut ? null : parse(imageId);
  if (!found && !cut) return undefined;
  const manifest = cut ? cut.manifest : found!.frames.manifest;
  const plane = cut ? cut.plane : planeOf(manifest, found!.index);
  const pixel = cut ? { ...manifest.pixel, ...sizeOf(cut.plane) } : pixelOf(manifest, found!.index);
  switch (type) {
    case "imagePlaneModule":
      return {
        frameOfReferenceUID: manifest.series.frame_of_reference ?? manifest.series.uid,
        rows: plane.rows,
        columns: plane.columns,
        imageOrientationPatient: [...plane.row, ...plane.column],
        rowCosines: plane.row,
        columnCosines: plane.column,
        imagePositionPatient: plane.origin,
        pixelSpacing: [plane.row_mm, plane.column_mm],
        rowPixelSpacing: plane.row_mm,
        columnPixelSpacing: plane.column_mm,
        usingDefaultValues: false,
      };
    case "imagePixelModule":
      return {
        samplesPerPixel: pixel.samples,
        // The frames arrive here decoded: grey values as they are read, colour as RGB.
        photometricInterpretation: pixel.samples === 3 ? "RGB" : "MONOCHROME2",
        rows: pixel.rows,
        columns: pixel.columns,
        bitsAllocated: pixel.samples === 3 ? 8 : 16,
        bitsStored: pixel.samples === 3 ? 8 : 16,
        highBit: pixel.samples === 3 ? 7 : 15,
        pixelRepresentation: pixel.signed ? 1 : 0,
      };
    case "generalSeriesModule":
      return {
        modality: manifest.series.modality,
        seriesInstanceUID: manifest.series.uid,
        seriesNumber: manifest.series.number,
      };
    case "sopCommonModule":
      return found ? { sopInstanceUID: manifest.frames.sop[found.index] } : undefined;
    case "voiLutModule":
      return { windowCenter: [FIRST_WINDOW.center], windowWidth: [FIRST_WINDOW.width] };
    default:
      return undefined;
  }
}

const sizeOf = ({ rows, columns }: Plane) => ({ rows, columns });

function imageOf(imageId: string, plane: Plane, pixels: Pixels): Types.IImage {
  const names = new Map<unknown, Types.PixelDataTypedArrayString>([
    [Uint8Array, "Uint8Array"],
    [Int16Array, "Int16Array"],
    [Uint16Array, "Uint16Array"],
    [Float32Array, "Float32Array"],
  ]);
  return {
    imageId,
    minPixelValue: pixels.minimum,
    maxPixelValue: pixels.maximum,
    slope: 1,
    intercept: 0,
    windowCenter: FIRST_WINDOW.center,
    windowWidth: FIRST_WINDOW.width,
    voiLUTFunction: "LINEAR" as Types.IImage["voiLUTFunction"],
    getPixelData: () => pixels.data as Types.PixelDataTypedArray,
    getCanvas: () => document.createElement("canvas"),
    rows: pixels.rows,
    columns: pixels.columns,
    height: pixels.rows,
    width: pixels.columns,
    color: pixels.colour,
    rgba: false,
    numberOfComponents: pixels.colour ? 3 : 1,
    columnPixelSpacing: plane.column_mm,
    rowPixelSpacing: plane.row_mm,
    invert: false,
    photometricInterpretation: pixels.colour ? "RGB" : "MONOCHROME2",
    sizeInBytes: pixels.data.byteLength,
    isPreScaled: true,
    preScale: { enabled: true, scaled: true },
    dataType: names.get(pixels.data.constructor) ?? "Float32Array",
    imageFrame: {} as Types.IImage["imageFrame"],
  };
}

let engine: RenderingEngine | null = null;

export function start(): RenderingEngine {
  if (engine) return engine;
  init();
  cache.setMaxCacheSize(CORNERSTONE_CACHE_BYTES);
  metaData.addProvider(metadata, 10_000);
  imageLoader.registerImageLoader("atlas", (imageId: string) => {
    const found = parse(imageId);
    if (!found) return { promise: Promise.reject(new Error(t("This image is not part of the read."))) };
    const { frames, index } = found;
    const plane = planeOf(frames.manifest, index);
    return { promise: frames.get(index).then((pixels) => imageOf(imageId, plane, pixels)) };
  });
  imageLoader.registerImageLoader("atlascut", (imageId: string) => {
    const source = cuts.get(imageId);
    if (!source) return { promise: Promise.reject(new Error(t("This cut is no longer shown."))) };
    return { promise: Promise.resolve(imageOf(imageId, source.plane, source.pixels)) };
  });
  engine = new RenderingEngine("atlas-room");
  return engine;
}

export function stop(): void {
  engine?.destroy();
  engine = null;
  for (const frames of known.values()) {
    frames.stop();
    forget(frames);
  }
  known.clear();
  cuts.clear();
  metaData.removeProvider(metadata);
  cache.purgeCache();
}
