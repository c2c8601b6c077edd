/** Work on masks that takes a while: in steps, with a bar after a tenth of a second, and a way out. */
import { createStore } from "zustand/vanilla";
import { draft } from "../store/draft";
import { type Mark, marks } from "../store/marks";
import { mayMark, room } from "../store/room";
import { t } from "../words";
import { Cancelled, type Pace } from "./pace";
import { commitMasks, type MaskChange } from "./slices";
import { say } from "./target";

const BREATHE_MS = 12;
const SHOW_AFTER_MS = 100;

export interface Job {
  running: boolean;
  title: string;
  /** 0 to 1. */
  done: number;
  /** It takes long enough to be shown. */
  visible: boolean;
}

const IDLE: Job = { running: false, title: "", done: 0, visible: false };
export const job = createStore<Job>(() => IDLE);

let cancelled = false;

export function cancelJob(): boolean {
  if (!job.getState().running) return false;
  cancelled = true;
  return true;
}

function paceOf(): Pace {
  const began = performance.now();
  let rested = began;
  return (done) => {
    const now = performance.now();
    if (now - rested < BREATHE_MS) return null;
    return new Promise((resolve, reject) => {
      setTimeout(() => {
        rested = performance.now();
        if (cancelled) reject(new Cancelled());
        else {
          job.setState({ done, visible: rested - began > SHOW_AFTER_MS });
          resolve();
        }
      });
    });
  };
}

/**
 * Works out changes of masks and commits them as one group; nothing where the reader cancels, or where one of the
 * marks it began with has changed meanwhile.
 * @param on the marks it reads
 * @returns whether something changed
 */
export async function run(
  title: string,
  on: Mark[],
  work: (pace: Pace) => Promise<MaskChange[]>,
  nothing = t("Nothing to change."),
): Promise<boolean> {
  if (job.getState().running || draft.getState().stroke || !mayMark(room.getState())) return false;
  const read = room.getState().read?.id;
  cancelled = false;
  room.setState({ notice: null });
  job.setState({ running: true, title, done: 0, visible: false });
  try {
    const changes = (await work(paceOf())).filter(({ slices, value }) => slices.size > 0 || value);
    if (room.getState().read?.id !== read) return false;
    const now = marks.getState().marks;
    if (on.some((mark) => now.get(mark.id) !== mark) || !mayMark(room.getState())) {
      say(t("The finding was changed meanwhile; its mask stays as it is."));
      return false;
    }
    if (!changes.length) {
      say(nothing);
      return false;
    }
    commitMasks(changes);
    return true;
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    return false;
  } finally {
    job.setState(IDLE, true);
  }
}
