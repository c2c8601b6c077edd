// Sends files, several at a time, until each was dealt with. Nothing is given up: after many tries all of it
// waits until the node answers again. Large files go in pieces, so that a broken line costs one of them.

import { fingerprintOf } from "./found.js";
import { Aborted, Ended, NotAllowed, OfTheFile } from "./node.js";

const SENDERS = 4;
const TRIES = 6;
const PAUSE_MS = [500, 1000, 2000, 4000, 8000, 15000];
const PROBE_MS = 5000;
export const LARGE_BYTES = 16 * 1024 * 1024;

const after = (ms) => new Promise((done) => setTimeout(done, ms));
const jittered = (ms) => ms * (0.75 + Math.random() / 2); // so that many senders don't return in step

export class Sending {
  // `delivery` gives {id, sent: Set of keys}, and begins another one when it is asked to; `on` hears
  // shown(), refused(name, reason), sent(item), stalled(sentence), resumed(), stopped(sentence), drained().
  constructor(uploads, delivery, on) {
    Object.assign(this, { uploads, delivery, on });
    this.queue = [];
    this.keys = new Set();
    this.under = new Map(); // file on its way -> bytes that left
    this.found = { files: 0, bytes: 0 };
    this.done = { files: 0, bytes: 0 };
    this.senders = 0;
    this.isPaused = this.isStalled = this.isCancelled = false;
    addEventListener("online", () => this.#hurry?.());
  }

  #hurry = null;

  get isIdle() {
    return this.senders === 0 && this.queue.length === 0;
  }

  add(item) {
    if (this.keys.has(item.key)) return; // dropped twice
    this.keys.add(item.key);
    this.queue.push(item);
    this.found.files += 1;
    this.found.bytes += item.file.size;
  }

  start() {
    while (this.senders < SENDERS && this.queue.length > 0 && !this.#waits) {
      this.senders += 1;
      this.#sender().finally(() => {
        this.senders -= 1;
        this.on.shown();
        this.start();
      });
    }
    if (this.isIdle && !this.#waits) this.on.drained();
  }

  get #waits() {
    return this.isPaused || this.isStalled || this.isCancelled;
  }

  pause() {
    this.isPaused = true; // small files that are on their way arrive, large ones stop within a piece
    for (const item of this.under.keys()) if (item.file.size > LARGE_BYTES) item.stop?.abort();
  }

  goOn() {
    this.isPaused = false;
    this.start();
  }

  cancel() {
    this.isCancelled = true;
    this.queue.length = 0;
    for (const item of this.under.keys()) item.stop?.abort();
  }

  leaveOut(item) {
    item.isLeftOut = true;
    item.stop?.abort();
  }

  async #sender() {
    while (this.queue.length > 0 && !this.#waits) {
      const item = this.queue.shift();
      const isDealtWith = this.delivery.sent.has(item.key) || (await this.#deliver(item));
      if (!isDealtWith) {
        if (!this.isCancelled) this.queue.unshift(item);
        return;
      }
      this.done.files += 1;
      this.done.bytes += item.file.size;
      this.on.sent(item);
    }
  }

  // Whether the node has dealt with the file.
  async #deliver(item) {
    item.stop = new AbortController();
    for (let attempt = 0; ; attempt += 1) {
      const delivery = this.delivery.id;
      try {
        this.under.set(item, item.received ?? 0);
        await (item.file.size > LARGE_BYTES ? this.#inPieces(item) : this.#whole(item));
        return true;
      } catch (error) {
        if (item.isLeftOut) return this.#leaveOut(item);
        if (this.#waits) return false;
        if (error instanceof OfTheFile) return this.#refuse(item, error.message);
        if (error instanceof Ended) {
          if (!(await this.delivery.another(delivery))) return false; // it was ended in another tab, or by an error
          item.node = null;
        } else if (error instanceof NotAllowed) {
          this.isPaused = true;
          this.on.stopped(error.message);
          return false;
        } else if (!(await isReadable(item.file))) {
          return this.#refuse(item, "It can't be read on your computer any more. Choose it again.");
        } else if (attempt + 1 >= TRIES) {
          this.#stall(error.message);
          return false;
        }
        if (item.advanced) attempt = 0; // a piece went through: the line is bad, not dead
        item.advanced = false;
        await after(jittered(PAUSE_MS[Math.min(attempt, PAUSE_MS.length - 1)]));
        if (this.#waits) return false;
        item.stop = new AbortController();
      } finally {
        this.under.delete(item);
      }
    }
  }

  #refuse(item, reason) {
    this.on.refused(item.path, reason);
    return true;
  }

  async #leaveOut(item) {
    if (item.node) await this.uploads.leaveOut(this.delivery.id, item.node).catch(() => null);
    return this.#refuse(item, "Left out by you.");
  }

  #watched(item, before) {
    const onProgress = (bytes) => {
      this.under.set(item, before + bytes);
      this.on.shown();
    };
    return { onProgress, signal: item.stop.signal };
  }

  async #whole(item) {
    for (const outcome of await this.uploads.file(this.delivery.id, item.path, item.file, this.#watched(item, 0))) {
      if (outcome.reason) this.on.refused(outcome.name, outcome.reason);
    }
  }

  async #inPieces(item) {
    const facts = { name: item.path, size: item.file.size, fingerprint: fingerprintOf(item.file) };
    const file = await this.uploads.beginFile(this.delivery.id, facts);
    item.node = file.id;
    item.received = file.received;
    while (!file.is_taken_in && item.received < item.file.size) {
      const piece = item.file.slice(item.received, item.received + file.piece_bytes);
      const told = await this.uploads.piece(
        this.delivery.id,
        file.id,
        item.received,
        piece,
        this.#watched(item, item.received),
      );
      item.advanced ||= told.received > item.received;
      item.received = told.received;
      this.under.set(item, item.received);
      if (this.#waits || item.isLeftOut) throw new Aborted("Stopped.");
    }
  }

  // Wait until the node answers again, then go on by ourselves.
  async #stall(sentence) {
    if (this.isStalled) return;
    this.isStalled = true;
    this.on.stalled(sentence);
    for (;;) {
      await Promise.race([after(PROBE_MS), new Promise((done) => (this.#hurry = done))]);
      if (this.isCancelled) return;
      const error = await this.uploads.state(this.delivery.id).then(() => null, (failed) => failed);
      if (!error || error instanceof NotAllowed || error instanceof Ended) break; // then a file says which
    }
    this.isStalled = false;
    this.on.resumed();
    this.start();
  }
}

async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
