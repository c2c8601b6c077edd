/**
 * How long a read is read: seconds while the page is visible and a hand moved lately are work, other visible ones
 * are idle, hidden ones count nothing. Pure arithmetic; `watchTime` feeds it.
 */
import { room } from "./store/room";

export const IDLE_AFTER_MS = 60_000;
const BEAT_MS = 15_000;
/** Longer than this between two looks at the clock, the machine slept: nobody was reading. */
const ASLEEP_AFTER_MS = 5 * BEAT_MS;

export interface Spent {
  active_ms: number;
  idle_ms: number;
}

/** Adds up moments in milliseconds of one steady clock. */
export class ReadClock {
  private at: number;
  private hand: number;
  private visible: boolean;
  private spent: Spent = { active_ms: 0, idle_ms: 0 };

  constructor(now: number, visible: boolean) {
    this.at = now;
    // Who opens a read has just moved a hand.
    this.hand = now;
    this.visible = visible;
  }

  /** A hand moved: what passed since is counted up to now. */
  moved(now: number): void {
    this.count(now);
    this.hand = now;
  }

  seen(now: number, visible: boolean): void {
    this.count(now);
    this.visible = visible;
  }

  /** What came together since it was last taken. */
  take(now: number): Spent {
    this.count(now);
    const { spent } = this;
    this.spent = { active_ms: 0, idle_ms: 0 };
    return spent;
  }

  /** What could not be told: it is taken again with the next. */
  giveBack({ active_ms, idle_ms }: Spent): void {
    this.spent.active_ms += active_ms;
    this.spent.idle_ms += idle_ms;
  }

  private count(now: number): void {
    const passed = now - this.at;
    const { at } = this;
    this.at = now;
    if (!this.visible || passed <= 0 || passed > ASLEEP_AFTER_MS) return;
    const active = Math.max(0, Math.min(passed, this.hand + IDLE_AFTER_MS - at));
    this.spent.active_ms += active;
    this.spent.idle_ms += passed - active;
  }
}

const HANDS = ["pointermove", "pointerdown", "wheel", "keydown", "touchstart"] as const;

/** Once a page: tells the server of the time spent on whichever read is open, while its reader may change it. */
export function watchTime(csrf: string): void {
  const now = () => performance.now();
  const isVisible = () => document.visibilityState === "visible";
  let read: string | null = null;
  let clock = new ReadClock(now(), isVisible());

  async function send(keepalive = false): Promise<void> {
    const own = clock;
    const spent = own.take(now());
    if (!read || spent.active_ms + spent.idle_ms < 1) return;
    const body = JSON.stringify({ active_s: spent.active_ms / 1000, idle_s: spent.idle_ms / 1000 });
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf };
    try {
      const options = { method: "POST", keepalive, headers, body };
      const answer = await fetch(`/api/v1/reads/${read}/time/`, options);
      // Refused for good it would be refused again.
      if (answer.status < 500 && answer.status !== 429) return;
    } catch {
      // No connection: told with the next beat.
    }
    own.giveBack(spent);
  }

  room.subscribe((state) => {
    const mine = state.read?.you.capacity === "reader" && state.read.you.may_edit ? state.read.id : null;
    if (mine === read) return;
    void send(true);
    read = mine;
    clock = new ReadClock(now(), isVisible());
  });
  for (const hand of HANDS)
    window.addEventListener(hand, () => clock.moved(now()), { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => {
    clock.seen(now(), isVisible());
    void send(!isVisible());
  });
  window.addEventListener("pagehide", () => void send(true));
  window.setInterval(() => void send(), BEAT_MS);
}
