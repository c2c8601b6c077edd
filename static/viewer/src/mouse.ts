/** What the mouse does: the reader's own choice, kept as the preference "mouse". */
import { preferences } from "./preferences";
import { t } from "./words";

export type ButtonAct = "tool" | "window" | "pan" | "zoom" | "scroll";
export type WheelAct = "scroll" | "fast" | "zoom" | "phase";

export interface Mouse {
  left: ButtonAct;
  middle: ButtonAct;
  right: ButtonAct;
  wheel: WheelAct;
  ctrlWheel: WheelAct;
  shiftWheel: WheelAct;
}

export const USUAL_MOUSE: Mouse = {
  left: "tool",
  middle: "pan",
  right: "zoom",
  wheel: "scroll",
  ctrlWheel: "zoom",
  shiftWheel: "fast",
};

/** How many slices a notch of the wheel goes where it scrolls fast. */
export const FAST_SLICES = 5;

export const BUTTON_ACTS: [ButtonAct, string][] = [
  ["tool", t("The tool")],
  ["window", t("Window and level")],
  ["pan", t("Pan")],
  ["zoom", t("Zoom")],
  ["scroll", t("Scroll")],
];

export const WHEEL_ACTS: [WheelAct, string][] = [
  ["scroll", t("Scroll")],
  ["fast", t("Scroll by {n} slices", { n: FAST_SLICES })],
  ["zoom", t("Zoom")],
  ["phase", t("Phase before, after")],
];

export const MOUSE_PARTS: { part: keyof Mouse; title: string; acts: [string, string][] }[] = [
  { part: "left", title: t("Left button"), acts: BUTTON_ACTS },
  { part: "middle", title: t("Middle button"), acts: BUTTON_ACTS },
  { part: "right", title: t("Right button"), acts: BUTTON_ACTS },
  { part: "wheel", title: t("Wheel"), acts: WHEEL_ACTS },
  { part: "ctrlWheel", title: t("Ctrl and wheel"), acts: WHEEL_ACTS },
  { part: "shiftWheel", title: t("Shift and wheel"), acts: WHEEL_ACTS },
];

/** The reader's choice; whatever is not one of ours counts as not chosen. */
export function mouseNow(): Mouse {
  const own = preferences.get<Record<string, unknown>>("mouse", {});
  const mouse: Record<string, string> = { ...USUAL_MOUSE };
  for (const { part, acts } of MOUSE_PARTS) {
    if (acts.some(([act]) => act === own[part])) mouse[part] = own[part] as string;
  }
  return mouse as unknown as Mouse;
}

/** What a press of a button (as in MouseEvent.button) begins; null for a button that does nothing here. */
export function buttonAct(button: number, mouse = mouseNow()): ButtonAct | null {
  if (button === 0) return mouse.left;
  if (button === 1) return mouse.middle;
  return button === 2 ? mouse.right : null;
}

/** What a turn of the wheel does with these keys held. */
export function wheelAct(
  event: { ctrlKey: boolean; metaKey: boolean; shiftKey: boolean },
  mouse = mouseNow(),
): WheelAct {
  if (event.ctrlKey || event.metaKey) return mouse.ctrlWheel;
  return event.shiftKey ? mouse.shiftWheel : mouse.wheel;
}

/** Why a choice can't be kept, as a sentence; null where it can. */
export function mouseProblem(mouse: Mouse): string | null {
  if (![mouse.left, mouse.middle, mouse.right].includes("tool")) return t("One button must work the tool.");
  if (![mouse.wheel, mouse.ctrlWheel, mouse.shiftWheel].some((act) => act === "scroll" || act === "fast"))
    return t("The wheel must scroll in one way or another.");
  return null;
}

/** The button that works the tool, as in MouseEvent.button: what one finger and the pen stand for. */
export function toolButton(mouse = mouseNow()): number {
  return [mouse.left, mouse.middle, mouse.right].indexOf("tool");
}
