/** The reader's own keys: kept as the preference "keys", put to work in the registry of commands. */
import { allCommands, type Command, commandKeys, commandOf, ownKeys } from "./commands";
import { kept, preferences } from "./preferences";

/** The browser or the system takes these before a page sees them, or nobody would expect a page to. */
const RESERVED =
  /^(Ctrl\+(Shift\+)?[wtnrq]|Ctrl\+(Tab|PageUp|PageDown|l|p|[+-]|0)|F5|F11|F12|Alt\+(F4|Tab|Arrow.*))$/;
/** Leaving has one key everywhere. */
export const FIXED = ["change.cancel"];

const isChords = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length <= 8 &&
  value.every((one) => typeof one === "string" && one.length <= 40);

/** What is stored, without what is no list of keys. */
function stored(): Record<string, string[]> {
  const all = preferences.get<Record<string, unknown>>("keys", {});
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string[]] => isChords(entry[1])),
  );
}

const apply = (): void => ownKeys.setState(stored(), true);
apply();
kept.subscribe(apply);

export const mayTake = (chord: string): boolean => !RESERVED.test(chord) && chord !== "Escape";

/** Whether this command has other keys than usual. */
export const isOwn = (id: string): boolean => id in ownKeys.getState();

/** Sets the keys of a command; as usual, it is no longer the reader's own choice. */
export function setKeys(id: string, keys: string[]): void {
  const { [id]: _, ...others } = stored();
  const usual = commandOf(id)?.keys ?? [];
  const same = usual.length === keys.length && usual.every((chord, i) => chord === keys[i]);
  preferences.set("keys", same ? others : { ...others, [id]: keys });
}

export const resetKeys = (): void => preferences.set("keys", null);

/** Other commands that this person has under the same key; two that never meet in one read don't count. */
export function rivals(chord: string, id: string): Command[] {
  return allCommands().filter(
    (other) => other.id !== id && !other.hidden?.() && commandKeys(other.id).includes(chord),
  );
}

/** Gives a key to a command and takes it from all others that this person can use. */
export function giveKey(chord: string, id: string): void {
  for (const other of rivals(chord, id))
    setKeys(
      other.id,
      commandKeys(other.id).filter((one) => one !== chord),
    );
  const now = commandKeys(id);
  if (!now.includes(chord)) setKeys(id, [...now, chord]);
}
