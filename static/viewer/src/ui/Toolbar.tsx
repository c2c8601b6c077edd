/** Tools, brush, presets, undo, layout. Every button shows its key. */
import {
  Eye,
  EyeOff,
  FlipHorizontal2,
  FlipVertical2,
  Keyboard,
  type LucideIcon,
  Maximize,
  Pause,
  Play,
  Redo2,
  RotateCw,
  SunMoon,
  Undo2,
} from "lucide-react";
import { useStore } from "zustand";
import { commandOf, firstKey, ownKeys, runCommand } from "../commands";
import { spoils } from "../engine/geometry";
import { setPreset } from "../moving";
import { presetsFor } from "../store/presets";
import { mayMark } from "../store/room";
import { t } from "../words";
import { Toggles } from "./adjudication/Toggles";
import { BrushBar } from "./BrushBar";
import { PlanesButton } from "./CutBar";
import { LayoutPicker } from "./LayoutPicker";
import { ToolGroup } from "./ToolGroup";
import { useRoom } from "./use";
import { amount } from "./words";

/** A button for a command: its words, its key as this reader has it, and why it is off. */
function Act(props: {
  id: string;
  icon: LucideIcon;
  name?: string;
  on?: boolean;
  off?: boolean;
  test?: string;
}) {
  useStore(ownKeys);
  const { id, icon: Icon, on, off, test } = props;
  const name = props.name ?? commandOf(id)?.title ?? "";
  const key = firstKey(id);
  return (
    <button
      type="button"
      className="tool"
      aria-pressed={on}
      disabled={off}
      aria-label={name}
      title={key ? `${name} (${key})` : name}
      data-testid={test}
      onClick={() => runCommand(id)}
    >
      <Icon size={18} strokeWidth={1.6} aria-hidden="true" />
      <span aria-hidden="true">{key.length <= 3 ? key : ""}</span>
    </button>
  );
}

function Presets() {
  const pane = useRoom((state) => state.panes[state.active]);
  const manifest = useRoom((state) => (pane.series ? state.manifests[pane.series] : undefined));
  if (!manifest || manifest.pixel.samples === 3) return <div className="g presets" />;
  const presets = presetsFor(manifest.series.modality, manifest.suv_factor !== null);
  const spoilt =
    spoils(manifest, "units") ?? (manifest.series.modality === "PT" ? spoils(manifest, "suv") : null);
  return (
    <fieldset className="g presets" aria-label={t("Window presets")}>
      {presets.map((preset, i) => (
        <button
          key={preset.id}
          type="button"
          className="preset"
          aria-pressed={pane.window?.preset === preset.id}
          disabled={spoilt !== null}
          title={
            spoilt
              ? t("{name} is off: {why}", { name: preset.long, why: spoilt })
              : `${preset.long}: ${preset.width}/${amount(preset.center)} (${i + 1})`
          }
          data-testid={`preset-${preset.id}`}
          onClick={() => setPreset(i + 1)}
        >
          <span>{i + 1}</span>
          {preset.name}
        </button>
      ))}
      <button
        type="button"
        className="preset"
        aria-pressed={pane.window?.preset === "own"}
        title={`${t("The image's own window")} (${presets.length + 1})`}
        onClick={() => setPreset(presets.length + 1)}
      >
        <span>{presets.length + 1}</span>
        {t("Own")}
      </button>
    </fieldset>
  );
}

export function Toolbar() {
  const may = useRoom(mayMark);
  const reader = useRoom((state) => state.read?.you.capacity === "reader");
  const viewing = useRoom((state) => state.read?.kind === "viewing");
  const tool = useRoom((state) => state.tool);
  const cine = useRoom((state) => state.cine);
  const overlays = useRoom((state) => state.overlays);
  const report = useRoom((state) => state.report);
  const painting = ["brush", "eraser", "threshold", "scissors", "lesion"].includes(tool);
  return (
    <div className="tools" role="toolbar" aria-label={t("Tools")}>
      <ToolGroup group="view" label={t("More ways to look")}>
        <Act id="move.cine" icon={cine ? Pause : Play} on={cine} test="cine" />
      </ToolGroup>
      {reader && may && (
        <>
          <ToolGroup group="measure" label={t("More ways to measure")} />
          <ToolGroup group="paint" label={t("More ways to paint")} />
          <BrushBar />
        </>
      )}
      {!viewing && <ToolGroup group="judge" label={t("More ways to comment")} />}
      <Presets />
      <Toggles />
      <div
        className={!may || !painting ? "g end" : tool === "threshold" ? "g end spare much" : "g end spare"}
      >
        <Act id="see.invert" icon={SunMoon} test="invert" />
        <Act id="see.mirror-across" icon={FlipHorizontal2} test="flip-h" />
        <Act id="see.mirror-down" icon={FlipVertical2} test="flip-v" />
        <Act id="see.turn-right" icon={RotateCw} test="rotate" />
        <Act id="see.fit" icon={Maximize} test="fit" />
      </div>
      {reader && (
        <div className="g">
          <Act id="change.undo" icon={Undo2} off={!may || !report?.canUndo} test="undo" />
          <Act id="change.redo" icon={Redo2} off={!may || !report?.canRedo} test="redo" />
        </div>
      )}
      <div className="g">
        <LayoutPicker />
        <PlanesButton />
        <Act
          id="see.overlays"
          name={
            overlays ? t("Hide overlays; or hold {key}", { key: firstKey("see.peek") }) : t("Show overlays")
          }
          icon={overlays ? Eye : EyeOff}
          test="overlays"
        />
        <Act id="room.keys" icon={Keyboard} test="keys" />
      </div>
    </div>
  );
}
