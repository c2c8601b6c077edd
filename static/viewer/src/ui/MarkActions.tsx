/** Small acts on the chosen finding: hide, lock, copy to the next slice, make a box deeper. */
import {
  ArrowDownToLine,
  ArrowUpToLine,
  Eye,
  EyeOff,
  Layers,
  Lock,
  LockOpen,
  type LucideIcon,
} from "lucide-react";
import { useStore } from "zustand";
import { commandOf, firstKey, ownKeys } from "../commands";
import type { Mark } from "../store/marks";
import { t } from "../words";
import { useRoom } from "./use";

function Act({ id, name, icon: Icon, on }: { id: string; name: string; icon: LucideIcon; on?: boolean }) {
  useStore(ownKeys);
  const command = commandOf(id);
  if (!command || command.hidden?.()) return null;
  const why = command.off?.() ?? null;
  const key = firstKey(id);
  const said = why ?? (key ? `${name} (${key})` : name);
  return (
    <button
      type="button"
      className="btn s28 quiet act"
      aria-label={name}
      aria-pressed={on}
      disabled={why !== null}
      title={said}
      data-testid={id.replace(".", "-")}
      onClick={() => command.run()}
    >
      <Icon size={15} aria-hidden="true" />
    </button>
  );
}

export function MarkActions({ mark }: { mark: Mark }) {
  const hidden = useRoom((state) => state.hidden.includes(mark.id));
  // What can be done depends on the slice that the active image shows.
  useRoom((state) => state.panes[state.active].shown);
  useRoom((state) => state.panes[state.active].cut);
  useRoom((state) => state.active);
  useRoom((state) => state.editing);
  const locked = mark.value.locked === true;
  return (
    <div className="acts" role="group" aria-label={t("The chosen finding")}>
      <Act
        id="mark.hide"
        name={hidden ? t("Show this finding") : t("Hide this finding")}
        icon={hidden ? EyeOff : Eye}
        on={hidden}
      />
      <Act
        id="mark.lock"
        name={locked ? t("Unlock this finding") : t("Lock this finding: it can't be moved or deleted")}
        icon={locked ? Lock : LockOpen}
        on={locked}
      />
      {mark.value.kind !== "segment" && mark.value.kind !== "box" && (
        <>
          <Act id="mark.copy-previous" name={t("Copy to the slice before")} icon={ArrowUpToLine} />
          <Act id="mark.copy-next" name={t("Copy to the next slice")} icon={ArrowDownToLine} />
        </>
      )}
      {mark.value.kind === "box" && (
        <Act id="mark.reach" name={t("Make it reach to this slice")} icon={Layers} />
      )}
    </div>
  );
}

/** Beside a finding in the list: that it is hidden, or locked. */
export function MarkSigns({ mark }: { mark: Mark }) {
  const hidden = useRoom((state) => state.hidden.includes(mark.id));
  return (
    <>
      {hidden && <EyeOff size={12} aria-label={t("hidden")} />}
      {mark.value.locked && <Lock size={12} aria-label={t("locked")} />}
    </>
  );
}
