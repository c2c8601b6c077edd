/** Ctrl+K: every command by a few of its letters, with its key, and with the reason where it can't be done now. */
import { Search } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { allCommands, type Command, commandKeys, keyText } from "../commands";
import { best } from "../fuzzy";
import { preferences } from "../preferences";
import { closeDialog } from "../store/dialog";
import { t } from "../words";
import { Dialog } from "./Dialog";
import { GROUP_NAMES } from "./KeySheet";

const RECENT_MAX = 6;

/** What was done last stands first while nothing is typed. */
function inOrder(commands: Command[]): Command[] {
  const recent = preferences.get<string[]>("palette", []);
  const first = recent.flatMap((id) => commands.find((command) => command.id === id) ?? []);
  return [...first, ...commands.filter((command) => !first.includes(command))];
}

const listed = (): Command[] =>
  inOrder(allCommands().filter((command) => !command.keyOnly && !command.hidden?.()));

export const Palette = () => (
  <Dialog name="palette" title={t("Every command")} className="palette" bare>
    <Finder />
  </Dialog>
);

function Finder() {
  const id = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  // Taken once: a command's title and reasons don't change while the palette stands before the room.
  const [commands] = useState(() => listed().map((command) => ({ command, why: command.off?.() ?? null })));
  const list = useRef<HTMLDivElement>(null);
  const found = best(query, commands, ({ command }) => `${command.title} ${GROUP_NAMES[command.group]}`);
  const chosen = Math.min(at, found.length - 1);

  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const run = (which: number) => {
    const one = found[which];
    if (!one) return;
    setAt(which);
    if (one.why !== null) return;
    const recent = preferences.get<string[]>("palette", []).filter((old) => old !== one.command.id);
    preferences.set("palette", [one.command.id, ...recent].slice(0, RECENT_MAX));
    closeDialog();
    // The dialog gives the focus back first: a command may move it.
    window.setTimeout(() => one.command.run());
  };

  const key = (event: React.KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in steps) {
      const next = chosen + steps[event.key];
      const wraps = Math.abs(steps[event.key]) === 1;
      const last = found.length - 1;
      setAt(wraps && next < 0 ? last : wraps && next > last ? 0 : Math.max(0, Math.min(last, next)));
    } else if (event.key === "Enter") run(chosen);
    else return;
    event.preventDefault();
  };

  return (
    <>
      <div className="palettebox">
        <Search size={16} aria-hidden="true" />
        <input
          // biome-ignore lint/a11y/noAutofocus: the palette is opened to type in it
          autoFocus
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={found.length ? `${id}-${chosen}` : undefined}
          aria-autocomplete="list"
          aria-label={t("Search every command")}
          placeholder={t("What would you like to do?")}
          autoComplete="off"
          spellCheck={false}
          value={query}
          data-testid="palette"
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={key}
        />
        <kbd>Esc</kbd>
      </div>
      {found.length > 0 ? (
        <div className="palettelist" role="listbox" id={`${id}-list`} aria-label={t("Commands")} ref={list}>
          {found.map(({ command, why }, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field keeps the focus and hears the keys
            <div
              key={command.id}
              id={`${id}-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === chosen}
              aria-disabled={why !== null}
              data-command={command.id}
              onClick={() => run(i)}
              onPointerMove={() => i !== chosen && setAt(i)}
            >
              <span className="what">
                {command.title}
                {why !== null && <span className="whynot">{why}</span>}
              </span>
              <span className="faint">{GROUP_NAMES[command.group]}</span>
              <span className="keys">
                {commandKeys(command.id).map((chord) => (
                  <kbd key={chord}>{keyText(chord)}</kbd>
                ))}
              </span>
            </div>
          ))}
        </div>
      ) : (
        <p className="palettenone sub" role="status" id={`${id}-list`}>
          {t("Nothing of that name. Try another word.")}
        </p>
      )}
    </>
  );
}
