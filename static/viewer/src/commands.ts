/**
 * Everything a reader can do, under one name each: the keyboard, the sheet of keys, the palette and the
 * toolbar's tooltips read this registry. Each part of the room registers its own in src/commands/<part>.ts.
 */
import { createStore } from "zustand/vanilla";

export type Group = "Move" | "See" | "Mark" | "Mask" | "Change" | "Room";
export const GROUPS: Group[] = ["Move", "See", "Mark", "Mask", "Change", "Room"];

export interface Command {
  /** "view.invert": stays for ever, because a reader's own keys are kept under it. */
  id: string;
  /** What it does, in the reader's words. */
  title: string;
  group: Group;
  /** "i", "?", "ArrowUp", "Space", "Ctrl+Shift+z". Ctrl is also the Mac's ⌘. Empty: palette only. */
  keys: string[];
  run(): void;
  /** Why it can't be done now, as a sentence; null where it can. */
  off?(): string | null;
  /** Not this person's at all, or not in this read: no key, not listed. */
  hidden?(): boolean;
  /** Called when the key is let go: makes `run` something that lasts while the key is held. */
  release?(): void;
  /** Whether a key held down does it again and again; "Move" does unless told otherwise. */
  repeats?: boolean;
  /** Left out of the palette: of use only from its key. */
  keyOnly?: boolean;
}

/** The part of a KeyboardEvent that a chord is made of, so that a test can run it. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  getModifierState?(name: string): boolean;
}

const registry = new Map<string, Command>();

/** Keys of the reader's own by command, instead of the usual ones; an empty list takes them all away. */
export const ownKeys = createStore<Record<string, string[]>>(() => ({}));

/** Adds commands, or replaces those of the same id. */
export function register(...commands: Command[]): void {
  for (const command of commands) registry.set(command.id, command);
}

export const allCommands = (): Command[] => [...registry.values()];
export const commandOf = (id: string): Command | undefined => registry.get(id);

/** The keys that do it now: the reader's own, else the usual ones. */
export const commandKeys = (id: string): string[] => ownKeys.getState()[id] ?? registry.get(id)?.keys ?? [];

/** Runs a command by name; returns the sentence why it couldn't be, or null. */
export function runCommand(id: string): string | null {
  const command = registry.get(id);
  if (!command || command.hidden?.()) return null;
  const why = command.off?.() ?? null;
  if (why === null) command.run();
  return why;
}

const NAMES: Record<string, string> = { " ": "Space", Spacebar: "Space", Esc: "Escape", Del: "Delete" };
const MODIFIERS = ["Control", "Meta", "Alt", "Shift", "AltGraph", "CapsLock", "NumLock", "Dead", "Process"];
const isLetter = (key: string): boolean => key.length === 1 && key.toLowerCase() !== key.toUpperCase();

/** A key press as it is written in a command: "Ctrl+Shift+z". Null for a modifier alone. */
export function chordOf(event: Pressed): string | null {
  if (MODIFIERS.includes(event.key)) return null;
  const printable = event.key.length === 1 && event.key !== " ";
  // Many keyboards reach "[" or "@" only through AltGr, which Windows reports as Ctrl and Alt together.
  const composed =
    printable &&
    !isLetter(event.key) &&
    (event.getModifierState?.("AltGraph") === true || (event.ctrlKey && event.altKey));
  const name = NAMES[event.key] ?? (isLetter(event.key) ? event.key.toLowerCase() : event.key);
  const parts: string[] = [];
  if (!composed && (event.ctrlKey || event.metaKey)) parts.push("Ctrl");
  if (!composed && event.altKey) parts.push("Alt");
  // Signs such as "?" need Shift on one keyboard and not on another: only the sign counts.
  if (event.shiftKey && (!printable || isLetter(event.key))) parts.push("Shift");
  return [...parts, name].join("+");
}

/** The command that a key press means now: the first under that key that is not hidden and can be done. */
export function commandFor(event: Pressed): Command | null {
  const chord = chordOf(event);
  if (chord === null) return null;
  // Shift or Caps Lock by mistake: Shift+i is i, unless a command asks for Shift.
  const plain = /^Shift\+.$/.test(chord) ? chord.slice("Shift+".length) : null;
  for (const wanted of plain ? [chord, plain] : [chord]) {
    const found = allCommands().filter(
      (command) => !command.hidden?.() && commandKeys(command.id).includes(wanted),
    );
    const able = found.find((command) => !command.off?.());
    if (able ?? found[0]) return able ?? found[0];
  }
  return null;
}

export const doesRepeat = (command: Command): boolean =>
  !command.release && (command.repeats ?? command.group === "Move");

const SHOWN: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  PageUp: "PgUp",
  PageDown: "PgDn",
  Escape: "Esc",
  "-": "−",
};

/** "Ctrl+Shift+z" as a reader finds it on the keyboard: "Ctrl Shift Z". */
export const keyText = (chord: string): string =>
  chord
    .split(/\+(?=.)/)
    .map((part) => SHOWN[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" ");

/** What a tooltip shows in brackets: the first key of a command, or nothing. */
export const firstKey = (id: string): string => {
  const [first] = commandKeys(id);
  return first === undefined ? "" : keyText(first);
};
