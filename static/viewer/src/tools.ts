/**
 * Every tool of the left button: what the bar shows of it, which marks it makes, what a press begins. Each part
 * of the room adds its own with `addTools`; the hands, the bar and the commands ask this registry alone.
 */
import type { ComponentType } from "react";
import type { Kind, Manifest, Point2 } from "./api/types";
import { register } from "./commands";
import { isNoReader, whyNoMarks } from "./commands/why";
import { labelFor } from "./marking";
import type { Place } from "./place";
import { whyOff } from "./spoilt";
import { draft } from "./store/draft";
import { activeManifest, mayMark, room, type ToolName } from "./store/room";
import { t } from "./words";

/** What a hand does from a press until it lets go. Points are CSS pixels of the viewport. */
export interface Gesture {
  move(at: Point2, event: PointerEvent): void;
  end(at: Point2, event: PointerEvent): void;
  cancel(): void;
}

export type ToolGroup = "view" | "measure" | "paint" | "judge";

export interface Tool {
  name: ToolName;
  /** In the reader's words, and how it is used where that needs saying: "Length", "Polygon: a click a corner". */
  title: string;
  /** Its usual key, as commands write keys: "d"; empty where it has none. */
  key: string;
  icon: ComponentType<{ size?: number; strokeWidth?: number }>;
  /** What it makes: off where no label of the project takes it. */
  kind?: Kind;
  group: ToolGroup;
  /** Whether it also works on a cut, which is no frame of the series. */
  onCuts?: boolean;
  begin(which: number, start: Point2, place: Place, event: PointerEvent): Gesture | null;
  /** The hand moves without a button: for what is drawn click by click. */
  hover?(which: number, at: Point2, place: Place): void;
  /** Ends what is drawn click by click (Enter, double click); true where there was something to end. */
  finish?(): boolean;
}

export const tools = new Map<ToolName, Tool>();

/** Adds tools, or replaces those of the same name; each one becomes the command "tool.<name>". */
export function addTools(...more: Tool[]): void {
  for (const tool of more) {
    tools.set(tool.name, tool);
    register({
      id: `tool.${tool.name}`,
      title: tool.title,
      group: tool.group === "view" ? "See" : tool.group === "paint" ? "Mask" : "Mark",
      keys: tool.key ? [tool.key] : [],
      run: () => choose(tool.name),
      off: () => whyNot(tool),
      hidden: () => isHidden(tool),
    });
  }
}

export const toolsOf = (group: ToolGroup): Tool[] => [...tools.values()].filter((one) => one.group === group);

/** Tools that change marks are the reader's; pinning comments is the reviewer's. */
export function isHidden(tool: Tool): boolean {
  if (tool.group === "judge") return room.getState().read?.you.may_judge !== true;
  return tool.group !== "view" && isNoReader();
}

/** Why a tool can't be taken up now, as a sentence; null where it can. */
export function whyNot(
  tool: Tool,
  manifest: Manifest | undefined = activeManifest(room.getState()),
): string | null {
  const state = room.getState();
  if (tool.group === "view" || tool.group === "judge") return null;
  const spoilt = manifest ? whyOff(tool.name, manifest) : null;
  if (spoilt) return t("This tool is off here: {why}", { why: spoilt });
  const cut = state.panes[state.active].cut !== null;
  if (cut && !tool.onCuts) return t("This tool works on slices, not on a cut through them.");
  if (!mayMark(state)) return whyNoMarks(state);
  if (tool.kind && !labelFor(tool.kind)) return t("No label of this project takes this kind of mark.");
  return null;
}

/** Takes a tool up; what was half drawn with another is let go. */
export function choose(name: ToolName): void {
  const judging = tools.get(name)?.group === "judge" && room.getState().tool === name;
  draft.setState({ shape: null });
  room.setState({ tool: judging ? "window" : name });
}

/** Ends the shape that is drawn click by click; true where there was one. */
export const finishDrawing = (): boolean => tools.get(room.getState().tool)?.finish?.() ?? false;
