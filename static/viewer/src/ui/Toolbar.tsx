/** Tools, brush, presets, undo, layout. Every button shows its key. */
import {
  Brush,
  Circle,
  Contrast,
  Crosshair,
  Eraser,
  Eye,
  EyeOff,
  FlipHorizontal2,
  FlipVertical2,
  Hand,
  Keyboard,
  type LucideIcon,
  Maximize,
  MessageSquarePlus,
  Pause,
  Pentagon,
  Play,
  Redo2,
  RotateCw,
  Ruler,
  Spline,
  SunMoon,
  Undo2,
  WandSparkles,
  ZoomIn,
} from "lucide-react";
import type { Kind } from "../api/types";
import { isCalibrated, planeOf, spoils } from "../engine/geometry";
import { labelFor, redo, undo } from "../marking";
import { fitPane, flip, rotate, setPreset } from "../moving";
import { noteOf, unitsOf, whyOff } from "../spoilt";
import { openDialog } from "../store/dialog";
import { presetsFor } from "../store/presets";
import {
  activeManifest,
  BRUSH_SIZES_MM,
  mayMark,
  type Range,
  room,
  setPane,
  type ToolName,
} from "../store/room";
import { TwoAxes } from "./icons";
import { LayoutPicker } from "./LayoutPicker";
import { useRoom } from "./use";
import { amount } from "./words";

interface ToolButton {
  tool: ToolName;
  name: string;
  key: string;
  icon: LucideIcon | typeof TwoAxes;
  kind?: Kind;
}

const VIEW: ToolButton[] = [
  { tool: "window", name: "Window and level", key: "W", icon: Contrast },
  { tool: "pan", name: "Pan (also the middle button)", key: "M", icon: Hand },
  { tool: "zoom", name: "Zoom (also the right button)", key: "Z", icon: ZoomIn },
];
const MEASURE: ToolButton[] = [
  { tool: "length", name: "Length", key: "D", icon: Ruler, kind: "length" },
  {
    tool: "bidirectional",
    name: "Two axes: the long one, then the short one",
    key: "X",
    icon: TwoAxes,
    kind: "bidirectional",
  },
  { tool: "ellipse", name: "Ellipse: area and mean", key: "O", icon: Circle, kind: "ellipse" },
  {
    tool: "polygon",
    name: "Polygon: a click a corner, double click closes",
    key: "G",
    icon: Pentagon,
    kind: "polygon",
  },
  { tool: "freehand", name: "Freehand outline", key: "F", icon: Spline, kind: "freehand" },
  { tool: "point", name: "Point", key: "P", icon: Crosshair, kind: "point" },
];
const PAINT: ToolButton[] = [
  { tool: "brush", name: "Brush", key: "B", icon: Brush, kind: "segment" },
  { tool: "eraser", name: "Eraser", key: "E", icon: Eraser, kind: "segment" },
  {
    tool: "threshold",
    name: "Brush within a range of values",
    key: "T",
    icon: WandSparkles,
    kind: "segment",
  },
];

function Tool({ button }: { button: ToolButton }) {
  const on = useRoom((state) => state.tool === button.tool);
  const read = useRoom((state) => state.read);
  const Icon = button.icon;
  const manifest = useRoom(activeManifest);
  const unlabelled = read !== null && button.kind !== undefined && !labelFor(button.kind);
  const spoilt = manifest ? whyOff(button.tool, manifest) : null;
  const note = manifest ? noteOf(button.tool, manifest) : null;
  const off = unlabelled || spoilt !== null;
  const title = unlabelled
    ? `${button.name}: no label of this project takes it`
    : spoilt
      ? `${button.name} is off: ${spoilt}`
      : `${button.name} (${button.key})${note ? `. ${note}` : ""}`;
  return (
    <button
      type="button"
      className="tool"
      aria-pressed={on}
      disabled={off}
      aria-label={button.name}
      title={title}
      data-testid={`tool-${button.tool}`}
      onClick={() => room.setState({ tool: button.tool })}
    >
      <Icon size={18} strokeWidth={1.6} aria-hidden="true" />
      <span aria-hidden="true">{button.key}</span>
    </button>
  );
}

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

const NO_RANGE: Range = { low: null, high: null };

function BrushPanel() {
  const tool = useRoom((state) => state.tool);
  const mm = useRoom((state) => state.brushMm);
  const manifest = useRoom(activeManifest);
  const units = manifest ? unitsOf(manifest) : "";
  const range = useRoom((state) => state.ranges[units]) ?? NO_RANGE;
  const mmKnown = !manifest || isCalibrated(planeOf(manifest, 0));
  if (!["brush", "eraser", "threshold"].includes(tool)) return null;
  const bound = (which: "low" | "high") => (event: React.ChangeEvent<HTMLInputElement>) => {
    const text = event.target.value;
    const changed = { ...range, [which]: text === "" ? null : Number(text) };
    room.setState((state) => ({ ranges: { ...state.ranges, [units]: changed } }));
  };
  return (
    <div className="g brushes">
      <label className="faint" htmlFor="brush-size">
        Radius
      </label>
      <select
        id="brush-size"
        className="pickbox"
        value={mm}
        title="[ and ] change it"
        data-testid="brush-size"
        onChange={(event) => {
          room.setState({ brushMm: Number(event.target.value) });
          event.target.blur();
        }}
      >
        {BRUSH_SIZES_MM.map((size) => (
          <option key={size} value={size}>
            {mmKnown ? `${size}.0 mm` : `${size} px`}
          </option>
        ))}
      </select>
      {tool === "threshold" && (
        <>
          <input
            className="numbox"
            type="number"
            aria-label={`Lowest value painted, ${units}`}
            placeholder="any"
            value={range.low ?? ""}
            onChange={bound("low")}
            data-testid="range-low"
          />
          <span className="faint">to</span>
          <input
            className="numbox"
            type="number"
            aria-label={`Highest value painted, ${units}`}
            placeholder="any"
            value={range.high ?? ""}
            onChange={bound("high")}
            data-testid="range-high"
          />
          <span className="faint">{units}</span>
        </>
      )}
    </div>
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
  const judge = useRoom((state) => state.read?.you.may_judge === true);
  const tool = useRoom((state) => state.tool);
  const cine = useRoom((state) => state.cine);
  const overlays = useRoom((state) => state.overlays);
  const report = useRoom((state) => state.report);
  const painting = ["brush", "eraser", "threshold"].includes(tool);
  return (
    <div className="tools" role="toolbar" aria-label="Tools">
      <div className="g">
        {VIEW.map((button) => (
          <Tool key={button.tool} button={button} />
        ))}
        <Act
          name="Play the slices"
          hint="C"
          icon={cine ? Pause : Play}
          on={cine}
          test="cine"
          act={() => room.setState({ cine: !cine })}
        />
      </div>
      {reader && may && (
        <>
          <div className="g">
            {MEASURE.map((button) => (
              <Tool key={button.tool} button={button} />
            ))}
          </div>
          <div className="g">
            {PAINT.map((button) => (
              <Tool key={button.tool} button={button} />
            ))}
          </div>
          <BrushPanel />
        </>
      )}
      {judge && (
        <div className="g">
          <Act
            name="Pin a comment to a place"
            hint="T"
            icon={MessageSquarePlus}
            on={tool === "comment"}
            test="tool-comment"
            act={() => room.setState({ tool: tool === "comment" ? "window" : "comment" })}
          />
        </div>
      )}
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
