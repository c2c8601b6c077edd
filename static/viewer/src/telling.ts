/** Telling the data managers of something outside the question: opening, pointing, sending. */
import type { Pinned } from "./api/review";
import { client, reread } from "./session";
import { closeDialog, openDialog } from "./store/dialog";
import { incidental } from "./store/incidental";
import { activeManifest, type Pin, room, type ToolName } from "./store/room";
import { t } from "./words";

let toolBefore: ToolName = "window";

/** The dialog goes away; the next click on an image is the place, and brings it back. */
export function pointToIt(): void {
  closeDialog();
  toolBefore = room.getState().tool;
  room.setState({ tool: "comment", pin: null });
  incidental.setState({ pointing: true });
  const sentence = t("Click on the image where it is; Esc leaves it");
  room.setState({ notice: { sentence, act: null, does: null } });
  const stop = room.subscribe((state) => {
    if (!incidental.getState().pointing) stop();
    else if (state.pin || state.tool !== "comment") {
      stop();
      settle(state.pin);
    }
  });
}

/** Back to the dialog, with the place or, where another tool was taken up, without. */
function settle(pin: Pin | null): void {
  incidental.setState((before) => ({ pointing: false, pin: pin ?? before.pin }));
  room.setState({ pin: null, notice: null, tool: toolBefore === "comment" ? "window" : toolBefore });
  openDialog("incidental");
}

/** The place that is told of: what was pointed to, else the slice in the active image; null without an image. */
export function placeTold(): Pinned | null {
  const { pin } = incidental.getState();
  if (pin) return pin;
  const state = room.getState();
  const manifest = activeManifest(state);
  if (!manifest) return null;
  const pane = state.panes[state.active];
  const index = pane.shown ?? pane.wanted;
  return {
    series: manifest.series.id,
    sop: manifest.frames.sop[index],
    frame: manifest.frames.frame[index],
    point_patient_mm: null,
    point_image: null,
  };
}

export const studyOf = (series: string | null): string | null =>
  room.getState().read?.studies.find((study) => study.series.some((one) => one.id === series))?.id ?? null;

/** Sends it. Raises what the server refused. */
export async function tell(): Promise<void> {
  const { text, urgent } = incidental.getState();
  const place = placeTold();
  const study = studyOf(place?.series ?? null) ?? room.getState().read?.studies[0]?.id;
  if (!study) return;
  const nowhere: Pinned = { series: null, sop: null, frame: null, point_patient_mm: null, point_image: null };
  await client.incidental({ study, text: text.trim(), urgent, ...(place ?? nowhere) });
  incidental.setState(incidental.getInitialState(), true);
  await reread();
}
