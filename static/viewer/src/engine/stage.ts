/** One viewport: a stack of frames on a Cornerstone viewport, its camera and window set from our own state. */
import { Enums, type RenderingEngine, type StackViewport, type Types } from "@cornerstonejs/core";
import type { Point2, Point3 } from "../api/types";
import { type Area, cameraOf, type Sight } from "./camera";
import { forgetCut, imageIdOf, register, registerCut } from "./cornerstone";
import type { Cut } from "./cut";
import { type CutImage, Cutter } from "./cutter";
import type { Pixels } from "./decode";
import type { SeriesFrames } from "./frames";
import { type Plane, pixelOf, planeOf } from "./geometry";
import { volumeOf } from "./volume";

export interface Window {
  width: number;
  center: number;
}

export interface StageNews {
  /** The frame that is on the screen now. */
  shown(index: number): void;
  /** A frame that was asked for could not be shown. */
  failed(index: number, sentence: string): void;
}

export class Stage {
  private readonly id: string;
  private readonly engine: RenderingEngine;
  private readonly element: HTMLDivElement;
  private readonly news: StageNews;
  private frames: SeriesFrames | null = null;
  /** The series that was asked for last; the one on the screen is still the former, until an image is there. */
  private asked: SeriesFrames | null = null;
  private wanted = -1;
  private visible = -1;
  private sight: Sight | null = null;
  private area: Area = { width: 1, height: 1, inset: 0 };
  private voi: Window | null = null;
  private inverted = false;
  private smooth = true;
  private order = 0;
  /** The cut on the screen: its image, and its plane; null while a frame is shown. */
  private cut: { imageId: string; plane: Plane; pixels: Pixels } | null = null;
  private readonly cutter = new Cutter((image) => this.putCut(image));

  constructor(engine: RenderingEngine, id: string, element: HTMLDivElement, news: StageNews) {
    this.engine = engine;
    this.id = id;
    this.element = element;
    this.news = news;
    engine.enableElement({
      viewportId: id,
      type: Enums.ViewportType.STACK,
      element,
      defaultOptions: { background: [0, 0, 0] },
    });
    // Cornerstone fits the camera on every new image and renders right after this event.
    element.addEventListener(Enums.Events.STACK_NEW_IMAGE, this.settle);
  }

  private get viewport(): StackViewport {
    return this.engine.getViewport(this.id) as StackViewport;
  }

  private settle = (): void => {
    if (this.wanted >= 0) this.place(this.wanted);
    this.tint();
  };

  private place(index: number): void {
    if (!this.frames || !this.sight) return;
    const plane = this.cut?.plane ?? planeOf(this.frames.manifest, index);
    const camera = cameraOf(plane, this.sight, this.area);
    this.viewport.setCamera(camera as Types.ICamera);
  }

  private tint(): void {
    if (!this.frames || !this.voi) return;
    const pixel = pixelOf(this.frames.manifest, Math.max(0, this.wanted));
    // DICOM PS3.3 C.11.2.1.2: LINEAR for integers, LINEAR_EXACT where values or window are finer than its formula.
    const { series, frames } = this.frames.manifest;
    const isFine = Math.abs(frames.slope[Math.max(0, this.wanted)] ?? 1) < 0.5;
    const exact = this.voi.width <= 1 || isFine || series.modality === "PT";
    const half = exact ? this.voi.width / 2 : (this.voi.width - 1) / 2;
    const center = exact ? this.voi.center : this.voi.center - 0.5;
    this.viewport.setProperties(
      {
        voiRange:
          pixel.samples === 3 ? { lower: 0, upper: 255 } : { lower: center - half, upper: center + half },
        invert: this.inverted !== (pixel.photometric === "MONOCHROME1"),
        interpolationType: this.smooth ? Enums.InterpolationType.LINEAR : Enums.InterpolationType.NEAREST,
      },
      true,
    );
  }

  /** Looks at another series than before, or at none any more. */
  private ask(frames: SeriesFrames | null): void {
    if (this.asked === frames) return;
    this.asked?.leave(this.id);
    this.asked?.needWhole(this.id, 0, 0);
    this.asked = frames;
  }

  async show(frames: SeriesFrames, index: number): Promise<void> {
    const mine = ++this.order;
    const fresh = this.frames !== frames;
    this.cutter.stop();
    this.wanted = index;
    if (fresh) {
      this.visible = -1;
      register(frames);
    }
    this.ask(frames);
    frames.needWhole(this.id, 0, 0);
    frames.prefetch(index, this.id);
    try {
      await frames.get(index);
      if (mine !== this.order) return;
      if (this.frames !== frames || this.cut) {
        this.frames = frames;
        const { cut } = this;
        this.cut = null;
        if (cut) forgetCut(cut.imageId);
        const ids = frames.manifest.frames.sop.map((_, i) => imageIdOf(frames.manifest, i));
        await this.viewport.setStack(ids, index);
      } else {
        await this.viewport.setImageIdIndex(index);
      }
      if (mine !== this.order) return;
      this.settle();
      this.viewport.render();
      this.visible = index;
      this.news.shown(index);
    } catch (error) {
      if (mine !== this.order) return;
      this.news.failed(index, error instanceof Error ? error.message : String(error));
    }
  }

  /** Shows a cut through the volume of a stack; `near` is any frame of it. More slices draw it anew: `arrived`. */
  showCut(frames: SeriesFrames, cut: Cut, near: number): void {
    const volume = volumeOf(frames, near);
    if (!volume || this.cutter.shows(volume, cut)) return;
    this.order++;
    this.wanted = near;
    if (this.frames !== frames) register(frames);
    this.ask(frames);
    frames.needWhole(this.id, volume.stack.first, volume.stack.count);
    frames.prefetch(near, this.id);
    this.cutter.show(volume, cut);
  }

  arrived(): void {
    this.cutter.again();
  }

  private async putCut({ volume, plane, pixels }: CutImage): Promise<void> {
    const mine = this.order;
    const before = this.cut;
    const imageId = registerCut({ manifest: volume.manifest, plane, pixels });
    this.frames = volume.frames;
    this.cut = { imageId, plane, pixels };
    try {
      await this.viewport.setStack([imageId], 0);
      if (before) forgetCut(before.imageId);
      this.settle();
      this.viewport.render();
      this.visible = this.wanted;
      if (mine === this.order) this.news.shown(this.wanted);
    } catch (error) {
      if (mine !== this.order) return;
      this.news.failed(this.wanted, error instanceof Error ? error.message : String(error));
    }
  }

  look(sight: Sight, area: Area): void {
    this.sight = sight;
    this.area = area;
    if (this.visible < 0) return;
    this.place(this.visible);
    this.viewport.render();
  }

  window(voi: Window, inverted: boolean): void {
    this.voi = voi;
    this.inverted = inverted;
    if (this.visible < 0) return;
    this.tint();
    this.viewport.render();
  }

  /** Whether values between voxels are interpolated on the screen, or every voxel is a field of its own. */
  smoothing(smooth: boolean): void {
    if (this.smooth === smooth) return;
    this.smooth = smooth;
    if (this.visible < 0) return;
    this.tint();
    this.viewport.render();
  }

  /** The image of the cut on the screen, as it was handed to the renderer; null where a frame is shown. */
  get drawn(): { plane: Plane; pixels: Pixels } | null {
    return this.cut && { plane: this.cut.plane, pixels: this.cut.pixels };
  }

  /** What the renderer says, in CSS pixels of the element: an independent check of our own arithmetic. */
  worldToCanvas(point: Point3): Point2 {
    const [x, y] = this.viewport.worldToCanvas(point);
    return [x, y];
  }

  end(): void {
    this.order++;
    this.cutter.stop();
    if (this.cut) forgetCut(this.cut.imageId);
    this.ask(null);
    this.element.removeEventListener(Enums.Events.STACK_NEW_IMAGE, this.settle);
    if (this.engine.getViewport(this.id)) this.engine.disableElement(this.id);
  }
}
