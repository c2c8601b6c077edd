/** One viewport: a stack of frames on a Cornerstone viewport, its camera and window set from our own state. */
import { Enums, type RenderingEngine, type StackViewport, type Types } from "@cornerstonejs/core";
import type { Point2, Point3 } from "../api/types";
import { type Area, cameraOf, type Sight } from "./camera";
import { imageIdOf, register } from "./cornerstone";
import type { SeriesFrames } from "./frames";
import { pixelOf, planeOf } from "./geometry";

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
  private order = 0;

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
    const camera = cameraOf(planeOf(this.frames.manifest, index), this.sight, this.area);
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
      },
      true,
    );
  }

  async show(frames: SeriesFrames, index: number): Promise<void> {
    const mine = ++this.order;
    const fresh = this.frames !== frames;
    this.wanted = index;
    if (fresh) {
      this.visible = -1;
      register(frames);
    }
    if (this.asked !== frames) this.asked?.leave(this.id);
    this.asked = frames;
    frames.prefetch(index, this.id);
    try {
      await frames.get(index);
      if (mine !== this.order) return;
      if (this.frames !== frames) {
        this.frames = frames;
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

  /** What the renderer says, in CSS pixels of the element: an independent check of our own arithmetic. */
  worldToCanvas(point: Point3): Point2 {
    const [x, y] = this.viewport.worldToCanvas(point);
    return [x, y];
  }

  end(): void {
    this.order++;
    this.asked?.leave(this.id);
    this.element.removeEventListener(Enums.Events.STACK_NEW_IMAGE, this.settle);
    if (this.engine.getViewport(this.id)) this.engine.disableElement(this.id);
  }
}
