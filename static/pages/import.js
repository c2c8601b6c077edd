// The page that takes images in: walks what was dropped, sends it, and tells what became of each file. A broken
// line, a reload or a restarted node costs only what was on its way.

import { dropPlace } from "./drop.js";
import { inEntry, inFiles, isOfTheComputer, keyOf } from "./import/found.js";
import { drawActive, refuse } from "./import/lists.js";
import * as memory from "./import/memory.js";
import { Uploads } from "./import/node.js";
import { Sending } from "./import/sending.js";
import { counted, megabytes, number, say } from "./import/words.js";

const FOLLOW_MS = 3000;
const SURE_MS = 4000;

const page = document.getElementById("import");
const scope = `${page.dataset.dataset} ${page.dataset.user}`;
const element = (id) => document.getElementById(id);
const tell = (verdict, sentence, ...actions) => say(element("verdict"), verdict, sentence, ...actions);

const uploads = new Uploads(page.dataset.uploads, page.dataset.csrf);
const delivery = { id: null, sent: new Set(), another };
const sending = new Sending(uploads, delivery, {
  shown: show,
  refused: refuse,
  sent: (item) => {
    delivery.sent.add(item.key);
    memory.wasSent(delivery.id, item.key);
    show();
  },
  stalled: (sentence) =>
    tell("warn", `${sentence} What arrived is safe, the rest waits here. It goes on by itself when the node answers.`),
  resumed: () => (element("verdict").hidden = true),
  stopped: (sentence) => {
    tell("bad", `${sentence} What arrived is safe. Open this page again in another tab, sign in there, then go on here.`);
    showPaused();
  },
  drained: () => {
    if (walking === 0) finish();
  },
});

let walking = 0;
let leftOut = 0;
let phase = "waiting"; // waiting, sending, finishing, over

/* What was dropped or chosen */

async function take(found) {
  if (phase === "finishing" || phase === "over") return;
  phase = "sending";
  walking += 1;
  element("sending").hidden = false;
  element("drop").classList.add("small");
  show();
  try {
    for await (const { file, path } of found) {
      if (isOfTheComputer(path)) leftOut += 1;
      else sending.add({ file, path, key: keyOf(path, file) });
    }
  } catch (error) {
    tell("bad", `The folder could not be read to its end: ${error.message} Choose it again.`);
  } finally {
    walking -= 1;
  }
  if (walking > 0) return;
  if (sending.found.files === 0) {
    phase = "waiting";
    element("sending").hidden = true;
    tell("warn", leftOut > 0 ? "There were only files of the computer's own in it." : "There was no file in it.");
    return;
  }
  try {
    await begin();
  } catch (error) {
    sending.pause();
    showPaused();
    tell("bad", `The delivery could not begin: ${error.message}`);
    return;
  }
  sending.start();
}

async function* inEntries(entries) {
  for (const entry of entries) yield* inEntry(entry);
}

/* The delivery on the node */

let beginning = null;

function begin() {
  beginning ??= beginOnce().catch((error) => {
    beginning = null;
    throw error;
  });
  return beginning; // two folders dropped in a row go into one delivery
}

async function beginOnce() {
  const kept = await unfinished();
  if (kept) {
    delivery.sent = await memory.sentOf(kept.id);
    hold(kept.id);
    for (const finding of kept.state.findings) refuse(finding.file_name, finding.reason);
  } else {
    hold((await uploads.begin()).id);
  }
  element("verdict").hidden = true;
}

function hold(id) {
  delivery.id = id;
  memory.holds(id);
  memory.begun(id, scope);
  follow();
}

// A delivery of this person that stopped midway and that no other tab is busy with.
async function unfinished() {
  for (const one of await memory.deliveries(scope)) {
    if (await memory.isBusyElsewhere(one.id)) continue;
    const state = await uploads.state(one.id).catch(() => null);
    if (state?.state === "receiving") return { ...one, state };
    if (state) memory.forget(one.id);
  }
  return null;
}

// The delivery takes no more files: ended in another tab. What it took stays; the rest goes into a new one.
let making = null;

async function another(old) {
  if (delivery.id !== old) return true;
  making ??= anotherOnce(old).finally(() => (making = null));
  return making;
}

async function anotherOnce(old) {
  const state = await uploads.state(old);
  if (state.state === "failed") {
    sending.pause();
    showPaused();
    tell("bad", `${state.findings.at(-1)?.reason ?? "The node stopped this delivery."} What is stored stays.`);
    return false;
  }
  memory.forget(old);
  hold((await uploads.begin()).id);
  return true;
}

async function finish() {
  if (phase !== "sending") return;
  phase = "finishing";
  try {
    await memory.flush();
    await uploads.done(delivery.id);
  } catch (error) {
    phase = "sending";
    sending.isPaused = true;
    showPaused();
    tell("bad", `All files are here, but the node could not be told: ${error.message} Go on to tell it again.`);
    return;
  }
  ended("Sent");
}

async function cancel() {
  sending.cancel();
  await memory.flush();
  try {
    if (delivery.id) await uploads.cancel(delivery.id);
  } catch (error) {
    tell("bad", `The node could not be told: ${error.message} What is here stays.`);
  }
  ended("Cancelled");
}

function ended(title) {
  phase = "over";
  memory.holds(null);
  if (delivery.id) memory.forget(delivery.id);
  for (const id of ["drop", "pause", "cancel", "active"]) element(id).hidden = true;
  element("sending-title").textContent = title;
  refresh();
}

/* What the node and its worker make of it */

let state = null;
let isFollowing = false;

function follow() {
  if (isFollowing) return;
  isFollowing = true;
  listen();
  setInterval(refresh, FOLLOW_MS);
}

let asked = 0;
let isAsking = false;

async function refresh() {
  if (!delivery.id || isSettled()) return;
  asked += 1;
  if (isAsking) return;
  isAsking = true;
  while (asked > 0) {
    asked = 0;
    state = (await uploads.state(delivery.id).catch(() => null)) ?? state;
    if (state) showState();
    await new Promise((done) => setTimeout(done, 500)); // news come faster than anyone reads
  }
  isAsking = false;
}

const isSettled = () => phase === "over" && ["done", "failed"].includes(state?.state) && state.series_arriving === 0;

function listen() {
  const address = new URL(page.dataset.live, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.addEventListener("message", refresh);
  socket.addEventListener("close", () => !isSettled() && setTimeout(listen, FOLLOW_MS));
}

function showState() {
  element("taken-words").textContent =
    `${number(state.stored)} new, ${number(state.known)} known, ${number(state.refused)} refused`;
  if (phase !== "over") return;
  for (const finding of state.findings) refuse(finding.file_name, finding.reason); // of archives, read by the worker
  const link = { url: page.dataset.deliveries.replace("ID", delivery.id), words: "To the delivery" };
  if (state.state === "failed") {
    tell("bad", `The delivery was stopped by an error. ${state.findings.at(-1)?.reason ?? ""}`, link);
    return;
  }
  if (state.state !== "done") {
    tell("", `All is here. The worker reads large files: ${counted(state.files_read, "file", "files")} read so far.`, link);
    return;
  }
  const taken = `${counted(state.stored, "image is", "images are")} new, ${number(state.known)} ${state.known === 1 ? "was" : "were"} here before.`;
  const left = state.series_arriving;
  const described = left
    ? ` The worker describes ${counted(left, "series", "series")} now.`
    : state.stored > 0
      ? " All series are described and open for reading."
      : "";
  const refused = state.refused ? ` ${counted(state.refused, "file was", "files were")} refused.` : "";
  tell(state.refused || state.stored + state.known === 0 ? "warn" : "good", taken + refused + described, link);
}

/* What the page shows */

let isDrawing = false;

function show() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    const { found, done, under } = sending;
    const away = [...under.values()].reduce((sum, bytes) => sum + bytes, 0);
    const bar = element("sending-bar");
    bar.max = Math.max(found.bytes, 1);
    bar.value = done.bytes + away;
    const words = `${number(done.files)} of ${counted(found.files, "file", "files")}, ${megabytes(done.bytes + away)} of ${megabytes(found.bytes)}`;
    const without = leftOut ? `, ${counted(leftOut, "file", "files")} of the computer's own left out` : "";
    const waits = sending.isPaused ? ", paused" : sending.isStalled ? ", waiting for the node" : "";
    element("sending-words").textContent = words + without + waits;
    drawActive(under, (item) => sending.leaveOut(item));
  });
}

function showPaused() {
  element("pause").textContent = sending.isPaused ? "Go on" : "Pause";
  show();
}

/* What the hands do */

dropPlace(element("drop"), (dropped) => {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  take(entries.length > 0 ? inEntries(entries) : inFiles([...dropped.files]));
});
for (const id of ["folder", "files"]) {
  element(id).addEventListener("change", (event) => {
    const chosen = [...event.target.files];
    event.target.value = ""; // so that the same folder can be chosen again
    take(inFiles(chosen));
  });
}
element("pause").addEventListener("click", async () => {
  if (!sending.isPaused) {
    sending.pause();
    showPaused();
    return;
  }
  element("verdict").hidden = true;
  try {
    await begin();
  } catch (error) {
    tell("bad", `The delivery could not begin: ${error.message}`);
    return;
  }
  sending.goOn();
  showPaused();
});
element("cancel").addEventListener("click", ({ target }) => {
  if (target.dataset.sure) {
    target.disabled = true;
    cancel();
    return;
  }
  target.dataset.sure = "yes";
  target.textContent = "Cancel, really";
  setTimeout(() => {
    delete target.dataset.sure;
    target.textContent = "Cancel";
  }, SURE_MS);
});
addEventListener("beforeunload", (event) => {
  if (phase !== "sending" && phase !== "finishing") return;
  memory.flush();
  event.preventDefault();
});

unfinished().then((kept) => {
  if (!kept || phase !== "waiting") return;
  const began = new Date(kept.state.started_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const here = counted(kept.state.files_read, "file is", "files are");
  tell(
    "warn",
    `Your delivery of ${began} stopped midway: ${here} here. Drop the same folder or files again, and only what is missing is sent.`,
    {
      words: "That was all",
      does: () => {
        delivery.id = kept.id;
        element("sending").hidden = false;
        phase = "sending";
        follow();
        finish();
      },
    },
  );
});
