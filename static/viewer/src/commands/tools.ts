/** One command a tool. A tool that can't be used here says why, as its button does. */
import { type Command, commandOf, type Group, register } from "../commands";
import { labelFor } from "../marking";
import { whyOff } from "../spoilt";
import { draft } from "../store/draft";
import { activeManifest, nextBrush, room, type ToolName } from "../store/room";
import { t } from "../words";
import { isNoReader, whyNoMarks } from "./why";

export function chooseTool(tool: ToolName): void {
  draft.setState({ shape: null });
  room.setState({ tool });
}

const view = (tool: ToolName, key: string, title: string): Command => ({
  id: `tool.${tool}`,
  title,
  group: "See",
  keys: [key],
  run: () => chooseTool(tool),
});

const marking = (
  tool: ToolName,
  key: string,
  title: string,
  group: Group,
  kind: Parameters<typeof labelFor>[0],
): Command => ({
  id: `tool.${tool}`,
  title,
  group,
  keys: [key],
  run: () => chooseTool(tool),
  hidden: isNoReader,
  off: () => {
    const manifest = activeManifest(room.getState());
    const spoilt = manifest ? whyOff(tool, manifest) : null;
    if (spoilt) return t("This tool is off here: {why}", { why: spoilt });
    return whyNoMarks() ?? (labelFor(kind) ? null : t("No label of this project takes this kind of mark."));
  },
});

const usual: Command[] = [
  view("window", "w", t("Window and level")),
  view("pan", "m", t("Pan")),
  view("zoom", "z", t("Zoom")),
  marking("length", "d", t("Length"), "Mark", "length"),
  marking("bidirectional", "x", t("Two axes: the long one, then the short one"), "Mark", "bidirectional"),
  marking("ellipse", "o", t("Ellipse: area and mean"), "Mark", "ellipse"),
  marking("polygon", "g", t("Polygon: a click a corner, double click closes"), "Mark", "polygon"),
  marking("freehand", "f", t("Freehand outline"), "Mark", "freehand"),
  marking("point", "p", t("Point"), "Mark", "point"),
  marking("brush", "b", t("Brush"), "Mask", "segment"),
  marking("eraser", "e", t("Eraser"), "Mask", "segment"),
  marking("threshold", "t", t("Brush within a range of values"), "Mask", "segment"),
  {
    id: "tool.comment",
    title: t("Pin a comment to a place"),
    group: "Mark",
    keys: ["t"],
    run: () => room.setState({ tool: "comment" }),
    hidden: () => room.getState().read?.you.may_judge !== true,
  },
];
register(...usual.filter((command) => !commandOf(command.id)));

register(
  {
    id: "mask.brush-smaller",
    title: t("Brush smaller"),
    group: "Mask",
    keys: ["["],
    repeats: true,
    run: () => room.setState(({ brushMm }) => ({ brushMm: nextBrush(brushMm, -1) })),
    hidden: isNoReader,
  },
  {
    id: "mask.brush-larger",
    title: t("Brush larger"),
    group: "Mask",
    keys: ["]"],
    repeats: true,
    run: () => room.setState(({ brushMm }) => ({ brushMm: nextBrush(brushMm, 1) })),
    hidden: isNoReader,
  },
);
