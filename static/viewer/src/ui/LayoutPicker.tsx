/** How many images, and what they do together: a grid to choose from, and the links' switches. */
import { LayoutGrid, Link2 } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { useStore } from "zustand";
import { allCommands, firstKey, ownKeys, runCommand } from "../commands";
import { type Link, setLinked } from "../linking";
import { paneTowards } from "../panes";
import { ROWS_MAX, room, setLayout, shownPanes } from "../store/room";
import { t } from "../words";
import { HangMenu } from "./HangMenu";
import { useRoom } from "./use";

const WIDTH_PX = 252;

/** Below the button, within the window. */
function placeBelow(button: HTMLElement | null, panel: HTMLElement | null): void {
  if (!button || !panel) return;
  const box = button.getBoundingClientRect();
  panel.style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - WIDTH_PX - 8))}px`;
  panel.style.top = `${box.bottom + 4}px`;
}

export function LayoutPicker() {
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const several = useRoom((state) => shownPanes(state).length > 1);
  const linked = useRoom((state) => state.linked);
  useStore(ownKeys);
  const linkKey = firstKey("link.scroll");
  return (
    <>
      <button
        ref={button}
        type="button"
        className="tool"
        popoverTarget="layouts"
        aria-label={t("Layout of the images")}
        aria-haspopup="dialog"
        title={t("Layout of the images (Ctrl 1 to Ctrl 9)")}
        data-testid="layout"
      >
        <LayoutGrid size={18} strokeWidth={1.6} aria-hidden="true" />
      </button>
      <button
        type="button"
        className="tool"
        aria-pressed={linked}
        disabled={!several}
        aria-label={t("Scroll images together")}
        title={`${t("Scroll images together")} (${linkKey})`}
        data-testid="link"
        onClick={() => setLinked("scroll", !linked)}
      >
        <Link2 size={18} strokeWidth={1.6} aria-hidden="true" />
        <span aria-hidden="true">{linkKey}</span>
      </button>
      <div
        ref={panel}
        id="layouts"
        popover="auto"
        className="pop layouts"
        role="dialog"
        aria-label={t("Layout of the images")}
        onBeforeToggle={() => placeBelow(button.current, panel.current)}
        onToggle={(event) => setOpen(event.newState === "open")}
      >
        {open && <Choices done={() => panel.current?.hidePopover()} />}
      </div>
    </>
  );
}

function Choices({ done }: { done: () => void }) {
  const several = useRoom((state) => shownPanes(state).length > 1);
  const scroll = useRoom((state) => state.linked);
  const sight = useRoom((state) => state.linkedSight);
  const grey = useRoom((state) => state.linkedWindow);
  const lines = useRoom((state) => state.crossLines);
  const presets = allCommands().filter(({ id, hidden }) => id.startsWith("layout.preset") && !hidden?.());
  const more = [...presets, ...allCommands().filter(({ id }) => id === "panes.fill")];
  const switches: [Link, string, boolean][] = [
    ["scroll", t("Scroll by place"), scroll],
    ["sight", t("Zoom and pan"), sight],
    ["window", t("Window"), grey],
  ];
  return (
    <>
      <Grid done={done} />
      <div className="row wrap">
        {more.map((command) => {
          const why = command.off?.() ?? null;
          return (
            <button
              key={command.id}
              type="button"
              className="btn s28"
              aria-disabled={why !== null}
              title={why ?? undefined}
              onClick={() => {
                if (runCommand(command.id) === null) done();
              }}
            >
              {command.title}
            </button>
          );
        })}
      </div>
      <HangMenu done={done} />
      <fieldset>
        <legend>{t("All images together")}</legend>
        {switches.map(([link, name, on]) => (
          <label key={link}>
            <input
              type="checkbox"
              checked={on}
              disabled={!several}
              data-testid={`link-${link}`}
              onChange={() => setLinked(link, !on)}
            />
            {name}
          </label>
        ))}
        <label>
          <input
            type="checkbox"
            checked={lines}
            data-testid="cross-lines"
            onChange={() => room.setState({ crossLines: !lines })}
          />
          {t("Lines where the active image cuts")}
        </label>
      </fieldset>
    </>
  );
}

/** As a table is laid out in a text: the corner that is pointed at says how many rows and columns. */
function Grid({ done }: { done: () => void }) {
  const layout = useRoom((state) => state.layout);
  const [pointed, setPointed] = useState<{ rows: number; columns: number } | null>(null);
  const grid = useRef<HTMLDivElement>(null);
  const { rows, columns } = pointed ?? layout;
  const cells = Array.from({ length: ROWS_MAX * ROWS_MAX }, (_, at) => ({
    rows: 1 + Math.floor(at / ROWS_MAX),
    columns: 1 + (at % ROWS_MAX),
  }));
  const step = (event: KeyboardEvent, at: number) => {
    const ways: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const to = paneTowards(at, way[0], way[1], { rows: ROWS_MAX, columns: ROWS_MAX });
    (grid.current?.children[to] as HTMLElement | undefined)?.focus();
  };
  return (
    <div className="gridpick">
      <div ref={grid} onPointerLeave={() => setPointed(null)}>
        {cells.map((cell, at) => {
          const isNow = cell.rows === layout.rows && cell.columns === layout.columns;
          return (
            <button
              key={at}
              type="button"
              className={cell.rows <= rows && cell.columns <= columns ? "in" : ""}
              aria-label={t("{rows} × {columns}", cell)}
              aria-pressed={isNow}
              tabIndex={isNow ? 0 : -1}
              data-testid={`layout-${cell.rows}x${cell.columns}`}
              onPointerEnter={() => setPointed(cell)}
              onFocus={() => setPointed(cell)}
              onKeyDown={(event) => step(event, at)}
              onClick={() => {
                setLayout(cell);
                done();
              }}
            />
          );
        })}
      </div>
      <p>
        <b>{t("{rows} × {columns}", { rows, columns })}</b>
        <span className="faint">{t("rows × columns")}</span>
      </p>
    </div>
  );
}
