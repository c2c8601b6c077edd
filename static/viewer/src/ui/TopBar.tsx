/** Where the reader is, whose work it is, and whether it is safe. */
import {
  Archive,
  CircleCheck,
  CircleDashed,
  CloudOff,
  EyeOff,
  List,
  Lock,
  type LucideIcon,
  RotateCcw,
  Siren,
  TriangleAlert,
} from "lucide-react";
import type { Read, ReadState } from "../api/types";
import { firstKey } from "../commands";
import { openDialog } from "../store/dialog";
import { marksOpenLater } from "../store/room";
import { t, tn } from "../words";
import { Fellows } from "./Fellows";
import { useRoom } from "./use";
import { subjectText } from "./words";

const STATES: Record<ReadState, { word: string; tone: string; icon: LucideIcon }> = {
  assigned: { word: t("Assigned"), tone: "", icon: CircleDashed },
  in_progress: { word: t("In progress"), tone: "", icon: CircleDashed },
  submitted: { word: t("Submitted"), tone: "", icon: Lock },
  returned: { word: t("Returned"), tone: "warn", icon: RotateCcw },
  accepted: { word: t("Accepted"), tone: "good", icon: CircleCheck },
  set_aside: { word: t("Set aside"), tone: "", icon: Archive },
};

export function TopBar() {
  const read = useRoom((state) => state.read);
  const people = useRoom((state) => state.people);
  if (!read) return <header className="bar" />;
  if (read.kind === "viewing") return <ViewingBar read={read} />;
  const { word, tone, icon: Icon } = STATES[read.state];
  const judges = read.adjudication ?? null;
  const blind =
    read.is_blind !== false && !judges && read.you.capacity === "reader" && read.state !== "accepted";
  // One person may have several windows open: shown once.
  const here = people.filter((person, i) => people.findIndex((p) => p.name === person.name) === i);
  const others = here.filter((person) => person.name !== read.you.name);
  return (
    <header className="bar">
      <a className="row tight" href={read.worklist_url}>
        <List size={15} aria-hidden="true" />
        {t("Worklist")}
      </a>
      <span className="sep" />
      <h1 className="case">{t("Case {number}", { number: String(read.case.number).padStart(4, "0") })}</h1>
      <a className="sub" href={read.project.url}>
        {read.project.name}
      </a>
      <span className="faint clip">{t("Subject {name}", { name: subjectText(read) })}</span>
      <span className={`tag ${tone}`} data-testid="read-state">
        <Icon size={12} aria-hidden="true" />
        {word}
        {read.round > 1 ? t(", round {n}", { n: read.round }) : ""}
      </span>
      <div className="row end wide">
        {judges && (
          <span className="sub">
            {tn(judges.readers.length, "Adjudication, {n} reader", "Adjudication, {n} readers")}
          </span>
        )}
        {judges?.readers.every((reader) => reader.name === null) && (
          <span className="row faint tight" title={t("Names would weigh more than marks")}>
            <EyeOff size={14} aria-hidden="true" />
            {t("Readers shown by letter")}
          </span>
        )}
        {blind && (
          <span className="row faint tight" title={t("Until adjudication nobody sees another reader's work")}>
            <EyeOff size={14} aria-hidden="true" />
            {t("Blind: other readers hidden")}
          </span>
        )}
        <Fellows read={read} />
        {read.you.capacity !== "reader" && read.reader && (
          <span className="sub">{t("Read by {name}", { name: read.reader.name })}</span>
        )}
        <button
          type="button"
          className="tool"
          aria-label={t("Tell of an incidental finding")}
          title={`${t("Tell of an incidental finding")} (${firstKey("review.incidental")})`}
          data-testid="tell-incidental"
          onClick={() => openDialog("incidental")}
        >
          <Siren size={17} strokeWidth={1.6} aria-hidden="true" />
        </button>
        <span className="sep" />
        <SavingState />
        <span className="sep" />
        <span
          className="row tight"
          title={t("Here now: {names}", { names: here.map((p) => p.name).join(", ") || read.you.name })}
        >
          <span className="av me">{read.you.initials}</span>
          {others.map((person) => (
            <span key={person.name} className="av">
              {person.initials}
            </span>
          ))}
        </span>
      </div>
    </header>
  );
}

/** Of images that someone looks at without a read. */
function ViewingBar({ read }: { read: Read }) {
  return (
    <header className="bar">
      <a className="row tight" href={read.worklist_url}>
        <List size={15} aria-hidden="true" />
        {t("Studies")}
      </a>
      <span className="sep" />
      <h1 className="case">{t("Subject {name}", { name: subjectText(read) })}</h1>
      <span className="faint clip">{read.project.name}</span>
      <div className="row end wide">
        <span className="row faint tight" data-testid="saving" data-saving="viewing">
          <Lock size={14} aria-hidden="true" />
          {t("For looking only: nothing is marked or saved")}
        </span>
        <span className="sep" />
        <span className="av me">{read.you.initials}</span>
      </div>
    </header>
  );
}

function SavingState() {
  const report = useRoom((state) => state.report);
  const editing = useRoom((state) => state.editing);
  const read = useRoom((state) => state.read);
  const capacity = read?.you.capacity;
  if (!report) {
    if (!read || !marksOpenLater(read)) return <span className="faint">{t("Fetching the marks")}</span>;
    return (
      <span className="faint" data-testid="saving" data-saving="closed">
        {t("Marks open when it is submitted")}
      </span>
    );
  }
  const { saving, conflicts } = report;
  if (capacity !== "reader" || editing !== "here") {
    return (
      <span className="row faint tight" data-testid="saving" data-saving="read-only">
        <Lock size={14} aria-hidden="true" />
        {saving.kind === "saved" ? t("Read only, edit {n}", { n: saving.number ?? 0 }) : t("Read only")}
      </span>
    );
  }
  if (conflicts.length) {
    return (
      <span className="row bad tight" role="status" data-testid="saving" data-saving="conflict">
        <TriangleAlert size={15} aria-hidden="true" />
        {tn(conflicts.length, "Conflict: choose in the findings", "{n} conflicts: choose in the findings")}
      </span>
    );
  }
  if (saving.kind === "saved") {
    return (
      <span className="row good tight" role="status" data-testid="saving" data-saving="saved">
        <CircleCheck size={15} aria-hidden="true" />
        <span>
          {t("Saved")} {saving.at && <b>{saving.at.toTimeString().slice(0, 8)}</b>}
        </span>
        <span className="faint">{t("edit {n}", { n: saving.number ?? 0 })}</span>
      </span>
    );
  }
  if (saving.kind === "saving") {
    return (
      <span className="row sub tight" role="status" data-testid="saving" data-saving="saving">
        <CircleDashed size={15} aria-hidden="true" />
        {tn(saving.waiting, "Saving {n} edit", "Saving {n} edits")}
      </span>
    );
  }
  return (
    <span
      className="row warn tight"
      role="status"
      title={saving.sentence}
      data-testid="saving"
      data-saving="offline"
    >
      <CloudOff size={15} aria-hidden="true" />
      {saving.kept
        ? tn(
            saving.waiting,
            "Not sent: {n} edit is kept on this computer",
            "Not sent: {n} edits are kept on this computer",
          )
        : tn(
            saving.waiting,
            "Not sent: {n} edit is only in this window, don't close it",
            "Not sent: {n} edits are only in this window, don't close it",
          )}
    </span>
  );
}
