// The page that takes images in: walks what was dropped, sends it file by file, and tells what became of each.
// What was sent is remembered in the browser, so the same folder goes on where it stopped.

const SENDERS = 4;
const TRIES = 6;
const KEPT_HOURS = 24;
const ROWS_SHOWN = 500;

const page = document.getElementById("import");
const uploads = page.dataset.uploads;
const memory = `atlas-import-${page.dataset.dataset}`;
const element = (id) => document.getElementById(id);
const counted = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: bytes < 1e8 ? 1 : 0 })} MB`;

const queue = [];
const found = { files: 0, bytes: 0 };
const sent = { files: 0, bytes: 0 };
const under = new Map(); // file on its way -> bytes that left
let upload = null;
let leftOut = 0;
let senders = 0;
let walking = 0;
let isPaused = false;
let isOver = false;

/* What was dropped or chosen */

function add(file, path) {
  if (/(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)$/.test(path)) {
    leftOut += 1; // the computer's own files
    return;
  }
  queue.push({ file, path });
  found.files += 1;
  found.bytes += file.size;
}

async function walk(entry, path) {
  if (entry.isFile) {
    const file = await new Promise((done, fail) => entry.file(done, fail));
    add(file, path + entry.name);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail)); // 100 at a time
    if (some.length === 0) return;
    for (const one of some) await walk(one, `${path}${entry.name}/`);
  }
}

async function take(entries, files) {
  if (isOver) return;
  walking += 1;
  element("sending").hidden = false;
  show();
  try {
    for (const entry of entries) await walk(entry, "");
    for (const file of files) add(file, file.webkitRelativePath || file.name);
  } catch (error) {
    say("bad", `The folder could not be read to its end: ${error.message} Choose it again.`);
  } finally {
    walking -= 1;
  }
  try {
    if (queue.length > 0) await begin();
  } catch (error) {
    beginning = null;
    pause(`The delivery could not begin: ${error.message}`);
    return;
  }
  send();
}

/* The delivery on the server */

async function ask(address, options = {}) {
  const answer = await fetch(address, {
    ...options,
    headers: { "X-CSRFToken": page.dataset.csrf, "Content-Type": "application/json", ...options.headers },
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.reason || `the node answered ${answer.status}`);
  return told;
}

let beginning = null;

function begin() {
  beginning ??= beginOnce(); // two folders dropped in a row go into one delivery
  return beginning;
}

async function beginOnce() {
  const kept = JSON.parse(localStorage.getItem(memory) || "null");
  if (kept && Date.now() - kept.at < KEPT_HOURS * 3_600_000) {
    const state = await ask(`${uploads}${kept.id}/`).catch(() => null);
    if (state?.state === "receiving") {
      upload = { id: kept.id, names: new Set(kept.names) };
      follow();
      return;
    }
  }
  const made = await ask(uploads, { method: "POST", body: "{}" });
  upload = { id: made.id, names: new Set() };
  remember();
  follow();
}

const nameOf = (item) => `${item.path} ${item.file.size}`;

function remember() {
  const kept = { id: upload.id, at: Date.now(), names: [...upload.names] };
  try {
    localStorage.setItem(memory, JSON.stringify(kept));
  } catch {
    localStorage.removeItem(memory); // full: it then starts anew, and the node knows its files again
  }
}

/* Sending */

function send() {
  while (senders < SENDERS && queue.length > 0 && !isPaused && upload) {
    senders += 1;
    sender().finally(() => {
      senders -= 1;
      show();
      send();
    });
  }
  if (senders > 0 || queue.length > 0 || walking > 0 || isPaused || isOver) return;
  if (found.files > 0) finish();
  else {
    element("sending").hidden = true;
    say("warn", "There was no file in it.");
  }
}

async function sender() {
  while (queue.length > 0 && !isPaused) {
    const item = queue.shift();
    if (!upload.names.has(nameOf(item)) && !(await deliver(item))) {
      queue.unshift(item);
      return;
    }
    sent.files += 1;
    sent.bytes += item.file.size;
    show();
  }
}

// Whether the node has dealt with the file. After too many tries everything pauses: nothing is given up.
async function deliver(item) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const outcome of await post(item)) {
        if (outcome.reason) refuse(outcome.name, outcome.reason);
      }
      upload.names.add(nameOf(item));
      if (upload.names.size % 20 === 0) remember();
      return true;
    } catch (error) {
      under.delete(item);
      if (error.isOfTheFile) {
        refuse(item.path, error.message);
        return true;
      }
      if (error.isFinal || attempt === TRIES) {
        pause(`${error.message} What arrived is safe; the rest waits here. Go on when the cause is gone.`);
        return false;
      }
      await new Promise((done) => setTimeout(done, 500 * 2 ** attempt));
      if (isPaused) return false;
    }
  }
}

function post(item) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of what has left
    request.open("POST", `${uploads}${upload.id}/files/?name=${encodeURIComponent(item.path)}`);
    request.setRequestHeader("X-CSRFToken", page.dataset.csrf);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => {
      under.set(item, event.loaded);
      show();
    };
    request.onload = () => {
      under.delete(item);
      let told = {};
      try {
        told = JSON.parse(request.responseText);
      } catch {
        // not JSON: a proxy's page; the number has to do
      }
      if (request.status < 300) return done(told);
      const error = new Error(told.reason || `The node answered ${request.status}.`);
      error.isOfTheFile = [400, 413, 415].includes(request.status);
      error.isFinal = [401, 403, 404, 409].includes(request.status);
      return fail(error);
    };
    request.onerror = () => fail(new Error("The node can't be reached."));
    under.set(item, 0);
    request.send(item.file);
  });
}

function pause(reason) {
  isPaused = true;
  element("pause").textContent = "Go on";
  if (reason) say("bad", reason);
  show();
}

async function goOn() {
  if (!upload) await begin();
  isPaused = false;
  element("pause").textContent = "Pause";
  element("verdict").hidden = true;
  show();
  send();
}

async function finish() {
  isOver = true;
  remember();
  try {
    const state = await ask(`${uploads}${upload.id}/done/`, { method: "POST", body: "{}" });
    localStorage.removeItem(memory);
    element("drop").hidden = true;
    element("pause").hidden = true;
    element("active").hidden = true;
    element("sending-title").textContent = "Sent";
    conclude(state);
  } catch (error) {
    isOver = false;
    pause(`All files are here, but the node could not be told: ${error.message}. Go on to tell it again.`);
  }
}

function conclude(state) {
  showTaken(state);
  const link = { url: page.dataset.deliveries.replace("ID", upload.id), words: "To the delivery" };
  const taken = `${counted(state.stored, "image is", "images are")} new, ${state.known.toLocaleString("en")} ${state.known === 1 ? "was" : "were"} here before.`;
  if (state.refused > 0) say("warn", `${taken} ${counted(state.refused, "file was", "files were")} refused.`, link);
  else say("good", taken, link);
}

// What the node counts, also of a ZIP that it is still reading and of an earlier visit.
async function follow() {
  while (!isOver) {
    await new Promise((done) => setTimeout(done, 2000));
    const state = upload && !isOver ? await ask(`${uploads}${upload.id}/`).catch(() => null) : null;
    if (state && !isOver) showTaken(state);
  }
}

function showTaken(state) {
  element("taken-words").textContent =
    `${state.stored.toLocaleString("en")} new, ${state.known.toLocaleString("en")} known, ${state.refused.toLocaleString("en")} refused`;
}

/* What the page shows */

let refusedRows = 0;

function refuse(name, reason) {
  element("refused").hidden = false;
  refusedRows += 1;
  element("refused-words").textContent = refusedRows > ROWS_SHOWN ? `${refusedRows}, the first ${ROWS_SHOWN} here` : refusedRows;
  if (refusedRows > ROWS_SHOWN) return;
  const row = element("refused-rows").insertRow();
  const first = row.insertCell();
  first.className = "mono wrap tall";
  first.textContent = name;
  const second = row.insertCell();
  second.className = "tall";
  second.textContent = reason;
}

let isDrawing = false;

function show() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    const away = [...under.values()].reduce((sum, bytes) => sum + bytes, 0);
    const bar = element("sending-bar");
    bar.max = Math.max(found.bytes, 1);
    bar.value = sent.bytes + away;
    const words = `${sent.files.toLocaleString("en")} of ${counted(found.files, "file", "files")}, ${megabytes(sent.bytes + away)} of ${megabytes(found.bytes)}`;
    const without = leftOut ? `, ${counted(leftOut, "file", "files")} of the computer's own left out` : "";
    element("sending-words").textContent = words + without + (isPaused ? ", paused" : "");
    element("active").replaceChildren(...[...under].map(([item, bytes]) => line(item, bytes)));
  });
}

function line(item, bytes) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.textContent = item.path;
  const bar = document.createElement("progress");
  bar.className = "progress";
  bar.max = Math.max(item.file.size, 1);
  bar.value = bytes;
  bar.setAttribute("aria-label", item.path);
  const share = document.createElement("span");
  share.textContent = bytes >= item.file.size ? "reading" : `${Math.round((100 * bytes) / item.file.size)} %`;
  row.append(name, bar, share);
  return row;
}

function say(verdict, sentence, link) {
  const place = element("verdict");
  place.hidden = false;
  place.className = `notice ${verdict}`;
  place.setAttribute("role", verdict === "bad" ? "alert" : "status");
  const words = document.createElement("span");
  words.className = "grow";
  words.textContent = sentence;
  place.replaceChildren(words);
  if (link) {
    const away = document.createElement("a");
    away.href = link.url;
    away.textContent = link.words;
    place.append(away);
  }
}

/* What the hands do */

const drop = element("drop");
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  take(entries, entries.length > 0 ? [] : [...event.dataTransfer.files]);
});
for (const id of ["folder", "files"]) {
  element(id).addEventListener("change", (event) => {
    const chosen = [...event.target.files];
    event.target.value = ""; // so that the same folder can be chosen again
    take([], chosen);
  });
}
element("pause").addEventListener("click", () => {
  if (isPaused) goOn();
  else pause();
});
addEventListener("beforeunload", (event) => {
  if (upload && !isOver) {
    remember();
    event.preventDefault();
  }
});
