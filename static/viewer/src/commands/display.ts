/** How images are shown beyond window and zoom: fusion, phases, smoothing, the magnifier, the whole screen. */
import { register } from "../commands";
import { stackAt } from "../engine/stacks";
import { fuse, toggleFusion, whyNothingToFuse } from "../fusing";
import { display, nextRate } from "../store/display";
import { activeManifest, room } from "../store/room";
import { rateOf } from "../ui/cine";
import { t } from "../words";
import { whyNoImage } from "./why";

function whyNoPhases(): string | null {
  const none = whyNoImage();
  if (none) return none;
  const manifest = activeManifest(room.getState());
  return manifest && stackAt(manifest, 0).of > 1 ? null : t("This series has no phases.");
}

const whyNotPlaying = (): string | null => (room.getState().cine ? null : t("Nothing is playing."));

function changeRate(direction: 1 | -1): void {
  display.setState({ rate: nextRate(rateOf(activeManifest(room.getState())), direction) });
}

function toggleFullScreen(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen().catch(() => {});
}

register(
  {
    id: "display.fuse",
    title: t("PET over CT, on or off"),
    group: "See",
    keys: ["0"],
    run: () => void toggleFusion(),
    off: whyNothingToFuse,
  },
  {
    id: "display.unfuse",
    title: t("Take the upper series away"),
    group: "See",
    keys: [],
    run: () => void fuse(room.getState().active, null),
    off: () => {
      const { panes, active } = room.getState();
      return panes[active].fusion ? null : t("Nothing lies over this image.");
    },
  },
  {
    id: "display.magnify",
    title: t("Magnifier, while held"),
    group: "See",
    keys: ["q"],
    keyOnly: true,
    run: () => display.setState({ magnifying: true }),
    release: () => display.setState({ magnifying: false }),
    off: whyNoImage,
  },
  {
    id: "display.smooth",
    title: t("Smooth between voxels, or not"),
    group: "See",
    keys: ["s"],
    run: () => display.setState(({ smooth }) => ({ smooth: !smooth })),
    off: whyNoImage,
  },
  {
    id: "display.histogram",
    title: t("Histogram of the values"),
    group: "See",
    keys: ["Shift+z"],
    run: () => display.setState(({ histogram }) => ({ histogram: !histogram })),
    off: whyNoImage,
  },
  {
    id: "display.full-screen",
    title: t("Full screen, and back"),
    group: "See",
    keys: ["Ctrl+Enter"],
    run: toggleFullScreen,
    off: () => (document.fullscreenEnabled ? null : t("This browser doesn't allow it.")),
  },
  {
    id: "display.play-phases",
    title: t("Play the phases at this place"),
    group: "Move",
    keys: ["Shift+p"],
    repeats: false,
    run: () => {
      const playing = room.getState().cine && display.getState().cineOver === "time";
      room.setState({ cine: !playing });
      if (!playing) display.setState({ cineOver: "time", rate: null });
    },
    off: whyNoPhases,
  },
  {
    id: "display.faster",
    title: t("Play faster"),
    group: "Move",
    keys: [">"],
    run: () => changeRate(1),
    off: whyNotPlaying,
  },
  {
    id: "display.slower",
    title: t("Play slower"),
    group: "Move",
    keys: ["<"],
    run: () => changeRate(-1),
    off: whyNotPlaying,
  },
);
