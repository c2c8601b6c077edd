/** The wiring of one read: client, journal, frames, websocket, the editing lock. One per page. */
import { askAgain } from "./adjudication/deciding";
import { type Client, isViewing, makeClient, ServerError } from "./api/client";
import { follow } from "./api/live";
import type { LiveMessage, Manifest, ObjectRef, Read } from "./api/types";
import { frames, framesOf, watchCache } from "./cache";
import { forgetMpr } from "./cutting";
import { unregister } from "./engine/cornerstone";
import type { SeriesFrames } from "./engine/frames";
import { indexToWorld, nearestFrame, planeOf } from "./engine/geometry";
import { middleOf, stacksOf } from "./engine/stacks";
import type { Stage } from "./engine/stage";
import { uuid } from "./journal/ids";
import { Journal } from "./journal/journal";
import { BrowserKeep } from "./journal/keep";
import { isPlane, keyOf } from "./journal/objects";
import { chosenOf, tellOfNewLabels } from "./labels";
import { reachBack } from "./past";
import { draft } from "./store/draft";
import { incidental } from "./store/incidental";
import { applyObjects, marks } from "./store/marks";
import { marksOpenLater, PANES_MAX, room, setPane, shownPanes } from "./store/room";
import { t } from "./words";

const GIVE_BACK_MS = 1000;
const FETCH_AGAIN_MS = 3000;
const MANIFESTS_AT_ONCE = 4;

export const tab = uuid();
export const stages: (Stage | null)[] = Array.from({ length: PANES_MAX }, () => null);
export let client: Client;
export let journal: Journal;

let fetching: Promise<void> | null = null;
let fetchAgain = false;
let ready = false;
let unfollow = (): void => {};
let unlock = (): void => {};

/** What was fetched of a read before anybody opened it. */
export interface Ahead {
  read: Read;
  manifests: Record<string, Manifest>;
  frames: SeriesFrames[];
}

const refOf = (key: string): ObjectRef => {
  const [annotation, sop, frame] = key.split("|");
  return sop === undefined ? { annotation } : { annotation, sop, frame: Number(frame) };
};

export function sizeOf(sop: string): { rows: number; columns: number } {
  for (const manifest of Object.values(room.getState().manifests)) {
    const index = manifest.frames.sop.indexOf(sop);
    if (index >= 0) {
      const { rows, columns } = planeOf(manifest, index);
      return { rows, columns };
    }
  }
  return { rows: 0, columns: 0 };
}

/** A read that was fetched ahead is shown at once; everything else is asked for as for any other. */
export async function startSession(
  readId: string,
  user: string,
  csrf: string,
  ahead: Ahead | null = null,
): Promise<void> {
  const own = makeClient(readId, csrf);
  client = own;
  // Whether the page has gone on to another read meanwhile.
  const left = () => client !== own;
  let read: Read;
  if (ahead) {
    const label = chosenOf(ahead.read.schema.labels, null);
    for (const loader of ahead.frames) frames.set(loader.manifest.series.id, loader);
    const progress = Object.fromEntries(ahead.frames.map((one) => [one.manifest.series.id, one.progress]));
    // hanging.ts opens its series.
    room.setState({ manifests: ahead.manifests, progress });
    room.setState({ read: ahead.read, label });
  }
  try {
    read = await own.read();
    if (read.state === "assigned" && read.you.may_edit) {
      const opened = await own.open();
      read = opened?.schema ? opened : await own.read();
    }
  } catch (error) {
    if (!left()) room.setState({ problem: sentenceOf(error) });
    return;
  }
  if (left()) return;
  document.title = isViewing(readId)
    ? t("Subject {name} · Atlas", { name: read.subject.pseudonym })
    : t("Case {number} · Atlas", { number: String(read.case.number).padStart(4, "0") });
  room.setState({ read, label: chosenOf(read.schema.labels, null) });
  const owner = `${user || read.you.name}/${readId}`;
  journal = new Journal({
    send: (edits) => own.sendEdits(tab, edits),
    keep: new BrowserKeep(owner),
    owner,
    uuid,
    now: () => new Date(),
    later: (milliseconds, work) => window.setTimeout(work, milliseconds),
    changed: (keys) => {
      // Whoever looks at an earlier moment sees what came since when they are back.
      if (room.getState().past) return;
      applyObjects(
        keys.map((key) => ({ object: refOf(key), value: journal.objects.get(key)?.value ?? null })),
      );
    },
    report: (report) => room.setState({ report }),
    refetch: () => void refetch(),
  });
  // The masks of a series need its matrix: its manifest comes before the marks.
  await loadManifests(read.studies.flatMap((study) => study.series.map(({ id }) => id)));
  if (left()) return;
  if (isViewing(readId)) {
    // There are no marks to fetch, nobody to meet and nothing to save.
    room.setState({ editing: "closed" });
    return;
  }
  await takeLock(readId, read, left);
  if (left()) return;
  unfollow = follow(
    readId,
    tab,
    hear,
    (again) => {
      if (again) void journal.flush().then(catchUp);
      else void catchUpIfMoved().catch(() => {});
    },
    () => void journal.flush().then(catchUp, catchUp),
  );
}

/** Once a page: what the window tells concerns whichever read is open. */
export function watchWindow(): void {
  watchCache();
  window.addEventListener("online", () => {
    void journal?.flush();
    for (const loader of frames.values()) if (loader.errors.size) loader.retry();
  });
  window.addEventListener("beforeunload", (event) => {
    if (room.getState().report?.unsafe) event.preventDefault();
  });
}

/** Leaves the read: nothing of it stays on the screen, in memory or on the line. */
export function endSession(): void {
  unfollow();
  unlock();
  unfollow = unlock = () => {};
  fetching = null;
  fetchAgain = ready = false;
  const old = [...frames.values()];
  for (const loader of old) loader.stop();
  frames.clear();
  // The next case's first image doesn't wait until the memory of the last one is given back.
  window.setTimeout(() => {
    for (const loader of old) {
      loader.drop();
      unregister(loader);
    }
  }, GIVE_BACK_MS);
  loading.clear();
  const { panes } = room.getState();
  const layout = forgetMpr() ?? room.getState().layout;
  const areas = panes.map((pane) => pane.area);
  room.setState(room.getInitialState(), true);
  room.setState({ layout });
  areas.forEach((area, which) => {
    setPane(which, { area });
  });
  marks.setState(marks.getInitialState(), true);
  draft.setState(draft.getInitialState(), true);
  incidental.setState(incidental.getInitialState(), true);
}

/** One tab edits a read; the others follow until it closes. */
async function takeLock(readId: string, read: Read, left: () => boolean): Promise<void> {
  const begin = async () => {
    if (left()) return;
    // What a former page left behind comes first: new edits line up behind it.
    await journal.recall();
    await refetch();
    room.setState({ editing: "here" });
  };
  if (!read.you.may_edit || read.you.capacity !== "reader") {
    room.setState({ editing: "closed" });
    // Edits that were still here when the read was submitted go to the server, which keeps them aside.
    if (read.you.capacity === "reader") await journal.recall();
    await refetch();
    return;
  }
  // Locks exist only in secure contexts; without them the journal's versions still keep two tabs apart.
  if (!navigator.locks) return begin();
  const name = `atlas-read-${readId}`;
  const held = new Promise<void>((resolve) => {
    unlock = resolve;
  });
  const got = await new Promise<boolean>((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? held : undefined;
    });
  });
  if (got) return begin();
  room.setState({ editing: "elsewhere" });
  await refetch();
  void navigator.locks.request(name, async () => {
    await begin();
    await held;
  });
}

/** Lays all the journal's marks on the screen anew: after a look at an earlier moment. */
export function showMarks(): void {
  marks.setState(marks.getInitialState(), true);
  applyObjects([...journal.objects.values()]);
}

/** A stroke began on the values of its moment: news from elsewhere waits until the hand lets go. */
function idle(): Promise<void> {
  const busy = () => draft.getState().stroke !== null || Boolean(draft.getState().shape?.of);
  if (!busy()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = draft.subscribe(() => {
      if (busy()) return;
      stop();
      // The gesture clears its draft first and commits right after.
      queueMicrotask(resolve);
    });
  });
}

async function refetch(): Promise<void> {
  const { read } = room.getState();
  // The message that its state changed brings the marks.
  if (!read || !marksOpenLater(read)) await fetchMarks();
}

/** Resolves once the marks are here as the server had them after this was asked; then nobody draws on nothing. */
export function fetchMarks(): Promise<void> {
  if (fetching) fetchAgain = true;
  else {
    const work = readMarks().finally(() => {
      if (fetching === work) fetching = null;
    });
    fetching = work;
  }
  return fetching as Promise<void>;
}

async function readMarks(): Promise<void> {
  const mine = client;
  do {
    fetchAgain = false;
    try {
      const [state, history] = await Promise.all([mine.state(), mine.history()]);
      await idle();
      if (mine !== client) return;
      journal.load(state, history.groups, sizeOf);
      if (journal.isTorn) void reachBack();
      ready = true;
    } catch (error) {
      if (mine !== client) return;
      if (!(error instanceof ServerError && error.passing)) {
        room.setState({ problem: sentenceOf(error) });
        return;
      }
      if (ready) return;
      await new Promise((resolve) => window.setTimeout(resolve, FETCH_AGAIN_MS));
      if (mine !== client) return;
      fetchAgain = true;
    }
  } while (fetchAgain);
}

export async function reread(): Promise<void> {
  const mine = client;
  const read = await mine.read();
  if (mine === client) take(read);
}

function take(read: Read): void {
  const before = room.getState().editing;
  tellOfNewLabels(room.getState().read, read);
  room.setState({ read });
  if (before === "here" && !read.you.may_edit) room.setState({ editing: "closed" });
  const pinning = read.you.may_judge || incidental.getState().pointing;
  if (!pinning && room.getState().tool === "comment") room.setState({ tool: "window", pin: null });
  if (before === "closed" && read.you.may_edit && read.you.capacity === "reader") location.reload();
}

/** After news of its state, or a lost connection. Marks come first: nobody is asked to judge a round unseen. */
async function catchUp(): Promise<void> {
  const mine = client;
  try {
    const read = await mine.read();
    if (mine !== client) return;
    if (!marksOpenLater(read)) await fetchMarks();
    if (mine === client) take(read);
  } catch (error) {
    if (mine !== client) return;
    if (error instanceof ServerError && error.passing) window.setTimeout(() => void catchUp(), 3000);
    else room.setState({ problem: sentenceOf(error) });
  }
}

/** The read may have moved on before the first connection stood. */
async function catchUpIfMoved(): Promise<void> {
  const mine = client;
  const [known, now] = [room.getState().read, await mine.read()];
  if (mine !== client) return;
  const moved = now.state !== known?.state || now.round !== known.round;
  const compared = known?.adjudication?.comparing && !now.adjudication?.comparing;
  if (moved || compared || now.schema.version !== known.schema.version) await catchUp();
}

function hear(message: LiveMessage): void {
  if (message.type === "presence") room.setState({ people: message.people });
  else if (message.type === "edits" && message.tab !== tab) void refetch();
  else if (message.type === "state" || message.type === "schema") void catchUp();
  else if (message.type === "comment" || message.type === "incidental") void reread().catch(() => {});
  else if (message.type === "lease") room.setState({ ranOut: message.ran_out });
  else if (message.type === "adjudication") void askAgain();
}

const loading = new Map<string, Promise<boolean>>();

/** Whether the manifest of a series is there. Asked for twice at once, it is fetched once. */
export function loadManifest(series: string): Promise<boolean> {
  const known = loading.get(series);
  if (known) return known;
  const work = fetchManifest(series).finally(() => loading.delete(series));
  loading.set(series, work);
  return work;
}

/** A few at a time: those that the case opens with were asked for before, and its first image goes ahead. */
async function loadManifests(series: string[]): Promise<void> {
  const waiting = [...series];
  const work = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await loadManifest(one);
  };
  await Promise.all(Array.from({ length: MANIFESTS_AT_ONCE }, work));
}

async function fetchManifest(series: string): Promise<boolean> {
  const state = room.getState();
  if (state.manifests[series]) return true;
  const row = state.read?.studies.flatMap((study) => study.series).find((one) => one.id === series);
  if (!row) return false;
  const mine = client;
  try {
    const manifest = await mine.manifest(row.manifest);
    if (mine !== client) return false;
    room.setState((now) => ({ manifests: { ...now.manifests, [series]: manifest } }));
    return true;
  } catch (error) {
    if (mine !== client) return false;
    const said = sentenceOf(error);
    room.setState((now) => ({ manifestProblems: { ...now.manifestProblems, [series]: said } }));
    return false;
  }
}

export async function openSeries(which: number, series: string, at?: number): Promise<void> {
  const blank = {
    series,
    shown: null,
    error: null,
    sight: null,
    window: null,
    inverted: false,
    fusion: null,
    cut: null,
    surface: false,
  };
  setPane(which, { ...blank, wanted: 0 });
  if (!(await loadManifest(series))) return;
  const manifest = room.getState().manifests[series];
  if (!frames.has(series)) frames.set(series, framesOf(manifest));
  if (room.getState().panes[which].series !== series) return;
  const wanted = at ?? startIndex(which, series);
  // On its way before the screen is laid out for it.
  frames
    .get(series)
    ?.get(wanted)
    .catch(() => {});
  // Hung anew on the frame it opens at: frames of one series may differ in how they lie.
  setPane(which, { ...blank, wanted, window: ownWindow(series, wanted) });
}

/** Beside another image of the same patient, start at the same place; else in the middle. */
function startIndex(which: number, series: string): number {
  const state = room.getState();
  const manifest = state.manifests[series];
  for (const other of shownPanes(state)) {
    const { series: shown, shown: index } = state.panes[other];
    const beside = shown ? state.manifests[shown] : null;
    if (other === which || !beside || index === null) continue;
    if (beside.series.frame_of_reference !== manifest.series.frame_of_reference) continue;
    const plane = planeOf(beside, index);
    const [stack] = stacksOf(manifest);
    const middle = indexToWorld(plane, [(plane.columns - 1) / 2, (plane.rows - 1) / 2]);
    if (plane.kind === "patient") return nearestFrame(manifest, middle, stack.first, stack.count);
  }
  return middleOf(manifest);
}

/** The window the file asks for; without one, what the frame holds. */
export function ownWindow(series: string, index: number) {
  const manifest = room.getState().manifests[series];
  const suv = manifest.suv_factor ?? 1;
  const center = manifest.frames.center[index];
  const width = manifest.frames.width[index];
  if (center !== null && width !== null && width > 0)
    return { center: center * suv, width: width * suv, preset: "own" };
  const pixels = frames.get(series)?.pixels[index];
  if (!pixels) return { center: 0, width: 0, preset: "own" };
  return {
    center: (pixels.minimum + pixels.maximum) / 2,
    // A map of fine values (ADC, SUV) may span less than one unit in all.
    width: pixels.maximum - pixels.minimum || 1,
    preset: "own",
  };
}

export const sentenceOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

export { frames, framesOf, isPlane, keyOf, marks };
