/** Five short steps around the room for someone who opens it for the first time; Esc ends it for good. */
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { commandKeys, keyText } from "../commands";
import { preferences } from "../preferences";
import { closeDialog, dialog, openDialog } from "../store/dialog";
import { room } from "../store/room";
import { t } from "../words";
import { Dialog } from "./Dialog";

const SEEN = "atlas.tour";
const GAP = 12;
const NEAR = 8;

interface Step {
  target: string;
  title: string;
  text: string;
}

const keys = (...ids: string[]): string => ids.map((id) => keyText(commandKeys(id)[0] ?? "")).join(" ");

const steps = (): Step[] => [
  {
    target: ".panes",
    title: t("The image"),
    text: t(
      "The wheel or {keys} scrolls. The left button works the tool: first the window, across for width and down for level. Middle button pans, right button zooms.",
      { keys: keys("move.slice-before", "move.slice-after") },
    ),
  },
  {
    target: ".tools",
    title: t("Tools"),
    text: t(
      "Each has a letter: {length} measures, {brush} paints, {window} is the window again. A tool that is off says why.",
      {
        length: keys("tool.length"),
        brush: keys("tool.brush"),
        window: keys("tool.window"),
      },
    ),
  },
  {
    target: ".rail",
    title: t("Studies"),
    text: t(
      "Everything of this subject, the newest first. Click a series, or drag it onto an image to compare.",
    ),
  },
  {
    target: ".findings",
    title: t("Findings"),
    text: t(
      "What you mark stands here and is saved while you draw. {undo} takes it back, also tomorrow. Submit when all is answered.",
      {
        undo: keys("change.undo"),
      },
    ),
  },
  {
    target: ".bar",
    title: t("All the rest"),
    text: t("{palette} finds every command, {sheet} shows every key. Both are yours to change.", {
      palette: keys("room.palette"),
      sheet: keys("room.keys"),
    }),
  },
];

function remembered(): boolean {
  try {
    return localStorage.getItem(SEEN) !== null;
  } catch {
    return false;
  }
}

/** Never again: kept with the account, and in this browser, should the server be away just now. */
function remember(): void {
  preferences.set("tour", 1);
  try {
    localStorage.setItem(SEEN, "seen");
  } catch {
    // A browser that keeps nothing asks the account.
  }
}

/** Shows the tour to a reader whose first image has come; once. Returns what stops waiting for it. */
export function offerTour(): () => void {
  if (preferences.get("tour", 0) || remembered()) return () => {};
  const stop = room.subscribe((state) => {
    const mine = state.read?.you.capacity === "reader" && state.editing === "here";
    if (!mine || !state.panes.some((pane) => pane.shown !== null)) return;
    stop();
    if (dialog.getState().open === null) openDialog("tour");
  });
  return stop;
}

export const Tour = () => (
  <Dialog name="tour" title={t("Show me around")} className="tour" bare>
    <Steps />
  </Dialog>
);

function Steps() {
  const [at, setAt] = useState(0);
  const [box, setBox] = useState<DOMRect | null>(null);
  const card = useRef<HTMLDivElement>(null);
  const next = useRef<HTMLButtonElement>(null);
  const all = steps();
  const step = all[at];
  useEffect(() => remember, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each step begins with its button in focus
  useEffect(() => next.current?.focus(), [at]);
  useLayoutEffect(() => {
    const look = () => setBox(document.querySelector(step.target)?.getBoundingClientRect() ?? null);
    look();
    window.addEventListener("resize", look);
    return () => window.removeEventListener("resize", look);
  }, [step.target]);
  useLayoutEffect(() => {
    const shown = card.current?.closest("dialog");
    if (!shown || !box) return;
    const { width, height } = shown.getBoundingClientRect();
    const [left, top] = beside(box, width, height, window.innerWidth, window.innerHeight);
    shown.style.left = `${left}px`;
    shown.style.top = `${top}px`;
  }, [box]);
  const last = at === all.length - 1;
  return (
    <div ref={card} className="tourcard">
      {box && (
        <div
          className="tourring"
          aria-hidden="true"
          style={{ left: box.left, top: box.top, width: box.width, height: box.height }}
        />
      )}
      <p className="faint small">{t("{n} of {count}", { n: at + 1, count: all.length })}</p>
      <div aria-live="polite">
        <h2>{step.title}</h2>
        <p>{step.text}</p>
      </div>
      <div className="row">
        <button type="button" className="btn s28 quiet" onClick={closeDialog} data-testid="tour-end">
          {t("Enough")} <kbd>Esc</kbd>
        </button>
        {at > 0 && (
          <button type="button" className="btn s28 end" onClick={() => setAt(at - 1)}>
            {t("Back")}
          </button>
        )}
        <button
          ref={next}
          type="button"
          data-first
          className={at > 0 ? "btn s28 primary" : "btn s28 primary end"}
          data-testid="tour-next"
          onClick={() => (last ? closeDialog() : setAt(at + 1))}
        >
          {last ? t("Begin") : t("Next")}
        </button>
      </div>
    </div>
  );
}

/** Where a card stands beside what it tells of, wholly on the screen: right, left, below, else inside. CSS pixels. */
export function beside(
  box: { left: number; top: number; right: number; bottom: number },
  width: number,
  height: number,
  screenWidth: number,
  screenHeight: number,
): [number, number] {
  const x = Math.max(NEAR, Math.min(box.left + GAP, screenWidth - width - NEAR));
  const y = Math.max(NEAR, Math.min(box.top + GAP, screenHeight - height - NEAR));
  const isFlat = box.right - box.left > screenWidth / 2;
  if (!isFlat && box.right + GAP + width < screenWidth) return [box.right + GAP, y];
  if (!isFlat && box.left - GAP - width > 0) return [box.left - GAP - width, y];
  if (box.bottom + GAP + height < screenHeight) return [x, box.bottom + GAP];
  return [(box.left + box.right - width) / 2, (box.top + box.bottom - height) / 2];
}
