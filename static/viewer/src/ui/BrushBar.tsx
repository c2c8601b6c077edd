/** How the mask tool in the hand works: size, ball or disc, range, what scissors do, how far a lesion reaches. */
import { CircleDashed, Globe, ScanEye } from "lucide-react";
import { useStore } from "zustand";
import { firstKey } from "../commands";
import { isCalibrated, planeOf } from "../engine/geometry";
import { type Options, options, REACHES_MM } from "../masks/options";
import { unitsOf } from "../spoilt";
import { activeManifest, BRUSH_SIZES_MM, type Range, room } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";

const NO_RANGE: Range = { low: null, high: null };
export const BRUSHES = ["brush", "eraser", "threshold"];

export function BrushBar() {
  const tool = useRoom((state) => state.tool);
  if (tool === "scissors") return <ScissorsBar />;
  if (tool === "lesion") return <LesionBar />;
  if (!BRUSHES.includes(tool)) return null;
  return (
    <div className="g brushes">
      <Radius terse={tool === "threshold"} />
      <Toggle of="ball" name={t("A ball through the slices")} id="mask.ball" icon={Globe} />
      {tool !== "eraser" && (
        <Toggle of="clear" name={t("Leave other segments alone")} id="mask.clear" icon={CircleDashed} />
      )}
      {tool === "threshold" && <RangeBoxes />}
    </div>
  );
}

function Toggle(props: {
  of: "ball" | "clear" | "showRange" | "through";
  name: string;
  id?: string;
  icon: typeof Globe;
}) {
  const on = useStore(options, (state) => state[props.of]);
  const key = props.id ? firstKey(props.id) : "";
  const { icon: Icon } = props;
  return (
    <button
      type="button"
      className="tool"
      aria-pressed={on}
      aria-label={props.name}
      title={key ? `${props.name} (${key})` : props.name}
      data-testid={`mask-${props.of}`}
      onClick={() => options.setState({ [props.of]: !on })}
    >
      <Icon size={16} strokeWidth={1.6} aria-hidden="true" />
    </button>
  );
}

function Radius({ terse }: { terse: boolean }) {
  const mm = useRoom((state) => state.brushMm);
  const manifest = useRoom(activeManifest);
  const mmKnown = !manifest || isCalibrated(planeOf(manifest, 0));
  return (
    <>
      {!terse && (
        <label className="faint" htmlFor="brush-size">
          {t("Radius")}
        </label>
      )}
      <select
        id="brush-size"
        className="pickbox"
        value={mm}
        aria-label={t("Radius of the brush")}
        title={t("Radius; [ and ] change it")}
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
    </>
  );
}

function RangeBoxes() {
  const manifest = useRoom(activeManifest);
  const units = manifest ? unitsOf(manifest) : "";
  const range = useRoom((state) => state.ranges[units]) ?? NO_RANGE;
  const bound = (which: "low" | "high") => (event: React.ChangeEvent<HTMLInputElement>) => {
    const text = event.target.value;
    const changed = { ...range, [which]: text === "" ? null : Number(text) };
    room.setState((state) => ({ ranges: { ...state.ranges, [units]: changed } }));
  };
  return (
    <>
      <input
        className="numbox"
        type="number"
        aria-label={t("Lowest value painted, {units}", { units })}
        placeholder={t("any")}
        value={range.low ?? ""}
        onChange={bound("low")}
        data-testid="range-low"
      />
      <span className="faint">{t("to")}</span>
      <input
        className="numbox"
        type="number"
        aria-label={t("Highest value painted, {units}", { units })}
        placeholder={t("any")}
        value={range.high ?? ""}
        onChange={bound("high")}
        data-testid="range-high"
      />
      <span className="faint">{units}</span>
      <Toggle of="showRange" name={t("Show on the whole image what the range takes")} icon={ScanEye} />
    </>
  );
}

function ScissorsBar() {
  const cut = useStore(options, (state) => state.cut);
  const through = useStore(options, (state) => state.through);
  return (
    <div className="g brushes">
      <select
        className="pickbox"
        aria-label={t("What the scissors do")}
        value={cut}
        data-testid="scissors-cut"
        onChange={(event) => {
          options.setState({ cut: event.target.value as Options["cut"] });
          event.target.blur();
        }}
      >
        <option value="inside">{t("Cut away inside")}</option>
        <option value="outside">{t("Cut away outside")}</option>
        <option value="fill">{t("Fill inside")}</option>
      </select>
      <select
        className="pickbox"
        aria-label={t("On which slices")}
        value={through ? "all" : "one"}
        data-testid="scissors-through"
        onChange={(event) => {
          options.setState({ through: event.target.value === "all" });
          event.target.blur();
        }}
      >
        <option value="one">{t("this slice")}</option>
        <option value="all">{t("all slices")}</option>
      </select>
    </div>
  );
}

function LesionBar() {
  const reach = useStore(options, (state) => state.reachMm);
  return (
    <div className="g brushes">
      <label className="faint" htmlFor="lesion-reach">
        {t("At most")}
      </label>
      <select
        id="lesion-reach"
        className="pickbox"
        value={reach}
        title={t("Nothing further from the click than this belongs to the lesion")}
        data-testid="lesion-reach"
        onChange={(event) => {
          options.setState({ reachMm: Number(event.target.value) });
          event.target.blur();
        }}
      >
        {REACHES_MM.map((mm) => (
          <option key={mm} value={mm}>
            {t("{n} mm away", { n: mm })}
          </option>
        ))}
      </select>
    </div>
  );
}
