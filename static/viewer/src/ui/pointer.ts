/** Pointer, wheel and double click on a viewport. React's wheel listener is passive, so they are all attached here. */
import { useEffect } from "react";
import type { Point2 } from "../api/types";
import { pan, zoomAt } from "../engine/camera";
import { turnPreview } from "../masks/preview";
import { FAST_SLICES, toolButton, wheelAct } from "../mouse";
import { scrollBy, stepPhase } from "../moving";
import { placeOf, toIndex } from "../place";
import { valueUnder } from "../reading";
import { draft } from "../store/draft";
import { room, setPane, shownPanes } from "../store/room";
import { finishDrawing, type Gesture } from "../tools";
import { Touch } from "../touch";
import { begin, hovering } from "./hands";
import { valueText } from "./words";

const NOTCH_PX = 50;
const TOUCHPAD_PX = 30;
const ZOOM_A_PX = 0.0025;

function zoomTo(which: number, factor: number, at: Point2): void {
  const place = placeOf(which);
  const { sight, area } = room.getState().panes[which];
  if (place && sight) setPane(which, { sight: zoomAt(place.plane, sight, area, factor, at) });
}

function panBy(which: number, dx: number, dy: number): void {
  const { sight } = room.getState().panes[which];
  if (sight) setPane(which, { sight: pan(sight, dx, dy) });
}

/** Attaches the hands of a viewport: mouse and pen to the tools, fingers to the touch, the wheel as chosen. */
export function useHands(which: number, box: React.RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let gesture: Gesture | null = null;
    let turned = 0;
    const at = (event: MouseEvent): Point2 => {
      const rect = element.getBoundingClientRect();
      return [event.clientX - rect.left, event.clientY - rect.top];
    };
    const control = (event: Event) =>
      (event.target as Element).closest(".prof, button, .grip, .cutbar, .drags, input, select, [draggable]");
    const touch = new Touch<PointerEvent>({
      begin: (start, event) => begin(which, start, event, toolButton()),
      pan: (dx, dy) => panBy(which, dx, dy),
      zoom: (factor, centre) => zoomTo(which, factor, centre),
      scroll: (steps) => scrollBy(steps, which),
      width: () => element.clientWidth,
      now: () => performance.now(),
    });

    const down = (event: PointerEvent) => {
      if (control(event) || gesture) return;
      event.preventDefault();
      (document.activeElement as HTMLElement | null)?.blur();
      if (room.getState().active !== which) room.setState({ active: which });
      if (event.pointerType === "touch") {
        element.setPointerCapture(event.pointerId);
        touch.down(event.pointerId, at(event), event);
        return;
      }
      const pen = event.pointerType === "pen";
      if (pen) touch.pen();
      // The pen draws; its side button is the mouse's right one.
      gesture = begin(which, at(event), event, pen && event.button === 0 ? toolButton() : event.button);
      if (gesture) element.setPointerCapture(event.pointerId);
    };
    const move = (event: PointerEvent) => {
      const here = at(event);
      if (event.pointerType === "touch") {
        touch.move(event.pointerId, here, event);
        return;
      }
      if (event.pointerType === "pen") touch.pen();
      if (gesture) gesture.move(here, event);
      else element.toggleAttribute("data-grab", hovering(which, here));
      const place = placeOf(which);
      if (!place || control(event)) {
        draft.setState({ hover: null });
        return;
      }
      const value = valueUnder(place, toIndex(place, here));
      draft.setState({
        hover: { pane: which, canvas: here, text: value ? valueText(value, place.manifest) : null },
      });
    };
    const up = (event: PointerEvent) => {
      if (event.pointerType === "touch") {
        touch.up(event.pointerId, at(event), event);
        return;
      }
      const ending = gesture;
      gesture = null;
      ending?.end(at(event), event);
    };
    const letGo = () => {
      gesture?.cancel();
      gesture = null;
      touch.cancel();
    };
    const cancel = (event: PointerEvent) => {
      if (event.pointerType === "touch") touch.cancel(event.pointerId);
      else letGo();
    };
    const leave = () => {
      if (!gesture) draft.setState({ hover: null });
    };
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      if (gesture && room.getState().tool !== "window") return;
      if (room.getState().active !== which) room.setState({ active: which });
      // With Shift held some browsers turn the wheel sideways.
      const delta = (event.deltaY || event.deltaX) * (event.deltaMode === 1 ? 33 : 1);
      const act = wheelAct(event);
      if (act === "zoom") {
        zoomTo(which, Math.exp(-delta * ZOOM_A_PX), at(event));
        return;
      }
      turned += delta;
      // A notch of a mouse wheel is one slice; the small steps of a touchpad add up.
      const steps = Math.abs(delta) >= NOTCH_PX ? Math.sign(delta) : Math.trunc(turned / TOUCHPAD_PX);
      if (!steps) return;
      turned = 0;
      if (act === "scroll" && turnPreview(which, steps)) return;
      if (act === "phase") stepPhase(steps > 0 ? 1 : -1, which);
      // With Alt a linked image moves alone, and keeps the new difference.
      else scrollBy(act === "fast" ? steps * FAST_SLICES : steps, which, event.altKey);
    };
    const double = (event: MouseEvent) => {
      if (control(event)) return;
      if (finishDrawing()) return;
      if (["window", "pan", "zoom"].includes(room.getState().tool)) {
        room.setState((state) => ({
          maximised: !state.maximised && shownPanes(state).length > 1,
          active: which,
        }));
      }
    };
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape") letGo();
    };
    const menu = (event: Event) => event.preventDefault();
    const listening = new AbortController();
    const { signal } = listening;
    element.addEventListener("pointerdown", down, { signal });
    element.addEventListener("pointermove", move, { signal });
    element.addEventListener("pointerup", up, { signal });
    element.addEventListener("pointercancel", cancel, { signal });
    element.addEventListener("pointerleave", leave, { signal });
    element.addEventListener("wheel", wheel, { passive: false, signal });
    element.addEventListener("dblclick", double, { signal });
    element.addEventListener("contextmenu", menu, { signal });
    window.addEventListener("keydown", key, { signal });
    return () => listening.abort();
  }, [which, box]);
}
