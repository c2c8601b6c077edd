/** How a case hangs: another protocol, the same anew, the project's own. */
import { type Command, register } from "../commands";
import { choose, chosenOf, hang, hungBy, nameOf, ownChoice } from "../hanging";
import { room } from "../store/room";
import { t } from "../words";

const CHOICES_LISTED = 12;

const choices = () => room.getState().read?.hanging?.choices ?? [];

const whyNone = (): string | null =>
  choices().length ? null : t("This case has no image that could be hung.");

const one = (i: number): Command => ({
  id: `hang.${i + 1}`,
  get title() {
    const hung = choices()[i];
    return t("Hang the case: {name}", { name: hung ? nameOf(hung) : "" });
  },
  group: "See",
  keys: [],
  hidden: () => choices().length <= i || choices().length < 2,
  off: () => (choices()[i]?.id === hungBy.getState().id ? t("It hangs like this.") : null),
  run: () => choose(choices()[i].id),
});

function next(): void {
  const all = choices();
  const at = all.findIndex(({ id }) => id === hungBy.getState().id);
  choose(all[(at + 1) % all.length].id);
}

register(
  {
    id: "hang.next",
    title: t("Hang the case in the next way"),
    group: "See",
    keys: ["Shift+h"],
    run: next,
    off: () => whyNone() ?? (choices().length > 1 ? null : t("There is no other way for this case.")),
  },
  {
    id: "hang.anew",
    title: t("Hang the case anew"),
    group: "See",
    keys: [],
    off: whyNone,
    run: () => {
      const { read } = room.getState();
      const now = choices().find(({ id }) => id === hungBy.getState().id);
      const hung = now ?? (read && chosenOf(read));
      if (hung) void hang(hung);
    },
  },
  {
    id: "hang.reset",
    title: t("Hang cases as the project does"),
    group: "See",
    keys: [],
    off: () => {
      const { read } = room.getState();
      return read && ownChoice(read) !== null ? null : t("They hang as the project says.");
    },
    run: () => choose(null),
  },
  ...Array.from({ length: CHOICES_LISTED }, (_, i) => one(i)),
);
