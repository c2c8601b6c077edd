/** Which key does what: press the new one; a key that is taken says by what, and is yours to give. */
import { Plus, RotateCcw, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { allCommands, type Command, chordOf, commandKeys, GROUPS, keyText, ownKeys } from "../commands";
import { best } from "../fuzzy";
import { FIXED, giveKey, isOwn, mayTake, resetKeys, rivals, setKeys } from "../ownkeys";
import { t } from "../words";
import { GROUP_NAMES } from "./KeySheet";

export function KeyEditor() {
  const own = useStore(ownKeys);
  const [query, setQuery] = useState("");
  const [adding, setAdding] = useState<string | null>(null);
  const commands = allCommands().filter((command) => !command.hidden?.() && !FIXED.includes(command.id));
  const keys = (command: Command) => commandKeys(command.id).map(keyText).join(" ");
  const found = best(query, commands, (command) => `${command.title} ${keys(command)}`);
  const groups = query
    ? [{ name: t("Found"), rows: found }]
    : GROUPS.map((group) => ({
        name: GROUP_NAMES[group],
        rows: found.filter((command) => command.group === group),
      }));
  return (
    <>
      <div className="row prefsfind">
        <input
          className="notebox"
          type="search"
          data-first
          aria-label={t("Find a command or a key")}
          placeholder={t("Find a command or a key")}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        <button
          type="button"
          className="btn s28 quiet"
          disabled={!Object.keys(own).length}
          onClick={resetKeys}
          data-testid="reset-keys"
        >
          <RotateCcw size={14} aria-hidden="true" />
          {t("All as usual")}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls must be reachable by keys */}
      <section className="prefskeys" aria-label={t("Commands and their keys")} tabIndex={0}>
        {groups
          .filter(({ rows }) => rows.length)
          .map(({ name, rows }) => (
            <section key={name}>
              <h3>{name}</h3>
              <ul>
                {rows.map((command) => (
                  <Row
                    key={command.id}
                    command={command}
                    adding={adding === command.id}
                    setAdding={(on) => setAdding(on ? command.id : null)}
                  />
                ))}
              </ul>
            </section>
          ))}
      </section>
    </>
  );
}

function Row({
  command,
  adding,
  setAdding,
}: {
  command: Command;
  adding: boolean;
  setAdding(on: boolean): void;
}) {
  const { id, title } = command;
  const keys = commandKeys(id);
  return (
    <li data-command={id}>
      <span className="grow">{title}</span>
      {keys.map((chord) => (
        <span key={chord} className={rivals(chord, id).length ? "chip rival" : "chip"}>
          <kbd>{keyText(chord)}</kbd>
          <button
            type="button"
            aria-label={t("Take {key} away from: {title}", { key: keyText(chord), title })}
            onClick={() =>
              setKeys(
                id,
                keys.filter((one) => one !== chord),
              )
            }
          >
            <X size={12} aria-hidden="true" />
          </button>
        </span>
      ))}
      {adding ? (
        <Catch command={command} done={() => setAdding(false)} />
      ) : (
        <button
          type="button"
          className="linkish"
          aria-label={t("Another key for: {title}", { title })}
          onClick={() => setAdding(true)}
        >
          <Plus size={13} aria-hidden="true" />
          {t("Key")}
        </button>
      )}
      {isOwn(id) && (
        <button
          type="button"
          className="linkish"
          aria-label={t("As usual: {title}", { title })}
          title={t("As usual")}
          onClick={() => setKeys(id, command.keys)}
        >
          <RotateCcw size={13} aria-hidden="true" />
        </button>
      )}
      {keys.map((chord) =>
        rivals(chord, id).map((rival) => (
          <span key={`${chord}-${rival.id}`} className="rivalsay warn small">
            {t("{key} also does: {title}", { key: keyText(chord), title: rival.title })}
          </span>
        )),
      )}
    </li>
  );
}

/** Waits for the next key press. */
function Catch({ command, done }: { command: Command; done(): void }) {
  const button = useRef<HTMLButtonElement>(null);
  const [wanted, setWanted] = useState<string | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  useEffect(() => button.current?.focus(), []);
  const taken = wanted === null ? [] : rivals(wanted, command.id);
  const key = (event: React.KeyboardEvent) => {
    if (event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return done();
    const chord = chordOf(event.nativeEvent);
    if (chord === null) return;
    setRefused(mayTake(chord) ? null : chord);
    setWanted(null);
    if (!mayTake(chord)) return;
    if (rivals(chord, command.id).length) setWanted(chord);
    else {
      giveKey(chord, command.id);
      done();
    }
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="catch"
        onKeyDown={key}
        onClick={done}
        data-testid="catch-key"
      >
        {t("Press a key; Esc leaves")}
      </button>
      {refused && (
        <span className="rivalsay warn small" role="alert">
          {t("{key} belongs to the browser. Try another one.", { key: keyText(refused) })}
        </span>
      )}
      {wanted && taken.length > 0 && (
        <span className="rivalsay warn small" role="alert">
          {t("{key} is taken by: {title}.", {
            key: keyText(wanted),
            title: taken.map((one) => one.title).join(", "),
          })}{" "}
          <button
            type="button"
            className="linkish"
            data-testid="take-key"
            onClick={() => {
              giveKey(wanted, command.id);
              done();
            }}
          >
            {t("Use it here instead")}
          </button>
        </span>
      )}
    </>
  );
}
