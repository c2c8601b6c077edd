// What a cohort finds: counts, the sentence, cases with a small picture, and what is to be known about them.

import { element, list, number, words } from "./words.js";

const SEXES = { F: "F", M: "M", O: "O" };
const at = (id) => document.getElementById(id);

export function showCounts(told) {
  for (const place of document.querySelectorAll("[data-count]")) {
    place.textContent = number(told.counts[place.dataset.count]);
  }
  at("of-all").textContent = words.ofAll(number(told.cases_in_project));
  at("words").textContent = told.words;
  notice("waiting", told.facts_waiting && words.waiting(told.facts_waiting));
  notice("being-read", told.being_read && words.beingRead(told.being_read));
}

/** Where nothing was asked, or it wasn't understood: no numbers of an earlier question. */
export function showNothing() {
  showBusy(false);
  for (const place of document.querySelectorAll("[data-count]")) place.textContent = "–";
  for (const id of ["of-all", "words", "cases-note"]) at(id).textContent = "";
  for (const id of ["waiting", "being-read", "none", "more"]) at(id).hidden = true;
  at("cases").replaceChildren();
}

function notice(id, said) {
  at(id).hidden = !said;
  if (said) at(id).querySelector(".grow").textContent = said;
}

export function showBusy(isBusy) {
  at("counts").setAttribute("aria-busy", String(isBusy));
  at("cases").setAttribute("aria-busy", String(isBusy));
  at("asking").textContent = isBusy ? words.seeking : "";
}

/** `more`: these come after those that are shown. */
export function showCases(told, more) {
  const made = told.results.map(card);
  if (more) at("cases").append(...made);
  else at("cases").replaceChildren(...made);
  const shown = at("cases").children.length;
  at("cases-note").textContent = told.count ? words.shown(number(shown), number(told.count)) : "";
  at("more").hidden = shown >= told.count;
  at("none").hidden = told.count > 0;
  at("none").replaceChildren(
    element("div", { class: "empty" }, element("b", {}, words.none), element("span", { class: "sub" }, words.noneHint)),
  );
}

function card(one) {
  const picture = one.picture
    ? element("img", { src: one.picture, alt: "", width: "116", height: "116", loading: "lazy" })
    : words.images;
  const who = [SEXES[one.sex] ?? "", one.age ?? ""].filter((part) => part !== "").join(" ");
  const facts = [who, one.modalities.length ? list(one.modalities) : ""].filter(Boolean).join(" · ");
  return element(
    "li",
    {},
    element(
      "a",
      { href: one.url, title: one.title || false },
      element("span", { class: "picture" }, picture),
      element("b", {}, words.case.replace("{number}", number(one.number))),
      element("small", {}, facts),
      element("small", {}, words.points(one.time_points)),
    ),
  );
}
