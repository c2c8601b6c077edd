// What this browser remembers of deliveries that didn't end: which they were, and which of their files the node
// has dealt with. After a lost line or a reload the same folder goes on where it stopped. Where a browser keeps
// nothing (a private window), all of it still works but for that.

const KEPT_MS = 7 * 24 * 3_600_000;
const FLUSH_MS = 500;

let opening = null;

function database() {
  opening ??= new Promise((done, fail) => {
    const request = indexedDB.open("atlas-import", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("deliveries", { keyPath: "id" });
      request.result.createObjectStore("sent");
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  }).catch(() => null);
  return opening;
}

async function within(stores, mode, work) {
  const open = await database();
  if (!open) return undefined;
  return new Promise((done) => {
    const transaction = open.transaction(stores, mode);
    const request = work(...stores.map((name) => transaction.objectStore(name)));
    transaction.oncomplete = () => done(request?.result);
    transaction.onabort = transaction.onerror = () => done(undefined);
  });
}

const rangeOf = (id) => IDBKeyRange.bound([id], [id, []]);

// Deliveries of this person to this dataset that this browser began and didn't see the end of, newest first.
export async function deliveries(scope) {
  const all = (await within(["deliveries"], "readonly", (kept) => kept.getAll())) ?? [];
  for (const one of all) if (Date.now() - one.at > KEPT_MS) forget(one.id);
  return all.filter((one) => one.scope === scope && Date.now() - one.at <= KEPT_MS).sort((a, b) => b.at - a.at);
}

export const begun = (id, scope) => within(["deliveries"], "readwrite", (kept) => kept.put({ id, scope, at: Date.now() }));

export async function sentOf(id) {
  const keys = (await within(["sent"], "readonly", (sent) => sent.getAllKeys(rangeOf(id)))) ?? [];
  return new Set(keys.map(([, key]) => key));
}

export const forget = (id) =>
  within(["deliveries", "sent"], "readwrite", (kept, sent) => {
    kept.delete(id);
    return sent.delete(rangeOf(id));
  });

const waiting = [];
let timer = 0;

export function wasSent(id, key) {
  waiting.push([id, key]);
  timer ||= setTimeout(flush, FLUSH_MS);
}

export function flush() {
  clearTimeout(timer);
  timer = 0;
  const some = waiting.splice(0);
  if (some.length === 0) return Promise.resolve();
  return within(["sent"], "readwrite", (sent) => some.map((key) => sent.put(1, key)).at(-1));
}

/* Other tabs */

const channel = "BroadcastChannel" in window ? new BroadcastChannel("atlas-import") : null;
const ANSWER_MS = 200;
let mine = null;

channel?.addEventListener("message", ({ data }) => {
  if (data.ask && data.ask === mine) channel.postMessage({ busy: mine });
});

export const holds = (id) => {
  mine = id;
};

// Whether another tab of this browser is sending this delivery now.
export function isBusyElsewhere(id) {
  if (!channel) return Promise.resolve(false);
  return new Promise((done) => {
    const hear = ({ data }) => data.busy === id && finish(true);
    const timer = setTimeout(() => finish(false), ANSWER_MS);
    const finish = (answer) => {
      clearTimeout(timer);
      channel.removeEventListener("message", hear);
      done(answer);
    };
    channel.addEventListener("message", hear);
    channel.postMessage({ ask: id });
  });
}
