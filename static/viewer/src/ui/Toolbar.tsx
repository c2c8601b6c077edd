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
import { spoils } from "../engine/geometry";
import { redo, undo } from "../marking";
import { fitPane, flip, rotate, setPreset } from "../moving";
import { openDialog } from "../store/dialog";
import { presetsFor } from "../store/presets";
import { mayMark, room, setPane } from "../store/room";
import { t } from "../words";
import { BrushBar } from "./BrushBar";
import { LayoutPicker } from "./LayoutPicker";
import { ToolGroup } from "./ToolGroup";
import { useRoom } from "./use";
import { amount } from "./words";

function Act(props: {
  name: string;
  hint?: string;
  icon: LucideIcon;
  on?: boolean;
  off?: boolean;
  test?: string;
  act: () => void;
}) {
  const { icon: Icon } = props;
  return (
    <button
      type="button"
      className="tool"
      aria-pressed={props.on}
      disabled={props.off}
      aria-label={props.name}
      title={props.hint ? `${props.name} (${props.hint})` : props.name}
      data-testid={props.test}
      onClick={props.act}
    >
      <Icon size={18} strokeWidth={1.6} aria-hidden="true" />
      <span aria-hidden="true">{props.hint && props.hint.length <= 3 ? props.hint : ""}</span>
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
    <fieldset className="g presets" aria-label="Window presets">
      {presets.map((preset, i) => (
        <button
          key={preset.id}
          type="button"
          className="preset"
          aria-pressed={pane.window?.preset === preset.id}
          disabled={spoilt !== null}
          title={
            spoilt
              ? `${preset.long} is off: ${spoilt}`
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
        title={`The image's own window (${presets.length + 1})`}
        onClick={() => setPreset(presets.length + 1)}
      >
        <span>{presets.length + 1}</span>Own
      </button>
    </fieldset>
  );
}

export function Toolbar() {
  const may = useRoom(mayMark);
  const reader = useRoom((state) => state.read?.you.capacity === "reader");
  const tool = useRoom((state) => state.tool);
  const cine = useRoom((state) => state.cine);
  const overlays = useRoom((state) => state.overlays);
  const report = useRoom((state) => state.report);
  const painting = ["brush", "eraser", "threshold", "scissors", "lesion"].includes(tool);
  return (
    <div className="tools" role="toolbar" aria-label="Tools">
      <ToolGroup group="view" label={t("More ways to look")}>
        <Act
          name="Play the slices"
          hint="C"
          icon={cine ? Pause : Play}
          on={cine}
          test="cine"
          act={() => room.setState({ cine: !cine })}
        />
      </ToolGroup>
      {reader && may && (
        <>
          <ToolGroup group="measure" label={t("More ways to measure")} />
          <ToolGroup group="paint" label={t("More ways to paint")} />
          <BrushBar />
        </>
      )}
      <ToolGroup group="judge" label={t("More ways to comment")} />
      <Presets />
      <div
        className={!may || !painting ? "g end" : tool === "threshold" ? "g end spare much" : "g end spare"}
      >
        <Act name="Invert" hint="I" icon={SunMoon} test="invert" act={invertActive} />
        <Act
          name="Mirror left to right"
          hint="H"
          icon={FlipHorizontal2}
          test="flip-h"
          act={() => flip("horizontal")}
        />
        <Act
          name="Mirror top to bottom"
          hint="V"
          icon={FlipVertical2}
          test="flip-v"
          act={() => flip("vertical")}
        />
        <Act name="Turn right" hint="R" icon={RotateCw} test="rotate" act={() => rotate(90)} />
        <Act name="Fit" hint="=" icon={Maximize} test="fit" act={() => fitPane()} />
      </div>
      {reader && (
        <div className="g">
          <Act
            name="Undo, Ctrl+Z"
            icon={Undo2}
            off={!may || !report?.canUndo}
            test="undo"
            act={() => undo()}
          />
          <Act
            name="Redo, Ctrl+Shift+Z"
            icon={Redo2}
            off={!may || !report?.canRedo}
            test="redo"
            act={() => redo()}
          />
        </div>
      )}
      <div className="g">
        <LayoutPicker />
        <Act
          name={overlays ? "Hide overlays; or hold Tab" : "Show overlays"}
          hint="Tab"
          icon={overlays ? Eye : EyeOff}
          test="overlays"
          act={() => room.setState({ overlays: !overlays })}
        />
        <Act name="All keys" hint="?" icon={Keyboard} test="keys" act={() => openDialog("keys")} />
      </div>
    </div>
  );
}

export function invertActive(): void {
  const { active, panes } = room.getState();
  setPane(active, { inverted: !panes[active].inverted });
}
