/** How the active image is shown. */
import { type Command, register } from "../commands";
import { fitPane, flip, reset, rotate, setPreset, zoomBy } from "../moving";
import { presetsFor } from "../store/presets";
import { activeManifest, room, setPane } from "../store/room";
import { t } from "../words";
import { whyNoImage } from "./why";

const PRESETS = 9;

/** What preset `number` is for the active series; null where it has none under this number. */
function presetName(number: number): string | null {
  const manifest = activeManifest(room.getState());
  if (!manifest || manifest.pixel.samples === 3) return null;
  const presets = presetsFor(manifest.series.modality, manifest.suv_factor !== null);
  if (number === presets.length + 1) return t("The image's own window");
  const preset = presets[number - 1];
  return preset ? preset.long : null;
}

const presetCommand = (number: number): Command => ({
  id: `see.preset-${number}`,
  get title() {
    const name = presetName(number);
    return name === null ? t("Window preset {number}", { number }) : t("Window: {name}", { name });
  },
  group: "See",
  keys: [String(number)],
  run: () => setPreset(number),
  off: whyNoImage,
  hidden: () => whyNoImage() === null && presetName(number) === null,
});

function invertActive(): void {
  const { active, panes } = room.getState();
  setPane(active, { inverted: !panes[active].inverted });
}

let overlaysBefore = true;

register(
  ...Array.from({ length: PRESETS }, (_, i) => presetCommand(i + 1)),
  {
    id: "see.zoom-in",
    title: t("Zoom in"),
    group: "See",
    keys: ["+"],
    repeats: true,
    run: () => zoomBy(1.25),
    off: whyNoImage,
  },
  {
    id: "see.zoom-out",
    title: t("Zoom out"),
    group: "See",
    keys: ["-"],
    repeats: true,
    run: () => zoomBy(0.8),
    off: whyNoImage,
  },
  { id: "see.fit", title: t("Fit"), group: "See", keys: ["="], run: () => fitPane(), off: whyNoImage },
  {
    id: "see.reset",
    title: t("Reset window, zoom and turn"),
    group: "See",
    keys: ["Space"],
    run: reset,
    off: whyNoImage,
  },
  { id: "see.invert", title: t("Invert"), group: "See", keys: ["i"], run: invertActive, off: whyNoImage },
  {
    id: "see.mirror-across",
    title: t("Mirror left to right"),
    group: "See",
    keys: ["h"],
    run: () => flip("horizontal"),
    off: whyNoImage,
  },
  {
    id: "see.mirror-down",
    title: t("Mirror top to bottom"),
    group: "See",
    keys: ["v"],
    run: () => flip("vertical"),
    off: whyNoImage,
  },
  {
    id: "see.turn-right",
    title: t("Turn right"),
    group: "See",
    keys: ["r"],
    run: () => rotate(90),
    off: whyNoImage,
  },
  {
    id: "see.turn-left",
    title: t("Turn left"),
    group: "See",
    keys: ["l"],
    run: () => rotate(-90),
    off: whyNoImage,
  },
  {
    id: "see.peek",
    title: t("Hide overlays while held"),
    group: "See",
    keys: ["Tab"],
    keyOnly: true,
    run: () => {
      overlaysBefore = room.getState().overlays;
      room.setState({ overlays: false });
    },
    release: () => room.setState({ overlays: overlaysBefore }),
  },
  {
    id: "see.overlays",
    title: t("Show or hide overlays"),
    group: "See",
    keys: [],
    run: () => room.setState(({ overlays }) => ({ overlays: !overlays })),
  },
);
