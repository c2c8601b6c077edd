// A held image: boxes are drawn, chosen and removed here, and sent with the decision. Keys do all of it too.

const root = document.getElementById("quarantine");
const stage = document.getElementById("stage");
const sheet = document.getElementById("sheet");
const picture = document.getElementById("picture");
const layer = document.getElementById("boxes");
const form = document.getElementById("decision");
const list = document.getElementById("box-list");
const columns = Number(root.dataset.columns);
const rows = Number(root.dataset.rows);
const frame = Number(root.dataset.frame);
const frames = Number(root.dataset.frames);
const SVG = "http://www.w3.org/2000/svg";
const SIDE_MIN = 3; // image pixels: less is a click
const KEPT = `boxes ${form.action}`; // boxes outlive a step to another frame of the same image

let boxes = JSON.parse(document.getElementById("found-boxes").textContent);
let chosen = -1;
let start = null;
const mayDraw = list !== null;

try {
  const seen = form.elements.seen.value;
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (kept?.seen === seen) boxes = kept.boxes;
} catch {
  // nothing kept
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ seen: form.elements.seen.value, boxes }));
  } catch {
    // a full or closed store: only a step to another frame loses boxes
  }
}

// Drawing what is there ---------------------------------------------------------------------------

function rectangle(box, kind) {
  const rect = document.createElementNS(SVG, "rect");
  const places = { x: box.column, y: box.row, width: box.columns, height: box.rows, class: `box ${kind}` };
  for (const [name, value] of Object.entries(places)) rect.setAttribute(name, value);
  return rect;
}

function isHere(box) {
  return box.frame === 0 || box.frame === frame;
}

function show() {
  layer.replaceChildren();
  boxes.forEach((box, at) => {
    if (!isHere(box)) return;
    const rect = rectangle(box, at === chosen ? "chosen" : "");
    rect.addEventListener("pointerdown", (event) => {
      if (!mayDraw) return;
      event.stopPropagation();
      choose(at);
    });
    layer.append(rectangle(box, "under"), rect);
  });
  form.elements.boxes.value = JSON.stringify(boxes);
  if (!mayDraw) return;
  document.getElementById("boxes-count").textContent = boxes.length;
  list.replaceChildren(...boxes.map(line));
}

function line(box, at) {
  const item = document.createElement("li");
  const which = document.createElement("button");
  which.type = "button";
  which.className = "which";
  which.textContent = `${at + 1}. ${box.columns} × ${box.rows} at ${box.column}, ${box.row}`;
  which.addEventListener("click", () => choose(at));
  item.append(which);
  if (at === chosen) {
    item.className = "chosen";
    which.setAttribute("aria-current", "true");
    if (frames > 1) item.append(button(box.frame === 0 ? "every frame" : `frame ${box.frame}`, everyFrame));
  }
  const remove = button("×", () => removeBox(at));
  remove.setAttribute("aria-label", `Remove box ${at + 1}`);
  item.append(remove);
  return item;
}

function button(words, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn quiet small";
  made.textContent = words;
  made.addEventListener("click", act);
  return made;
}

// Changing it -------------------------------------------------------------------------------------

function changed() {
  keep();
  show();
}

function choose(at) {
  chosen = at;
  show();
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function add(box) {
  boxes.push({ frame: 0, ...box, score: 1 });
  chosen = boxes.length - 1;
  changed();
}

function removeBox(at) {
  if (at < 0 || at >= boxes.length) return;
  boxes.splice(at, 1);
  chosen = Math.min(at, boxes.length - 1);
  changed();
}

function everyFrame() {
  boxes[chosen].frame = boxes[chosen].frame === 0 ? frame : 0;
  changed();
}

function move(byColumn, byRow, isSize) {
  const box = boxes[chosen];
  if (!box) return;
  if (isSize) {
    box.columns = clamp(box.columns + byColumn, SIDE_MIN, columns - box.column);
    box.rows = clamp(box.rows + byRow, SIDE_MIN, rows - box.row);
  } else {
    box.column = clamp(box.column + byColumn, 0, columns - box.columns);
    box.row = clamp(box.row + byRow, 0, rows - box.rows);
  }
  changed();
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function pointOf(event) {
  const matrix = layer.getScreenCTM().inverse();
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
  return { column: clamp(place.x, 0, columns), row: clamp(place.y, 0, rows) };
}

function between(one, other) {
  const column = Math.floor(Math.min(one.column, other.column));
  const row = Math.floor(Math.min(one.row, other.row));
  return {
    column,
    row,
    columns: Math.ceil(Math.max(one.column, other.column)) - column,
    rows: Math.ceil(Math.max(one.row, other.row)) - row,
  };
}

if (mayDraw) {
  sheet.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = pointOf(event);
    sheet.setPointerCapture(event.pointerId);
    event.preventDefault();
    stage.focus({ preventScroll: true });
  });
  sheet.addEventListener("pointermove", (event) => {
    if (!start) return;
    layer.querySelector(".drawn")?.remove();
    layer.append(rectangle(between(start, pointOf(event)), "drawn"));
  });
  sheet.addEventListener("pointerup", (event) => {
    if (!start) return;
    const box = between(start, pointOf(event));
    start = null;
    if (box.columns >= SIDE_MIN && box.rows >= SIDE_MIN) add(box);
    else choose(-1);
  });
  sheet.addEventListener("pointercancel", () => {
    start = null;
    show();
  });
  document.getElementById("add-box").addEventListener("click", addInTheMiddle);
}

function addInTheMiddle() {
  const [wide, high] = [Math.max(SIDE_MIN, Math.round(columns / 4)), Math.max(SIDE_MIN, Math.round(rows / 12))];
  add({
    column: Math.round((columns - wide) / 2),
    row: Math.round((rows - high) / 2),
    columns: Math.min(wide, columns),
    rows: Math.min(high, rows),
  });
  stage.focus({ preventScroll: true });
}

// Looking -----------------------------------------------------------------------------------------

function toggle(id, act) {
  const own = document.getElementById(id);
  const press = () => {
    const on = own.getAttribute("aria-pressed") !== "true";
    own.setAttribute("aria-pressed", on);
    act(on);
  };
  own.addEventListener("click", press);
  return press;
}

const pressEven = toggle("even", (on) => {
  const address = new URL(picture.src);
  if (on) address.searchParams.set("even", "1");
  else address.searchParams.delete("even");
  picture.src = address;
});
const pressWhole = toggle("whole-size", (on) => stage.classList.toggle("whole", on));

picture.addEventListener("error", async () => {
  const words = document.getElementById("no-picture");
  let said = "The picture could not be loaded. Load the page again.";
  try {
    const answer = await fetch(picture.src);
    if (answer.status === 409) said = await answer.text();
  } catch {
    // the sentence stands
  }
  words.textContent = said;
  words.hidden = false;
  sheet.hidden = true;
});

// Keys --------------------------------------------------------------------------------------------

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.target.closest("input:not([type=radio]), textarea, select")) return;
  const arrow = ARROWS[event.key];
  if (arrow && (event.altKey || event.shiftKey)) {
    const step = event.repeat ? 8 : 2;
    move(arrow[0] * step, arrow[1] * step, event.shiftKey);
    event.preventDefault();
    return;
  }
  if (event.altKey || event.target.matches("input[type=radio]")) return;
  const key = event.key.toLowerCase();
  const go = { arrowup: "before", arrowdown: "after", "[": "frame-before", "]": "frame-after" }[key];
  if (go) document.getElementById(go)?.click();
  else if (key === "e") pressEven();
  else if (key === "z") pressWhole();
  else if (mayDraw && (key === "delete" || key === "backspace")) removeBox(chosen);
  else if (mayDraw && key === "a") addInTheMiddle();
  else if (mayDraw && key === "escape") choose(-1);
  else if (!event.repeat) {
    const decision = form.querySelector(`button[data-key="${CSS.escape(key)}"]`);
    if (!decision) return;
    decision.click();
  } else return;
  event.preventDefault();
});

let isSent = false;
form.addEventListener("submit", (event) => {
  if (isSent) event.preventDefault(); // a second press while the first is on its way
  isSent = true;
});
addEventListener("pageshow", () => {
  isSent = false;
});

show();
document.querySelector(".held [aria-current]")?.scrollIntoView({ block: "center" });
if (picture.complete && !picture.naturalWidth) picture.dispatchEvent(new Event("error"));
