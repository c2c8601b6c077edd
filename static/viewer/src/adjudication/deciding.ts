/** What an adjudicator does: goes to a lesion, considers, decides, edits, goes on. One function a verb. */
import type { AdjudicatedLesion, Adjudication, Choice, Decided } from "../api/adjudication";
import { ServerError } from "../api/client";
import type { AnswerValue } from "../api/types";
import { labelFor } from "../marking";
import { marksOf as laidOut } from "../past";
import { client, fetchMarks, journal, loadManifest, sentenceOf, sizeOf } from "../session";
import { type Mark, type Marks, marks, sliceKey } from "../store/marks";
import { mayMark, room } from "../store/room";
import { choose } from "../tools";
import { side } from "../ui/side";
import { t } from "../words";
import { answersOf, choiceOf, type Draft, isChanged, lacks, nextOpen, votersOf } from "./choices";
import { liesAt, show, watchSizes } from "./panes";
import {
  draftOf,
  forgetJudging,
  isLooking,
  type Judging,
  judging,
  lesionOf,
  nameOf,
  type Previewed,
} from "./store";

const FETCH_AGAIN_MS = 900;

/** Once a page: an adjudication that is opened is laid out; news of its read is news of it. */
export function watchAdjudication(): void {
  let read: string | null = null;
  watchSizes();
  room.subscribe((state, before) => {
    const now = state.read;
    if ((now?.id ?? null) !== read) {
      read = now?.id ?? null;
      forgetJudging();
      side.setState({ shown: now?.adjudication ? "compare" : "findings" });
      if (now?.adjudication) begin(now.adjudication);
    } else if (now?.adjudication && now !== before.read) take(now.adjudication);
    if (state.report !== before.report) afterSaving();
  });
  marks.subscribe((now, before) => {
    if (judging.getState().now) noticeDrawn(now, before);
  });
}

function begin(first: Adjudication): void {
  take(first);
  if (!first.comparing) void layOut(first);
}

/** Once its lesions are found: the first open one is shown, and the readers' marks are fetched. */
async function layOut(first: Adjudication): Promise<void> {
  const mine = client;
  const left = () => mine !== client;
  const open = nextOpen(first.lesions, null) ?? first.lesions[0];
  if (open) goTo(open.number);
  const { read } = room.getState();
  // Masks need the size of their images.
  await Promise.all(
    (read?.studies ?? []).flatMap((study) => study.series).map((series) => loadManifest(series.id)),
  );
  if (left()) return;
  try {
    const states = await Promise.all(
      first.readers.map(async (reader): Promise<[string, Marks]> => {
        return [reader.read, laidOut(await mine.adjudication.marksOf(reader.read))];
      }),
    );
    if (left()) return;
    judging.setState({ states: new Map(states) });
  } catch (error) {
    if (!left()) judging.setState({ problem: sentenceOf(error) });
    return;
  }
  // Now it is known how far the lesion reaches.
  const lesion = lesionOf(judging.getState());
  if (lesion) void show(lesion);
}

/** What the server says now; a lesion that was decided elsewhere meanwhile is shown as it is. */
function take(now: Adjudication): void {
  const before = judging.getState().now;
  const moved = now.lesions.filter(({ number, version }) => {
    const known = before?.lesions.find((one) => one.number === number);
    return known !== undefined && known.version !== version;
  });
  judging.setState(({ drafts }) => ({
    now,
    drafts: moved.length
      ? Object.fromEntries(
          Object.entries(drafts).filter(([number]) => !moved.some((one) => one.number === Number(number))),
        )
      : drafts,
  }));
  if (before?.comparing && !now.comparing) void layOut(now);
  const lesion = lesionOf(judging.getState());
  if (lesion) void look(lesion);
}

/** After a comparison that failed: once more. */
export async function compareAgain(): Promise<void> {
  const mine = client;
  judging.setState({ busy: true, problem: null });
  try {
    const now = await mine.adjudication.compare();
    if (mine === client) take(now);
  } catch (error) {
    if (mine === client) judging.setState({ problem: sentenceOf(error) });
  }
  if (mine === client) judging.setState({ busy: false });
}

/** Asks the server how things stand: after news, and after a decision that came too late. */
export async function askAgain(): Promise<void> {
  const mine = client;
  if (!room.getState().read?.adjudication) return;
  try {
    const now = await mine.adjudication.now();
    if (mine === client) take(now);
  } catch (error) {
    if (mine === client && !(error instanceof ServerError && error.passing))
      judging.setState({ problem: sentenceOf(error) });
  }
}

let timer = 0;
let saved = 0;

/** A result that was edited has other numbers: they come once the edits are saved and the hand rests. */
function afterSaving(): void {
  const { report } = room.getState();
  if (!judging.getState().now || report?.saving.kind !== "saved" || report.saving.number === saved) return;
  const first = saved === 0;
  saved = report.saving.number ?? 0;
  window.clearTimeout(timer);
  if (!first) timer = window.setTimeout(() => void askAgain(), FETCH_AGAIN_MS);
}

/** A mark that is drawn while an open lesion is looked at is drawn for it. */
function noticeDrawn(now: Marks, before: Marks): void {
  const { lesion, now: all, drawn } = judging.getState();
  if (lesion === null || !all || isLooking() || now.marks.size <= before.marks.size) return;
  const made = [...now.marks.values()].filter(
    ({ id, value }) => !before.marks.has(id) && value.origin.from === "reader",
  );
  const known = new Set([...all.lesions.flatMap(({ result }) => result), ...Object.values(drawn).flat()]);
  const fresh = made.filter(({ id }) => !known.has(id));
  if (!fresh.length) return;
  judging.setState((state) => ({
    drawn: { ...state.drawn, [lesion]: [...(state.drawn[lesion] ?? []), ...fresh.map(({ id }) => id)] },
  }));
  if (lesionOf(judging.getState())?.state !== "settled") consider({ take: "drawn" });
}

// Going ------------------------------------------------------------------------------------------

/** To a lesion: it is laid on the screen. Its result comes into the hand only to be edited. */
export function goTo(number: number): void {
  judging.setState({ lesion: number, problem: null });
  const lesion = lesionOf(judging.getState());
  if (!lesion) return;
  if (!isLooking()) choose("window");
  room.setState({ selected: null });
  void show(lesion);
  void look(lesion);
}

export function goOn(): void {
  const { now, lesion } = judging.getState();
  const next = now && nextOpen(now.lesions, lesion);
  if (next) goTo(next.number);
}

/** To the lesion before or after this one in the list. */
export function step(by: 1 | -1): void {
  const { now, lesion } = judging.getState();
  const all = now?.lesions ?? [];
  const next = all[all.findIndex(({ number }) => number === lesion) + by];
  if (next) goTo(next.number);
}

// Considering ------------------------------------------------------------------------------------

function setDraft(number: number, part: Partial<Draft>): void {
  judging.setState(({ drafts }) => ({
    drafts: { ...drafts, [number]: { ...drafts[number], ...part } },
    problem: null,
  }));
}

/** Considers what could be taken: it is shown, and decided only by `accept`. */
export function consider(take: Choice): void {
  const lesion = lesionOf(judging.getState());
  if (!lesion) return;
  setDraft(lesion.number, { take: choiceOf(take) });
  void look(lesion);
}

export function giveReason(reason: string): void {
  const { lesion } = judging.getState();
  if (lesion !== null) setDraft(lesion, { reason });
}

export function giveAnswer(answer: string, value: AnswerValue["value"]): void {
  const lesion = lesionOf(judging.getState());
  if (!lesion) return;
  const { answers } = draftOf(lesion, judging.getState());
  setDraft(lesion.number, { answers: { ...answers, [answer]: value } });
}

/** Fetches what the considered choice would be, once. */
async function look(lesion: AdjudicatedLesion): Promise<void> {
  const { take } = draftOf(lesion, judging.getState());
  if (!take || take.take === "drawn" || take.take === "absent") return;
  const name = nameOf(lesion, take);
  if (judging.getState().previews.has(name)) return;
  const mine = client;
  try {
    const preview = await mine.adjudication.preview(lesion.number, choiceOf(take));
    if (mine !== client) return;
    const found: Previewed = { preview, mark: asMark(preview, name) };
    judging.setState(({ previews }) => ({ previews: new Map(previews).set(name, found) }));
  } catch (error) {
    if (mine === client && judging.getState().lesion === lesion.number)
      judging.setState({ problem: sentenceOf(error) });
  }
}

function asMark({ planes, series }: Previewed["preview"], id: string): Mark | null {
  if (!planes.length || !series) return null;
  const slices = new Map(
    planes.map((plane) => {
      const size = plane.rows ? { rows: plane.rows, columns: plane.columns } : sizeOf(plane.sop);
      return [sliceKey(plane.sop, plane.frame), { ...plane, ...size, voxels: 1 }];
    }),
  );
  const origin = { from: "adjudication" as const };
  const value = { kind: "segment" as const, label: "", series, state: "present" as const, note: "", origin };
  return { id, value, slices, voxels: 1 };
}

// Deciding ---------------------------------------------------------------------------------------

/** The marks that were drawn here for a lesion and still stand. */
export function drawnFor(
  lesion: AdjudicatedLesion,
  { drawn, now }: Pick<Judging, "drawn" | "now">,
): string[] {
  const { marks: all } = marks.getState();
  const ids = [
    ...(lesion.choice?.take === "drawn" || lesion.edited ? lesion.result : []),
    // After the page was opened anew only its place tells for what a mark was drawn.
    ...(drawn[lesion.number] ?? (now?.extra ?? []).filter((id) => liesAt(lesion, all.get(id)))),
  ];
  return [...new Set(ids)].filter((id) => all.has(id));
}

/** Why the lesion can't be settled as it is considered; null where it can. */
export function whyNotAccept(state: Judging = judging.getState()): string | null {
  const lesion = lesionOf(state);
  if (!lesion) return t("No lesion is chosen.");
  if (!mayMark(room.getState())) return t("This adjudication is not open for changes.");
  if (state.busy) return t("The last decision is being saved.");
  const missing = lacks(lesion, draftOf(lesion, state), drawnFor(lesion, state));
  if (missing === "choice") return t("Choose what is taken.");
  if (missing === "drawing") return t("Nothing is drawn for this lesion yet.");
  if (missing === "answers") return t("Choose an answer where readers differ.");
  if (missing === "reason") return t("Say why: the readers disagree.");
  return null;
}

/** Settles the lesion as it is considered and goes on to the next; one that stands so already is only left. */
export async function accept(): Promise<void> {
  const state = judging.getState();
  const lesion = lesionOf(state);
  if (!lesion) return;
  if (!isChanged(lesion, draftOf(lesion, state), votersOf(lesion.options))) goOn();
  else if (await settle(lesion)) goOn();
}

async function settle(lesion: AdjudicatedLesion): Promise<boolean> {
  const state = judging.getState();
  if (whyNotAccept(state) !== null) return false;
  const draft = draftOf(lesion, state);
  if (!draft.take) return false;
  const answers = Object.entries(answersOf(lesion, draft)).filter(([, value]) => value !== null);
  const isDrawn = draft.take.take === "drawn";
  return decide(() =>
    client.adjudication.settle(lesion.number, {
      choice: choiceOf(draft.take as Choice),
      reason: draft.reason.trim(),
      version: lesion.version,
      ...(answers.length && draft.take?.take !== "absent"
        ? { answers: Object.fromEntries(answers) as Record<string, AnswerValue["value"]> }
        : {}),
      ...(isDrawn ? { annotations: drawnFor(lesion, state) } : {}),
    }),
  );
}

/** Takes a decision back: what was merged or copied for it goes, what was drawn stays. */
export async function reopen(): Promise<void> {
  const lesion = lesionOf(judging.getState());
  if (!lesion || lesion.state === "open" || !mayMark(room.getState())) return;
  const { choice, reason } = lesion;
  if (await decide(() => client.adjudication.reopen(lesion.number, lesion.version))) {
    // What was decided is still the best first guess.
    setDraft(lesion.number, { ...(choice ? { take: choice } : {}), reason });
    room.setState({ selected: null });
    void look(lesionOf(judging.getState()) ?? lesion);
  }
}

async function decide(send: () => Promise<Decided>): Promise<boolean> {
  const mine = client;
  judging.setState({ busy: true, problem: null });
  try {
    await allSent();
    const { lesion, settled, total } = await send();
    if (mine !== client) return false;
    await fetchMarks();
    if (mine !== client) return false;
    judging.setState(({ now, drafts, busy: _ }) => {
      const { [lesion.number]: __, ...rest } = drafts;
      const lesions = now?.lesions.map((one) => (one.number === lesion.number ? lesion : one)) ?? [];
      const agreeing = lesions.filter((one) => one.state === "open" && one.agree).length;
      return { now: now && { ...now, lesions, settled, total, agreeing }, drafts: rest, busy: false };
    });
    room.setState({ selected: null });
    return true;
  } catch (error) {
    if (mine !== client) return false;
    const late = error instanceof ServerError && error.status === 409;
    judging.setState({ busy: false, problem: sentenceOf(error) });
    if (late) await askAgain();
    if (late) judging.setState({ problem: sentenceOf(error) });
    return false;
  }
}

const SENT_WITHIN_MS = 8000;

/** Edits that are on their way come before a decision about them. */
async function allSent(): Promise<void> {
  const until = Date.now() + SENT_WITHIN_MS;
  while (journal.waiting) {
    if (Date.now() > until) throw new Error(t("Your last edits are not saved yet."));
    await journal.flush();
    await new Promise((resolve) => window.setTimeout(resolve, 50));
  }
}

/** Settles every lesion in which the readers agree. */
export async function settleAgreed(): Promise<void> {
  const mine = client;
  judging.setState({ busy: true, problem: null });
  try {
    await allSent();
    const now = await mine.adjudication.agreed();
    if (mine !== client) return;
    take(now);
    await fetchMarks();
    const lesion = lesionOf(judging.getState());
    if (lesion?.state === "settled") goOn();
  } catch (error) {
    if (mine === client) judging.setState({ problem: sentenceOf(error) });
  }
  if (mine === client) judging.setState({ busy: false });
}

// Drawing ----------------------------------------------------------------------------------------

/** The brush on the result: an open lesion is settled as considered first, so that its origin is kept. */
export async function editResult(): Promise<void> {
  const state = judging.getState();
  const lesion = lesionOf(state);
  if (!lesion) return;
  const isDecided = !isChanged(lesion, draftOf(lesion, state), votersOf(lesion.options));
  if (!isDecided && draftOf(lesion, state).take?.take !== "drawn" && !(await settle(lesion))) return;
  const [first] = lesionOf(judging.getState())?.result ?? [];
  draw(first ?? drawnFor(lesion, judging.getState())[0] ?? null);
}

/** The brush, for a mark of its own. */
export function drawAnew(): void {
  const lesion = lesionOf(judging.getState());
  if (!lesion || !mayMark(room.getState())) return;
  const [own] = drawnFor(lesion, judging.getState());
  consider({ take: "drawn" });
  room.setState({ label: lesion.label });
  draw(own ?? null);
}

function draw(selected: string | null): void {
  room.setState({ selected, active: 0 });
  const { series } = room.getState().panes[0];
  const mark = selected ? marks.getState().marks.get(selected) : undefined;
  const paints = mark ? mark.value.kind === "segment" && mark.value.series === series : labelFor("segment");
  if (paints) choose("brush");
}

export const toggleReader = (letter: string): void =>
  judging.setState(({ off }) => ({
    off: off.includes(letter) ? off.filter((one) => one !== letter) : [...off, letter],
  }));
