// Keeps parts of a page fresh: when the server says that something changed, reads the page again and
// replaces the parts marked data-live="/ws/…" (one or more addresses; each part has an id). Nothing is typed
// in twice: a part that holds the focus, typed words, or ticked boxes (data-live-ask), waits until the reader
// is done with it.

const PAUSE_MS = 400;
const BETWEEN_MS = 2000;
const NEWS = ["case", "worklist", "bulk", "release", "incidental", "studies", "upload", "series", "question", "held", "fanout.gap"];
const RETRY_MS = [1000, 2000, 5000, 15000];

const parts = () => [...document.querySelectorAll("[data-live]")];
let timer = 0;
let last = -BETWEEN_MS;
let tries = 0;

function isBusy(part) {
  const asks = part.hasAttribute("data-live-ask");
  const isTyped = (field) => field.value !== field.defaultValue;
  if ([...part.querySelectorAll("textarea")].some(isTyped)) return true;
  return part.contains(document.activeElement) || (asks && part.querySelector("tbody input:checked") !== null);
}

async function refresh() {
  timer = 0;
  last = performance.now();
  if (!parts().length) return; // the reading room opened in this page
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  } catch {
    return;
  }
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts()) {
    const next = fresh.getElementById(part.id);
    if (!next && part.hasAttribute("data-live-whole")) location.reload(); // the page is laid out anew
    if (!next || next.innerHTML === part.innerHTML) continue;
    if (isBusy(part)) soon(5000);
    else {
      part.replaceWith(document.adoptNode(next));
      document.dispatchEvent(new CustomEvent("atlas:fresh"));
    }
  }
}

// A stream of news doesn't put it off: while images arrive, the page is read again every two seconds or so.
function soon(pause = PAUSE_MS) {
  if (timer) return;
  const since = performance.now() - last;
  timer = setTimeout(refresh, Math.max(pause, BETWEEN_MS - since));
}

function listen(path) {
  const address = new URL(path, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  let opened = 0;
  const beat = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('{"type":"ping"}'), 20000);
  socket.addEventListener("open", () => {
    soon(); // something may have changed since the page was made, while nobody listened
    opened = Date.now();
    tries = 0;
  });
  socket.addEventListener("message", (event) => {
    const { type } = JSON.parse(event.data);
    if (NEWS.includes(type)) soon();
  });
  socket.addEventListener("close", (event) => {
    clearInterval(beat);
    if (event.code >= 4400 || (opened === 0 && tries >= 3)) return; // refused: asking again won't help
    setTimeout(() => listen(path), RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  });
}

document.addEventListener("atlas:look", () => soon());

const paths = parts().flatMap((part) => part.dataset.live.split(" ").filter(Boolean));
for (const path of new Set(paths)) listen(path);

// While work is under way the page looks by itself, too: news may be lost, and the end must not be missed.
setInterval(() => document.querySelector("[data-live] [role=progressbar], [data-live] progress") && soon(), 5000);
