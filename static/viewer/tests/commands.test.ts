import { beforeEach, describe, expect, it } from "vitest";
import {
  chordOf,
  commandFor,
  commandKeys,
  keyText,
  ownKeys,
  type Pressed,
  register,
  runCommand,
} from "../src/commands";
import { best, score } from "../src/fuzzy";
import { buttonAct, mouseNow, mouseProblem, toolButton, USUAL_MOUSE, wheelAct } from "../src/mouse";
import { giveKey, isOwn, mayTake, resetKeys, rivals, setKeys } from "../src/ownkeys";
import { preferences } from "../src/preferences";

const press = (key: string, held: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
});

let did: string[] = [];
let off: string | null = null;
let reader = true;

register(
  {
    id: "a.invert",
    title: "Invert",
    group: "See",
    keys: ["i"],
    run: () => did.push("invert"),
    off: () => off,
  },
  { id: "a.undo", title: "Undo", group: "Change", keys: ["Ctrl+z"], run: () => did.push("undo") },
  { id: "a.redo", title: "Redo", group: "Change", keys: ["Ctrl+Shift+z"], run: () => did.push("redo") },
  {
    id: "a.paint",
    title: "Paint",
    group: "Mask",
    keys: ["t"],
    run: () => did.push("paint"),
    hidden: () => !reader,
  },
  { id: "a.pin", title: "Pin", group: "Mark", keys: ["t"], run: () => did.push("pin"), hidden: () => reader },
  { id: "a.sheet", title: "Keys", group: "Room", keys: ["?"], run: () => did.push("sheet") },
);

beforeEach(() => {
  did = [];
  off = null;
  reader = true;
  resetKeys();
  preferences.set("mouse", null);
});

describe("a key press", () => {
  it("is written the same whatever the keyboard", () => {
    expect(chordOf(press("Z", { ctrlKey: true, shiftKey: true }))).toBe("Ctrl+Shift+z");
    expect(chordOf(press("z", { metaKey: true }))).toBe("Ctrl+z");
    expect(chordOf(press(" "))).toBe("Space");
    expect(chordOf(press("?", { shiftKey: true }))).toBe("?");
    expect(chordOf(press("[", { ctrlKey: true, altKey: true }))).toBe("[");
    expect(chordOf(press("F6", { shiftKey: true }))).toBe("Shift+F6");
    expect(chordOf(press("Shift", { shiftKey: true }))).toBeNull();
  });

  it("finds its command, also with Caps Lock or Shift by mistake", () => {
    expect(commandFor(press("I"))?.id).toBe("a.invert");
    expect(commandFor(press("I", { shiftKey: true }))?.id).toBe("a.invert");
    expect(commandFor(press("z", { ctrlKey: true }))?.id).toBe("a.undo");
    expect(commandFor(press("Z", { ctrlKey: true, shiftKey: true }))?.id).toBe("a.redo");
    expect(commandFor(press("i", { ctrlKey: true }))).toBeNull();
  });

  it("means what this person may do", () => {
    expect(commandFor(press("t"))?.id).toBe("a.paint");
    reader = false;
    expect(commandFor(press("t"))?.id).toBe("a.pin");
  });

  it("is shown as the keyboard has it", () => {
    expect(keyText("Ctrl+Shift+z")).toBe("Ctrl Shift Z");
    expect(keyText("Ctrl++")).toBe("Ctrl +");
    expect(keyText("ArrowUp")).toBe("↑");
  });
});

it("a command that can't be done says why and does nothing", () => {
  off = "No series is open here.";
  expect(runCommand("a.invert")).toBe(off);
  expect(did).toEqual([]);
});

describe("keys of one's own", () => {
  it("replace the usual ones, and are given back", () => {
    setKeys("a.invert", ["k"]);
    expect(commandFor(press("i"))).toBeNull();
    expect(commandFor(press("k"))?.id).toBe("a.invert");
    expect(isOwn("a.invert")).toBe(true);
    setKeys("a.invert", ["i"]);
    expect(isOwn("a.invert")).toBe(false);
  });

  it("a key that is taken says by what, and moves when it is given", () => {
    expect(rivals("i", "a.undo").map((one) => one.title)).toEqual(["Invert"]);
    giveKey("i", "a.undo");
    expect(commandKeys("a.undo")).toEqual(["Ctrl+z", "i"]);
    expect(commandKeys("a.invert")).toEqual([]);
    expect(rivals("t", "a.paint")).toEqual([]); // nobody has both
  });

  it("leave to the browser what is its own", () => {
    expect(["Ctrl+w", "Ctrl+t", "F5", "Escape"].filter(mayTake)).toEqual([]);
    expect(mayTake("Ctrl+k")).toBe(true);
  });

  it("survive what an older page left behind", () => {
    preferences.set("keys", { "a.invert": "k", "a.undo": [7], "gone.away": ["x"] });
    expect(Object.keys(ownKeys.getState())).toEqual(["gone.away"]);
    expect(commandFor(press("i"))?.id).toBe("a.invert");
  });
});

describe("the mouse", () => {
  it("does as usual, and as chosen", () => {
    expect([0, 1, 2, 3].map((button) => buttonAct(button))).toEqual(["tool", "pan", "zoom", null]);
    preferences.set("mouse", { ...USUAL_MOUSE, left: "scroll", right: "tool", wheel: "nonsense" });
    expect(buttonAct(0)).toBe("scroll");
    expect(toolButton()).toBe(2);
    expect(mouseNow().wheel).toBe("scroll");
    expect(wheelAct({ ctrlKey: true, metaKey: false, shiftKey: false })).toBe("zoom");
  });

  it("keeps a way to use the tool and to scroll", () => {
    expect(mouseProblem(USUAL_MOUSE)).toBeNull();
    expect(mouseProblem({ ...USUAL_MOUSE, left: "pan" })).not.toBeNull();
    expect(mouseProblem({ ...USUAL_MOUSE, wheel: "zoom", shiftWheel: "zoom" })).not.toBeNull();
  });
});

describe("finding by a few letters", () => {
  const titles = ["Slice before", "Slice after", "Window: Lung", "Window: Liver", "Polígono", "Length"];
  const first = (query: string) => best(query, titles, (title) => title)[0];

  it("takes beginnings of words, in any order, without accents", () => {
    expect(first("win lu")).toBe("Window: Lung");
    expect(first("lung win")).toBe("Window: Lung");
    expect(first("poligono")).toBe("Polígono");
    expect(first("sa")).toBe("Slice after");
    expect(first("len")).toBe("Length");
  });

  it("leaves out what doesn't fit and keeps everything while nothing is typed", () => {
    expect(score("xq", "Length")).toBe(0);
    expect(best("", titles, (title) => title)).toEqual(titles);
  });
});
