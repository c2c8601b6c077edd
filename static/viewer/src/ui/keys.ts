/** The keyboard: one table, used by the listener and by the sheet that shows it. */
import { moveOn } from "../ahead";
import { stackAt } from "../engine/stacks";
import { addSegment, redo, remove, undo } from "../marking";
import {
  fitPane,
  flip,
  reset,
  rotate,
  scrollBy,
  scrollTo,
  setPreset,
  stepPane,
  stepPhase,
  stepSeries,
  zoomBy,
} from "../moving";
import { draft } from "../store/draft";
import { mayMark, nextBrush, room, type ToolName } from "../store/room";
import { closePolygon } from "./hands";
import { invertActive } from "./Toolbar";

export const SHEET: [string, [string, string][]][] = [
  [
    "Move",
    [
      ["↑ ↓, wheel", "Slice before, after"],
      ["Home End", "First, last slice"],
      ["PgUp PgDn", "Series before, after"],
      [", .", "Phase before, after: the same place"],
      ["← →", "Image before, after"],
      ["C", "Play the slices"],
      ["Double click", "One image large, and back"],
    ],
  ],
  [
    "Mark",
    [
      ["D", "Length"],
      ["X", "Two axes"],
      ["O", "Ellipse"],
      ["G", "Polygon; Enter or double click closes"],
      ["F", "Freehand"],
      ["P", "Point"],
      ["B", "Brush"],
      ["T", "Brush within a range; pin a comment when you review"],
      ["E", "Eraser"],
      ["[ ]", "Brush smaller, larger"],
      ["A", "New segment"],
    ],
  ],
  [
    "See",
    [
      ["1 to 9", "Window presets"],
      ["W", "Window: drag across for width, down for level"],
      ["Z, right button", "Zoom"],
      ["M, middle button", "Pan"],
      ["+ −", "Zoom in, out"],
      ["=", "Fit"],
      ["Space", "Reset"],
      ["I", "Invert"],
      ["H V", "Mirror across, up and down"],
      ["R L", "Turn right, left"],
      ["Tab, held", "Hide overlays"],
    ],
  ],
  [
    "Change",
    [
      ["Ctrl Z", "Undo"],
      ["Ctrl Shift Z, Ctrl Y", "Redo"],
      ["Backspace", "Delete the chosen finding"],
      ["Esc", "Cancel"],
      ["N", "Next case, once submitted"],
      ["F6", "To the next part of the page"],
      ["?", "This sheet"],
    ],
  ],
];

const TOOLS: Record<string, ToolName> = {
  w: "window",
  m: "pan",
  z: "zoom",
  d: "length",
  x: "bidirectional",
  o: "ellipse",
  g: "polygon",
  f: "freehand",
  p: "point",
  b: "brush",
  e: "eraser",
  t: "threshold",
};
const MARKING = [
  "length",
  "bidirectional",
  "ellipse",
  "polygon",
  "freehand",
  "point",
  "brush",
  "eraser",
  "threshold",
];

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);

const onControl = (): boolean => {
  const focused = document.activeElement;
  return (
    focused !== null &&
    focused !== document.body &&
    focused.closest(".tools, .rail, .findings, .bar, dialog") !== null
  );
};

function nextPart(backwards: boolean): void {
  const parts = [".bar", ".tools", ".rail", ".findings"].map((name) =>
    document.querySelector<HTMLElement>(name),
  );
  const at = parts.findIndex((part) => part?.contains(document.activeElement));
  const next = backwards ? (at <= 0 ? parts.length - 1 : at - 1) : at + 1;
  if (next >= parts.length) (document.activeElement as HTMLElement | null)?.blur();
  else parts[next]?.querySelector<HTMLElement>("button:not(:disabled), a[href], select, textarea")?.focus();
}

function choose(tool: ToolName): void {
  const state = room.getState();
  if (state.read?.you.capacity !== "reader") {
    if (tool === "threshold") {
      if (state.read?.you.may_judge) room.setState({ tool: "comment" });
    } else if (!MARKING.includes(tool)) room.setState({ tool });
    return;
  }
  if (MARKING.includes(tool) && !mayMark(state)) return;
  draft.setState({ shape: null });
  room.setState({ tool });
}

function stepBack(): void {
  const state = room.getState();
  if (state.keySheet) room.setState({ keySheet: false });
  else if (draft.getState().shape) draft.setState({ shape: null });
  else if (state.pin) room.setState({ pin: null });
  else if (state.notice) room.setState({ notice: null });
  else if (state.selected) room.setState({ selected: null });
  else room.setState({ tool: "window" });
}

/** Returns true where the key did something, so the browser's own action is not wanted. */
function press(event: KeyboardEvent): boolean {
  const { key } = event;
  const small = key.length === 1 ? key.toLowerCase() : key;
  const state = room.getState();
  if (event.ctrlKey || event.metaKey) {
    if (small === "z" && event.shiftKey) redo();
    else if (small === "z") undo();
    else if (small === "y") redo();
    else return false;
    return true;
  }
  if (event.altKey) return false;
  if (key === "F6") {
    nextPart(event.shiftKey);
    return true;
  }
  if (key === "Escape") {
    stepBack();
    return true;
  }
  if (state.keySheet) return false;
  // With a control in focus, keys that work on it stay its own.
  if (onControl() && ["Tab", " ", "Enter", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(key))
    return false;
  const here = state.panes[state.active];
  const manifest = state.manifests[here.series ?? ""];
  const stack = manifest ? stackAt(manifest, here.wanted) : { first: 0, count: 0 };
  const acts: Record<string, () => void> = {
    Tab: () => room.setState({ overlays: false }),
    ArrowUp: () => scrollBy(-1),
    ArrowDown: () => scrollBy(1),
    ArrowLeft: () => stepPane(-1),
    ArrowRight: () => stepPane(1),
    Home: () => scrollTo(state.active, stack.first),
    End: () => scrollTo(state.active, stack.first + stack.count - 1),
    ",": () => stepPhase(-1),
    ".": () => stepPhase(1),
    PageUp: () => stepSeries(-1),
    PageDown: () => stepSeries(1),
    Enter: closePolygon,
    Backspace: () => state.selected && remove(state.selected),
    Delete: () => state.selected && remove(state.selected),
    " ": reset,
    "+": () => zoomBy(1.25),
    "-": () => zoomBy(0.8),
    "=": () => fitPane(),
    "?": () => room.setState({ keySheet: true }),
    "[": () => room.setState({ brushMm: nextBrush(state.brushMm, -1) }),
    "]": () => room.setState({ brushMm: nextBrush(state.brushMm, 1) }),
    i: invertActive,
    h: () => flip("horizontal"),
    v: () => flip("vertical"),
    r: () => rotate(90),
    l: () => rotate(-90),
    c: () => room.setState({ cine: !state.cine }),
    a: () => {
      const { series } = state.panes[state.active];
      if (mayMark(state) && series && addSegment(series)) room.setState({ tool: "brush" });
    },
    n: () => {
      const done = state.read?.state === "submitted" || state.read?.state === "accepted";
      if (done) moveOn();
    },
  };
  if (acts[small]) {
    acts[small]();
    return true;
  }
  if (TOOLS[small]) {
    choose(TOOLS[small]);
    return true;
  }
  if (/^[1-9]$/.test(key)) {
    setPreset(Number(key));
    return true;
  }
  return false;
}

export function listen(): () => void {
  const down = (event: KeyboardEvent) => {
    const field = typing(event.target) ? (event.target as HTMLElement) : null;
    const leaves = event.key === "Escape" || (event.key === "Enter" && field?.tagName === "INPUT");
    if (field && !leaves && event.key !== "F6") return;
    // Done typing: the keys belong to the image again.
    if (field && leaves) field.blur();
    else if (press(event)) event.preventDefault();
  };
  const up = (event: KeyboardEvent) => {
    if (event.key === "Tab" && !onControl()) room.setState({ overlays: true });
  };
  const away = () => room.setState({ overlays: true });
  window.addEventListener("keydown", down);
  window.addEventListener("keyup", up);
  window.addEventListener("blur", away);
  return () => {
    window.removeEventListener("keydown", down);
    window.removeEventListener("keyup", up);
    window.removeEventListener("blur", away);
  };
}
