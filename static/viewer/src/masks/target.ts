/** Which segment a mask tool works on, and which voxels it may change. */
import type { AnnotationValue, Point2 } from "../api/types";
import { valueAt } from "../engine/decode";
import { uuid } from "../journal/ids";
import { labelFor, segmentValue } from "../marking";
import type { Place } from "../place";
import { frames } from "../session";
import { unitsOf } from "../spoilt";
import { type Mark, marks, maskOf, sliceKey } from "../store/marks";
import { rangeFor, room } from "../store/room";
import { markAt } from "../tools/picking";
import { t } from "../words";
import type { Block } from "./block";

export interface Target {
  id: string;
  /** The value of a segment that is only now made; null where it exists. */
  create: AnnotationValue | null;
  mark: Mark | undefined;
  color: string;
}

export const say = (sentence: string): void => room.setState({ notice: { sentence, act: null, does: null } });

export const colorOf = (label: string): string =>
  room.getState().read?.schema.labels.find((one) => one.key === label)?.color ?? "#ffffff";

/** The chosen finding, where it is a segment of this series. */
export function chosenOn(series: string): Mark | undefined {
  const { selected } = room.getState();
  const mark = selected ? marks.getState().marks.get(selected) : undefined;
  return mark?.value.kind === "segment" && mark.value.series === series ? mark : undefined;
}

/** A new segment with the label that new masks get; null, and said so, where no label takes one. */
export function newTarget(series: string): Target | null {
  const label = labelFor("segment");
  if (!label) {
    say(t("No label of this project takes a mask."));
    return null;
  }
  return { id: uuid(), create: segmentValue(series, label), mark: undefined, color: colorOf(label) };
}

const asTarget = (mark: Mark): Target | null => {
  if (mark.value.locked) {
    say(t("This finding is locked: unlock it to change its mask."));
    return null;
  }
  return { id: mark.id, create: null, mark, color: colorOf(mark.value.label) };
};

/**
 * The chosen segment; without one the newest of the label that new masks get, else a new one.
 * To take voxels away, the one under the hand.
 */
export function targetAt(which: number, start: Point2, place: Place, takesAway: boolean): Target | null {
  const series = place.manifest.series.id;
  const chosen = chosenOn(series);
  if (chosen) return asTarget(chosen);
  const all = marks.getState().marks;
  if (takesAway) {
    const under = all.get(markAt(which, start) ?? "");
    return under?.value.kind === "segment" ? asTarget(under) : null;
  }
  const label = labelFor("segment");
  const newest = [...all.values()].findLast(
    ({ value }) =>
      value.kind === "segment" &&
      value.series === series &&
      value.label === label &&
      value.state !== "absent",
  );
  return newest ? asTarget(newest) : newTarget(series);
}

export type Within = (offset: number) => boolean;

/** Whether a voxel's value lies within the range of the threshold brush, on one frame; null while it loads. */
export function inRange(place: Place, index: number): Within | null {
  const pixels = frames.get(place.manifest.series.id)?.pixels[index];
  if (!pixels || pixels.colour) return null;
  const { low, high } = rangeFor(room.getState(), unitsOf(place.manifest));
  return (offset) => {
    const v = valueAt(place.manifest, index, pixels, offset);
    return (low === null || v >= low) && (high === null || v <= high);
  };
}

/** Whether no other segment of the series has a voxel, on one slice. */
export function freeOn(block: Block, slice: number, but: string): Within {
  const key = sliceKey(block.sops[slice], block.frames[slice]);
  const taken = [...marks.getState().marks.values()].flatMap((mark) => {
    const here = mark.id !== but && mark.value.series === block.series ? mark.slices.get(key) : undefined;
    return here ? [maskOf(here)] : [];
  });
  return (offset) => taken.every((mask) => mask[offset] === 0);
}

/** All of several conditions; undefined where there are none. */
export function allOf(...conditions: (Within | null | undefined)[]): Within | undefined {
  const real = conditions.filter((one) => one !== null && one !== undefined);
  if (real.length < 2) return real[0];
  return (offset) => real.every((one) => one(offset));
}
