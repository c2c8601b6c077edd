/** Talks to the server. Every failure becomes a sentence a reader can act on. */

import { inWhite } from "../adjudication/looks";
import { t } from "../words";
import { adjudicationOf } from "./adjudication";
import { taken } from "./early";
import type { Diff, Incidental, NewIncidental, Reason } from "./review";
import type {
  Comment,
  Edit,
  EditsAnswer,
  Feedback,
  GestureLine,
  HistoryGroup,
  ImportedSlices,
  Manifest,
  ParkedEdit,
  Point2,
  Point3,
  Read,
  StateAnswer,
} from "./types";

export class ServerError extends Error {
  readonly status: number;
  readonly body: unknown;
  constructor(message: string, status: number, body: unknown = null) {
    super(message);
    this.status = status;
    this.body = body;
  }
  /** True where sending the same again later may work: no connection, or the server is starting or busy. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

function sentence(status: number, body: unknown): string {
  if (body && typeof body === "object") {
    const said = (body as Record<string, unknown>).detail ?? (body as Record<string, unknown>).reason;
    if (typeof said === "string") return said;
  }
  if (status === 0) return t("The server cannot be reached.");
  if (status === 401 || status === 403)
    return t("You are signed out, or may no longer do this. Sign in again.");
  if (status === 404) return t("This is not here, or no longer open to you.");
  return t("The server answered with an error ({status}).", { status });
}

export interface NewComment {
  text: string;
  series: string | null;
  sop: string | null;
  frame: number | null;
  point_patient_mm: Point3 | null;
  point_image: Point2 | null;
}

const STUDY = "study:";

/** The name of a study that is looked at without a read, where the name of a read is expected. */
export const viewingOf = (study: string): string => `${STUDY}${study}`;

export const isViewing = (read: string): boolean => read.startsWith(STUDY);

export const addressOf = (read: string): string =>
  isViewing(read) ? `/api/v1/access/studies/${read.slice(STUDY.length)}/` : `/api/v1/reads/${read}/`;

export function makeClient(readId: string, csrf: string) {
  const base = addressOf(readId);

  async function ask<T>(url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    let answer: Response;
    try {
      const before = body === undefined ? await taken(url) : null;
      answer =
        before ??
        (await fetch(url, {
          method: body === undefined ? "GET" : "POST",
          credentials: "same-origin",
          signal,
          headers: {
            Accept: "application/json",
            ...(body === undefined ? {} : { "Content-Type": "application/json", "X-CSRFToken": csrf }),
          },
          body: body === undefined ? undefined : JSON.stringify(body),
        }));
    } catch {
      throw new ServerError(sentence(0, null), 0);
    }
    const text = await answer.text();
    let parsed: unknown = null;
    try {
      parsed = text ? JSON.parse(text) : null;
    } catch {
      parsed = null;
    }
    if (!answer.ok) throw new ServerError(sentence(answer.status, parsed), answer.status, parsed);
    return parsed as T;
  }

  return {
    read: () => ask<Read>(base).then(inWhite),
    open: () => ask<Read>(`${base}open/`, {}).then(inWhite),
    state: () => ask<StateAnswer>(`${base}state/`),
    /** The marks as they stood after an edit. */
    stateAt: (number: number) => ask<StateAnswer>(`${base}state/?at=${number}`),
    /** The last gestures; with `before`, those that ended before that edit. */
    history: (before?: number) =>
      ask<{ number: number; groups: HistoryGroup[] }>(
        `${base}history/?groups=100${before === undefined ? "" : `&before=${before}`}`,
      ),
    gestures: (before?: number) =>
      ask<{ more: boolean; groups: GestureLine[] }>(
        `${base}gestures/?groups=50${before === undefined ? "" : `&before=${before}`}`,
      ),
    parked: () => ask<{ results: ParkedEdit[] }>(`${base}parked/?limit=200`),
    settleParked: (id: string) => ask<null>(`${base}parked/${id}/settle/`, {}),
    sendEdits: (tab: string, edits: Edit[]) => ask<EditsAnswer>(`${base}edits/`, { tab, edits }),
    submit: (number: number) => ask<Read>(`${base}submit/`, { number }),
    lockUnaided: (number: number) => ask<Read>(`${base}lock-unaided/`, { number }),
    feedback: () => ask<Feedback>(`${base}feedback/`),
    review: (verdict: "accept" | "return", round: number, text: string, reasons: Reason[] = []) =>
      ask<Read>(`${base}review/`, { verdict, round, text, reasons }),
    /** What changed since a round; null: since the last one before. */
    diff: (from: number | null) => ask<Diff>(`${base}diff/${from === null ? "" : `?from=${from}`}`),
    incidental: (told: NewIncidental) => ask<Incidental>(`${base}incidental/`, told),
    comment: (comment: NewComment) => ask<Comment>(`${base}comments/`, comment),
    resolve: (id: string) => ask<Comment>(`${base}comments/${id}/resolve/`, {}),
    reopen: (id: string) => ask<Comment>(`${base}comments/${id}/reopen/`, {}),
    reply: (id: string, text: string) => ask<Comment>(`${base}comments/${id}/replies/`, { text }),
    imported: (id: string) => ask<ImportedSlices>(`${base}imported/${id}/`),
    manifest: (url: string) => ask<Manifest>(url),
    adjudication: adjudicationOf(ask, base),
  };
}

export type Client = ReturnType<typeof makeClient>;
