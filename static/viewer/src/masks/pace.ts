/** Long work in short steps: an algorithm asks now and then whether to let the page breathe, or to stop. */

/** Called with the share that is done, 0 to 1; a promise means: wait for it. It rejects when the reader cancels. */
export type Pace = (done: number) => Promise<void> | null;

/** Without a pause: for tests, and for what is quick. */
export const atOnce: Pace = () => null;

export class Cancelled extends Error {
  constructor() {
    super("Cancelled.");
  }
}

/** The same work as a part of a longer one. */
export const partOf =
  (pace: Pace, from: number, to: number): Pace =>
  (done) =>
    pace(from + (to - from) * done);
