/** Where the reader is, whose work it is, and whether it is safe. */
import {
  CircleCheck,
  CircleDashed,
  CloudOff,
  EyeOff,
  List,
  Lock,
  type LucideIcon,
  RotateCcw,
  TriangleAlert,
} from "lucide-react";
import type { ReadState } from "../api/types";
import { marksOpenLater } from "../store/room";
import { useRoom } from "./use";
import { subjectText } from "./words";

const STATES: Record<ReadState, { word: string; tone: string; icon: LucideIcon }> = {
  assigned: { word: "Assigned", tone: "", icon: CircleDashed },
  in_progress: { word: "In progress", tone: "", icon: CircleDashed },
  submitted: { word: "Submitted", tone: "", icon: Lock },
  returned: { word: "Returned", tone: "warn", icon: RotateCcw },
  accepted: { word: "Accepted", tone: "good", icon: CircleCheck },
};

export function TopBar() {
  const read = useRoom((state) => state.read);
  const people = useRoom((state) => state.people);
  if (!read) return <header className="bar" />;
  const { word, tone, icon: Icon } = STATES[read.state];
  const blind = read.you.capacity === "reader" && read.state !== "accepted";
  // One person may have several windows open: shown once.
  const here = people.filter((person, i) => people.findIndex((p) => p.name === person.name) === i);
  const others = here.filter((person) => person.name !== read.you.name);
  return (
    <header className="bar">
      <a className="row tight" href={read.worklist_url}>
        <List size={15} aria-hidden="true" />
        Worklist
      </a>
      <span className="sep" />
      <h1 className="case">Case {String(read.case.number).padStart(4, "0")}</h1>
      <a className="sub" href={read.project.url}>
        {read.project.name}
      </a>
      <span className="faint clip">Subject {subjectText(read)}</span>
      <span className={`tag ${tone}`} data-testid="read-state">
        <Icon size={12} aria-hidden="true" />
        {word}
        {read.round > 1 ? `, round ${read.round}` : ""}
      </span>
      <div className="row end wide">
        {blind && (
          <span className="row faint tight" title="Until adjudication nobody sees another reader's work">
            <EyeOff size={14} aria-hidden="true" />
            Blind: other readers hidden
          </span>
        )}
        {read.you.capacity !== "reader" && read.reader && (
          <span className="sub">Read by {read.reader.name}</span>
        )}
        <span className="sep" />
        <SavingState />
        <span className="sep" />
        <span
          className="row tight"
          title={`Here now: ${here.map((p) => p.name).join(", ") || read.you.name}`}
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

function SavingState() {
  const report = useRoom((state) => state.report);
  const editing = useRoom((state) => state.editing);
  const read = useRoom((state) => state.read);
  const capacity = read?.you.capacity;
  if (!report) {
    if (!read || !marksOpenLater(read)) return <span className="faint">Fetching the marks</span>;
    return (
      <span className="faint" data-testid="saving" data-saving="closed">
        Marks open when it is submitted
      </span>
    );
  }
  const { saving, conflicts } = report;
  if (capacity !== "reader" || editing !== "here") {
    return (
      <span className="row faint tight" data-testid="saving" data-saving="read-only">
        <Lock size={14} aria-hidden="true" />
        Read only{saving.kind === "saved" ? `, edit ${saving.number}` : ""}
      </span>
    );
  }
  if (conflicts.length) {
    return (
      <span className="row bad tight" role="status" data-testid="saving" data-saving="conflict">
        <TriangleAlert size={15} aria-hidden="true" />
        {conflicts.length === 1 ? "Conflict" : `${conflicts.length} conflicts`}: choose in the findings
      </span>
    );
  }
  if (saving.kind === "saved") {
    return (
      <span className="row good tight" role="status" data-testid="saving" data-saving="saved">
        <CircleCheck size={15} aria-hidden="true" />
        <span>Saved {saving.at && <b>{saving.at.toTimeString().slice(0, 8)}</b>}</span>
        <span className="faint">edit {saving.number}</span>
      </span>
    );
  }
  if (saving.kind === "saving") {
    return (
      <span className="row sub tight" role="status" data-testid="saving" data-saving="saving">
        <CircleDashed size={15} aria-hidden="true" />
        Saving {saving.waiting} {saving.waiting === 1 ? "edit" : "edits"}
      </span>
    );
  }
  const edits = `${saving.waiting} ${saving.waiting === 1 ? "edit is" : "edits are"}`;
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
        ? `Not sent: ${edits} kept on this computer`
        : `Not sent: ${edits} only in this window, don't close it`}
    </span>
  );
}
