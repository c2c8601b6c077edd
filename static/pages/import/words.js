// Numbers and sizes as people read them, and the notice that a page says things with.

export const number = (n) => n.toLocaleString("en");
export const counted = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;
export const megabytes = (bytes) =>
  `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: bytes < 1e8 ? 1 : 0 })} MB`;

// `actions` are links {url, words} or buttons {does, words}.
export function say(place, verdict, sentence, ...actions) {
  place.hidden = false;
  place.className = `notice ${verdict}`;
  place.setAttribute("role", verdict === "bad" ? "alert" : "status");
  const words = document.createElement("span");
  words.className = "grow words";
  words.textContent = sentence;
  place.replaceChildren(words, ...actions.map(action));
}

function action({ url, does, words }) {
  const made = document.createElement(url ? "a" : "button");
  made.textContent = words;
  if (url) {
    made.href = url;
  } else {
    made.type = "button";
    made.className = "btn small";
    made.addEventListener("click", does, { once: true });
  }
  return made;
}
