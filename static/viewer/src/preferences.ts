/**
 * The reader's own settings, kept on the server under short names ("keys", "mouse", "layout", ...), so that they
 * are there at every desk. They come with the page; a change is shown at once and sent a moment later.
 */
import { createStore } from "zustand/vanilla";

const SEND_AFTER_MS = 400;
const AGAIN_AFTER_MS = 10_000;
const ADDRESS = "/api/v1/me/preferences/";

type Values = Record<string, unknown>;

/** What the page brought, and what was changed since. Plain data: components subscribe to it. */
export const kept = createStore<Values>(() => fromPage());

let unsent: Values = {};
let timer: ReturnType<typeof setTimeout> | null = null;

function fromPage(): Values {
  if (typeof document === "undefined") return {};
  const text = document.getElementById("preferences")?.textContent;
  return text ? (JSON.parse(text) as Values) : {};
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? "list" : value === null ? "null" : typeof value;

/** A setting; what an older page left behind in another shape than `otherwise` counts as not set. */
function get<T>(name: string, otherwise: T): T {
  const value = kept.getState()[name];
  if (value === undefined || value === null) return otherwise;
  return otherwise === null || kindOf(value) === kindOf(otherwise) ? (value as T) : otherwise;
}

/** Changes a setting; null takes it away. */
function set(name: string, value: unknown): void {
  const before = kept.getState();
  if (JSON.stringify(before[name] ?? null) === JSON.stringify(value)) return;
  kept.setState({ [name]: value });
  unsent = { ...unsent, [name]: value };
  sendIn(SEND_AFTER_MS);
}

function sendIn(milliseconds: number): void {
  if (typeof document === "undefined") return;
  if (timer !== null) clearTimeout(timer);
  timer = setTimeout(() => void send(), milliseconds);
}

/** Sends what was changed. A setting is no finding: where it fails it is tried again, and nobody is told. */
async function send(keepalive = false): Promise<boolean> {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  const sent = unsent;
  if (!Object.keys(sent).length) return true;
  unsent = {};
  let taken = false;
  try {
    const answer = await fetch(ADDRESS, {
      method: "PUT",
      keepalive,
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": document.getElementById("room")?.dataset.csrf ?? "",
      },
      body: JSON.stringify(sent),
    });
    // What the server refuses for good (400, 403) would be refused again.
    taken = answer.ok || (answer.status >= 400 && answer.status < 500 && answer.status !== 429);
  } catch {
    taken = false;
  }
  if (taken) return true;
  unsent = { ...sent, ...unsent };
  sendIn(AGAIN_AFTER_MS);
  return false;
}

if (typeof window !== "undefined") {
  window.addEventListener("pagehide", () => void send(true));
  window.addEventListener("online", () => void send());
}

export const preferences = { get, set, send };
