/** One group of tools in the bar: the first ones as buttons, the others in a menu whose last choice stays out. */
import { Check, ChevronDown } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { firstKey, ownKeys } from "../commands";
import { REGIONS } from "../journal/figures";
import { kept, preferences } from "../preferences";
import { noteOf } from "../spoilt";
import { activeManifest, type ToolName } from "../store/room";
import { choose, type ToolGroup as Group, isHidden, type Tool, toolsOf, whyNot } from "../tools";
import { useRoom } from "./use";

/** Those with a button of their own, the ones that give way on a narrow window last. */
const FIRST: Record<Group, ToolName[]> = {
  view: ["window", "pan", "zoom"],
  measure: ["length", "bidirectional", "ellipse", "point", "polygon", "freehand", "arrow", "angle"],
  paint: ["brush", "eraser", "threshold"],
  judge: ["comment"],
};
/** The menu's order, what belongs together beside each other; others follow as they were registered. */
const ORDER: ToolName[] = ["length", "bidirectional", "angle", "cobb", ...REGIONS, "box", "point", "arrow"];
const rank = ({ name }: Tool): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
/** How many of them, by the width of the window in px. */
const ROOM_FOR: Record<Group, [wide: number, shown: number][]> = {
  view: [[0, 3]],
  measure: [
    [1900, 8],
    [1620, 5],
    [0, 3],
  ],
  paint: [[0, 3]],
  judge: [[0, 1]],
};
const MENU_WIDTH_PX = 300;

function useWidth(): number {
  const [width, setWidth] = useState(window.innerWidth);
  useEffect(() => {
    const changed = () => setWidth(window.innerWidth);
    window.addEventListener("resize", changed);
    return () => window.removeEventListener("resize", changed);
  }, []);
  return width;
}

/** What a tool is called, with its key, why it is off or what to know before using it. */
function useTool(tool: Tool) {
  const on = useRoom((state) => state.tool === tool.name);
  const manifest = useRoom(activeManifest);
  useRoom((state) => state.read);
  useRoom((state) => state.editing);
  useRoom((state) => state.label);
  useRoom((state) => state.panes[state.active].cut !== null);
  useStore(ownKeys);
  const key = firstKey(`tool.${tool.name}`);
  const why = whyNot(tool, manifest);
  const note = manifest && why === null ? noteOf(tool.name, manifest) : null;
  const named = key ? `${tool.title} (${key})` : tool.title;
  const title = why === null ? (note ? `${named}. ${note}` : named) : `${tool.title}. ${why}`;
  return { on, key, why, title };
}

function ToolButton({ tool }: { tool: Tool }) {
  const { on, key, why, title } = useTool(tool);
  const Icon = tool.icon;
  return (
    <button
      type="button"
      className="tool"
      aria-pressed={on}
      disabled={why !== null}
      aria-label={tool.title}
      title={title}
      data-testid={`tool-${tool.name}`}
      onClick={() => choose(tool.name)}
    >
      <Icon size={18} strokeWidth={1.6} aria-hidden="true" />
      <span aria-hidden="true">{key.length <= 2 ? key : ""}</span>
    </button>
  );
}

function MenuItem({ tool, done }: { tool: Tool; done: () => void }) {
  const { on, key, why, title } = useTool(tool);
  const Icon = tool.icon;
  return (
    <li>
      <button
        type="button"
        className="toolitem"
        aria-pressed={on}
        disabled={why !== null}
        title={title}
        data-testid={`tool-${tool.name}`}
        onClick={() => {
          const out = preferences.get<Record<string, string>>("toolbar", {});
          preferences.set("toolbar", { ...out, [tool.group]: tool.name });
          choose(tool.name);
          done();
        }}
      >
        <Icon size={16} strokeWidth={1.6} aria-hidden="true" />
        <span>
          {tool.title}
          {why !== null && <small>{why}</small>}
        </span>
        {on && <Check size={14} aria-hidden="true" />}
        {key && <kbd>{key}</kbd>}
      </button>
    </li>
  );
}

/** @param label what the menu of this group is called */
export function ToolGroup({
  group,
  label,
  children,
}: {
  group: Group;
  label: string;
  children?: React.ReactNode;
}) {
  const menu = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const width = useWidth();
  const current = useRoom((state) => state.tool);
  const out = useStore(kept, (state) => (state.toolbar as Record<string, string> | undefined)?.[group]);
  useRoom((state) => state.read);
  const all = toolsOf(group).filter((tool) => !isHidden(tool));
  if (!all.length) return null;
  const fits = ROOM_FOR[group].find(([wide]) => width >= wide)?.[1] ?? all.length;
  const first = FIRST[group]
    .map((name) => all.find((tool) => tool.name === name))
    .filter((tool) => tool !== undefined)
    .slice(0, fits);
  const more = all.filter((tool) => !first.includes(tool)).sort((a, b) => rank(a) - rank(b));
  // What was last taken from the menu stays beside it; the tool in hand is never out of sight.
  const kind = more.find((tool) => tool.name === current) ?? more.find((tool) => tool.name === out);
  return (
    <div className="g">
      {(kind ? [...first, kind] : first).map((tool) => (
        <ToolButton key={tool.name} tool={tool} />
      ))}
      {children}
      {more.length > 0 && (
        <>
          <button
            type="button"
            className="tool more"
            popoverTarget={`tools-${group}`}
            aria-expanded={open}
            aria-label={label}
            title={label}
            data-testid={`more-${group}`}
          >
            <ChevronDown size={14} aria-hidden="true" />
          </button>
          <div
            ref={menu}
            id={`tools-${group}`}
            popover="auto"
            className="pop toolmenu"
            onBeforeToggle={(event) => {
              const button = (event.currentTarget as HTMLElement).previousElementSibling;
              const box = button?.getBoundingClientRect();
              if (!box || !menu.current) return;
              const left = Math.min(box.left, window.innerWidth - MENU_WIDTH_PX - 8);
              menu.current.style.left = `${Math.max(8, left)}px`;
              menu.current.style.top = `${box.bottom + 4}px`;
            }}
            onToggle={(event) => setOpen(event.newState === "open")}
          >
            {open && (
              <ul aria-label={label}>
                {more
                  .filter((tool) => tool !== kind)
                  .map((tool) => (
                    <MenuItem key={tool.name} tool={tool} done={() => menu.current?.hidePopover()} />
                  ))}
              </ul>
            )}
          </div>
        </>
      )}
    </div>
  );
}
