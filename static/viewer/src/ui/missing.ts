/** What is missing, in words, and the way there. */
import { owedBy } from "../answering";
import type { Read } from "../api/types";
import type { Owed } from "../forms/missing";
import { jumpTo } from "../moving";
import { openSeries } from "../session";
import { marks, numbered } from "../store/marks";
import { room } from "../store/room";
import { t } from "../words";
import { questionId } from "./Forms";
import { side } from "./side";
import { dateText } from "./words";

export function owedText(read: Read, owed: Owed): string {
  const label = read.schema.labels.find((one) => one.key === owed.key)?.name ?? owed.key;
  if (owed.what === "label") return t("{label}: required, not marked", { label });
  if (owed.what === "clash") return t("{label}: stated not there, yet marked as present", { label });
  const question = read.schema.questions.find((one) => one.key === owed.key)?.text ?? owed.key;
  const where = aboutText(read, owed);
  return where ? `${question}: ${where}` : question;
}

function aboutText(read: Read, { of, about }: Owed): string {
  if (of === "annotation") {
    const row = numbered(marks.getState().marks).find(({ mark }) => mark.id === about);
    const label = read.schema.labels.find((one) => one.key === row?.mark.value.label)?.name ?? "";
    return row ? `${label} ${row.number}` : "";
  }
  const study = read.studies.find((one) => one.id === about || one.series.some(({ id }) => id === about));
  if (of === "study") return study ? dateText(study.date) : "";
  const series = study?.series.find(({ id }) => id === about);
  return series ? series.description || `${series.modality} ${series.number ?? ""}`.trim() : "";
}

/** To the place where something missing is answered: its image, its finding, its field. */
export function goToOwed(read: Read, { what, key, of, about }: Owed): void {
  side.setState({ shown: "findings" });
  const { active, panes } = room.getState();
  if (what !== "question") room.setState({ label: key, selected: null });
  else if (of === "annotation") {
    const mark = marks.getState().marks.get(about);
    if (mark) jumpTo(mark);
  } else {
    const series = read.studies.flatMap((study) =>
      of === "study" && study.id === about ? study.series : study.series.filter(({ id }) => id === about),
    );
    const open = series.some(({ id }) => id === panes[active].series);
    if (series.length && !open) void openSeries(active, series[0].id);
  }
  const id = what === "question" ? questionId({ key, of: of as "case" }, about) : `label-${key}`;
  // The field may only be drawn once its finding is chosen, or its series is in the active image.
  let tries = 0;
  const focus = () => {
    const field = document.getElementById(id);
    if (field) {
      field.scrollIntoView({ block: "center" });
      const first = what === "question" ? "button, select, input, textarea" : ".states button";
      field.querySelector<HTMLElement>(first)?.focus();
    } else if (tries++ < 60) requestAnimationFrame(focus);
  };
  requestAnimationFrame(focus);
}

/** To what is missing first: for the key. */
export function goToFirstOwed(): void {
  const { read } = room.getState();
  const [first] = read ? owedBy(read, marks.getState()) : [];
  if (read && first) goToOwed(read, first);
}
