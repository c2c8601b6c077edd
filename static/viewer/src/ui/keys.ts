/** The keyboard: from key presses to commands, with what a field or a control in focus keeps for itself. */
import { type Command, chordOf, commandFor, doesRepeat } from "../commands";
import { dialog } from "../store/dialog";
import { room } from "../store/room";

/** With a control in focus these work on it. */
const OF_CONTROLS = /^(Shift\+)?(Tab|Space|Enter|Arrow(Up|Down|Left|Right))$/;
/** These also mean something while a field is typed in. */
const EVEN_TYPING = ["room.part-after", "room.part-before", "room.palette"];

const NOT_TYPED = ["button", "checkbox", "radio", "range", "submit", "color", "file"];

const isField = (target: EventTarget | null): target is HTMLElement =>
  target instanceof HTMLElement &&
  (["TEXTAREA", "SELECT"].includes(target.tagName) ||
    target.isContentEditable ||
    (target instanceof HTMLInputElement && !NOT_TYPED.includes(target.type)));

const onControl = (): boolean => {
  const focused = document.activeElement;
  return (
    focused !== null &&
    focused !== document.body &&
    (focused instanceof HTMLInputElement ||
      focused.closest(".tools, .rail, .findings, .bar, dialog, [popover]") !== null)
  );
};

/** A dialog in front of the room keeps the keyboard to itself; it closes by Esc as the browser does it. */
const inDialog = (): boolean =>
  dialog.getState().open !== null || document.querySelector("dialog:modal") !== null;

/** Commands that last while their key is down, by the key's place on the keyboard. */
const held = new Map<string, Command>();

function letGo(code?: string): void {
  for (const [place, command] of held) {
    if (code !== undefined && place !== code) continue;
    held.delete(place);
    command.release?.();
  }
}

/** Returns true where the key did something, so the browser's own action is not wanted. */
function press(event: KeyboardEvent, field: HTMLElement | null): boolean {
  const command = commandFor(event);
  if (!command) return false;
  if (field && !EVEN_TYPING.includes(command.id)) return false;
  if (onControl() && OF_CONTROLS.test(chordOf(event) ?? "")) return false;
  if (event.repeat && !doesRepeat(command)) return true;
  const why = command.off?.() ?? null;
  if (why !== null) {
    // Undo with nothing to undo needs no sentence; a tool that doesn't come does.
    if (["Mark", "Mask"].includes(command.group)) {
      room.setState({ notice: { sentence: why, act: null, does: null } });
    }
    return true;
  }
  command.run();
  if (command.release) held.set(event.code, command);
  return true;
}

export function listen(): () => void {
  const down = (event: KeyboardEvent) => {
    if (event.isComposing || event.defaultPrevented || inDialog()) return;
    // What hangs open from a button closes by the browser's own hand.
    if (event.key === "Escape" && document.querySelector(":popover-open")) return;
    const field = isField(event.target) ? event.target : null;
    const leaves = event.key === "Escape" || (event.key === "Enter" && field?.tagName === "INPUT");
    // Done typing: the keys belong to the image again.
    if (field && leaves) field.blur();
    else if (press(event, field)) event.preventDefault();
  };
  const up = (event: KeyboardEvent) => letGo(event.code);
  const away = () => letGo();
  const listening = new AbortController();
  const { signal } = listening;
  window.addEventListener("keydown", down, { signal });
  window.addEventListener("keyup", up, { signal });
  window.addEventListener("blur", away, { signal });
  return () => listening.abort();
}
