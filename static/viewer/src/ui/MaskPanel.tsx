/** What can be done with the chosen segment as a whole, in the findings below its numbers. */
import { ChevronDown, ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { useStore } from "zustand";
import { commandOf, runCommand } from "../commands";
import { type Options, options } from "../masks/options";
import { colorOf } from "../masks/target";
import { type Mark, marks, numbered } from "../store/marks";
import { room } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";

/** A button that runs a command by name; off, and says why, where the command is. */
function Do({ id, children }: { id: string; children: string }) {
  const command = commandOf(`mask.${id}`);
  useRoom((state) => state.active);
  useRoom((state) => state.panes[state.active].series);
  const why = command?.off?.() ?? null;
  return (
    <button
      type="button"
      className="btn s28"
      disabled={why !== null}
      title={why ?? command?.title}
      data-testid={`mask-${id}`}
      onClick={() => runCommand(`mask.${id}`)}
    >
      {children}
    </button>
  );
}

function Amount({ name, of, unit, step }: { name: string; of: keyof Options; unit: string; step: number }) {
  const value = useStore(options, (state) => state[of] as number);
  return (
    <span className="maskamount">
      <input
        aria-label={name}
        className="numbox"
        type="number"
        min={step}
        step={step}
        value={value}
        data-testid={`mask-${of}`}
        onChange={(event) => {
          const next = Number(event.target.value);
          if (Number.isFinite(next) && next > 0) options.setState({ [of]: next });
        }}
      />
      <span className="faint">{unit}</span>
    </span>
  );
}

function Pair({ mark }: { mark: Mark }) {
  const id = useId();
  const all = useStore(marks, (state) => state.marks);
  const chosen = useStore(options, (state) => state.other);
  const labels = room.getState().read?.schema.labels ?? [];
  const others = numbered(all).filter(
    ({ mark: one }) =>
      one.id !== mark.id && one.value.kind === "segment" && one.value.series === mark.value.series,
  );
  if (!others.length) return null;
  const value = others.some((one) => one.mark.id === chosen) ? (chosen ?? "") : "";
  return (
    <div className="maskrow">
      <label className="faint" htmlFor={id}>
        {t("With")}
      </label>
      <select
        id={id}
        className="pickbox"
        value={value}
        data-testid="mask-other"
        style={value ? { borderLeft: `3px solid ${colorOf(all.get(value)?.value.label ?? "")}` } : undefined}
        onChange={(event) => options.setState({ other: event.target.value || null })}
      >
        <option value="">{t("another segment")}</option>
        {others.map(({ mark: one, number }) => (
          <option key={one.id} value={one.id}>
            {labels.find((label) => label.key === one.value.label)?.name ?? one.value.label} {number}
          </option>
        ))}
      </select>
      <Do id="union">{t("Add")}</Do>
      <Do id="minus">{t("Subtract")}</Do>
      <Do id="intersect">{t("Overlap")}</Do>
    </div>
  );
}

export function MaskPanel({ mark }: { mark: Mark }) {
  const [open, setOpen] = useState(false);
  const manifest = useRoom((state) => state.manifests[mark.value.series]);
  if (!manifest || !mark.voxels || mark.value.locked) return null;
  return (
    <div className="maskpanel">
      <button
        type="button"
        className="linkish"
        aria-expanded={open}
        data-testid="mask-panel"
        onClick={() => setOpen(!open)}
      >
        {open ? <ChevronDown size={13} aria-hidden="true" /> : <ChevronRight size={13} aria-hidden="true" />}
        {t("Change the mask as a whole")}
      </button>
      {open && (
        <>
          <div className="maskrow">
            <Do id="between">{t("Fill in between slices")}</Do>
            <Do id="holes">{t("Fill holes")}</Do>
            <Do id="cavities">{t("Fill cavities")}</Do>
          </div>
          <div className="maskrow">
            <span className="faint">{t("Margin")}</span>
            <Amount name={t("Margin in mm")} of="marginMm" unit="mm" step={0.5} />
            <Do id="grow">{t("Grow")}</Do>
            <Do id="shrink">{t("Shrink")}</Do>
          </div>
          <div className="maskrow">
            <span className="faint">{t("Rounder")}</span>
            <Amount name={t("Smoothing in mm")} of="smoothMm" unit="mm" step={0.5} />
            <Do id="smooth">{t("Smooth")}</Do>
          </div>
          <div className="maskrow">
            <span className="faint">{t("Islands")}</span>
            <Amount name={t("Smallest island that stays")} of="leastMm3" unit="mm³" step={10} />
            <Do id="islands">{t("Remove")}</Do>
            <Do id="largest">{t("Keep largest")}</Do>
          </div>
          <Pair mark={mark} />
          <div className="maskrow">
            <Do id="to-outline">{t("To outlines")}</Do>
            <Do id="to-axes">{t("To two axes")}</Do>
            <Do id="copy-here">{t("Copy onto the active image")}</Do>
          </div>
        </>
      )}
    </div>
  );
}
