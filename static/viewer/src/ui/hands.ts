/** From pointer events on a viewport to gestures: each button to its act, the tool's button to the tool. */
import type { Point2 } from "../api/types";
import { labelFor } from "../marking";
import { movingPreview } from "../masks/hold";
import { buttonAct } from "../mouse";
import { placeOf } from "../place";
import { whyOff } from "../spoilt";
import { draft } from "../store/draft";
import { mayMark, room } from "../store/room";
import { type Gesture, tools } from "../tools";
import { editing } from "../tools/edit";
import { grabAt } from "../tools/picking";
import { panning, scrolling, windowing, zooming } from "../tools/view";
import { t } from "../words";

const say = (sentence: string) => room.setState({ notice: { sentence, act: null, does: null } });

/** What a press at a point of a viewport begins. `button` as in MouseEvent.button. */
export function begin(
  which: number,
  start: Point2,
  event: PointerEvent,
  button: number = event.button,
): Gesture | null {
  if (!placeOf(which)) return null;
  switch (buttonAct(button)) {
    case "tool":
      return working(which, start, event);
    case "window":
      return windowing(which, start);
    case "pan":
      return panning(which, start);
    case "zoom":
      return zooming(which, start);
    case "scroll":
      return scrolling(which, start);
    default:
      return null;
  }
}

function working(which: number, start: Point2, event: PointerEvent): Gesture | null {
  const place = placeOf(which);
  const state = room.getState();
  const tool = tools.get(state.tool);
  if (!place || !tool) return null;
  const held = movingPreview(which, start, place);
  if (held) return held;
  if (tool.group === "judge") return tool.begin(which, start, place, event);
  const marking = tool.group !== "view";
  if (marking && (!mayMark(state) || (place.index === null && !tool.onCuts))) return windowing(which, start);
  const off = marking ? whyOff(tool.name, place.manifest) : null;
  if (off) {
    say(t("This tool is off here: {why}", { why: off }));
    return null;
  }
  const grabbed = takesHold(tool.name, which, start);
  if (grabbed) return editing(which, grabbed, start, place, event.altKey);
  if (tool.kind && !labelFor(tool.kind)) {
    say(t("No label of this project takes this kind of mark."));
    return null;
  }
  return tool.begin(which, start, place, event);
}

/** What of the chosen mark a press would take hold of: not with a brush, nor while another mark is drawn. */
function takesHold(name: string, which: number, at: Point2) {
  const tool = tools.get(room.getState().tool);
  if (!tool || tool.group === "paint" || tool.group === "judge") return null;
  if (name === "pan" || name === "zoom" || draft.getState().shape) return null;
  return grabAt(which, at);
}

/** The hand moves without a button. Returns whether a press here would take hold of the chosen mark. */
export function hovering(which: number, at: Point2): boolean {
  const place = placeOf(which);
  const name = room.getState().tool;
  if (!place) return false;
  tools.get(name)?.hover?.(which, at, place);
  return takesHold(name, which, at) !== null;
}
