/** One command a tool, registered with the tool itself; and the size of the brush. */
import { register } from "../commands";
import "../tools/all";
import { nextBrush, room } from "../store/room";
import { t } from "../words";
import { isNoReader } from "./why";

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
