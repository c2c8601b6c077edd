// The two lists of the page: files on their way, each with its progress, and files that were refused, with why.

import { LARGE_BYTES } from "./sending.js";
import { number } from "./words.js";

const ROWS_SHOWN = 500;

const refused = new Set();

// Twice changes nothing: the node names what it refused, too.
export function refuse(name, reason) {
  const element = (id) => document.getElementById(id);
  const key = `${name}\n${reason}`;
  if (refused.has(key)) return;
  refused.add(key);
  element("refused").hidden = false;
  element("refused-words").textContent =
    refused.size > ROWS_SHOWN ? `${number(refused.size)}, the first ${ROWS_SHOWN} here` : number(refused.size);
  if (refused.size > ROWS_SHOWN) return;
  const row = element("refused-rows").insertRow();
  for (const [words, names] of [
    [name, "mono wrap tall"],
    [reason, "tall"],
  ]) {
    const cell = row.insertCell();
    cell.className = names;
    cell.textContent = words;
  }
}

const lines = new Map(); // item -> its line, kept so that a button under the pointer stays

export function drawActive(under, leaveOut) {
  for (const [item, row] of lines) {
    if (under.has(item)) continue;
    row.remove();
    lines.delete(item);
  }
  for (const [item, bytes] of under) {
    if (!lines.has(item)) {
      lines.set(item, line(item, leaveOut));
      document.getElementById("active").append(lines.get(item));
    }
    const [, bar, share] = lines.get(item).children;
    bar.value = bytes;
    share.textContent = bytes >= item.file.size ? "reading" : `${Math.floor((100 * bytes) / item.file.size)} %`;
  }
}

function line(item, leaveOut) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.textContent = item.path;
  name.title = item.path;
  const bar = document.createElement("progress");
  bar.className = "progress";
  bar.max = Math.max(item.file.size, 1);
  bar.setAttribute("aria-label", item.path);
  row.append(name, bar, document.createElement("span"));
  if (item.file.size > LARGE_BYTES) {
    const leave = document.createElement("button");
    leave.type = "button";
    leave.className = "btn quiet small";
    leave.textContent = "Leave out";
    leave.setAttribute("aria-label", `Leave ${item.path} out`);
    leave.addEventListener("click", () => leaveOut(item), { once: true });
    row.append(leave);
  }
  return row;
}
