/**
 * The stacks of a series: frames that a reader scrolls through together. Phases of a contrast study, echoes,
 * b-values and planes of other directions are stacks of their own; most series are one stack.
 */
import type { Manifest } from "../api/types";
import { dot, normalOf, planeOf } from "./geometry";

export interface Stack {
  label: string;
  first: number;
  count: number;
  /** Which one of how many, from 1. */
  number: number;
  of: number;
  /** Since the first one was begun, where they are points of time. */
  seconds?: number;
}

/** Where a series opens: the middle of its first stack. */
export function middleOf(manifest: Manifest): number {
  const [{ first, count }] = stacksOf(manifest);
  return first + Math.floor((count - 1) / 2);
}

const known = new WeakMap<Manifest, Stack[]>();

export function stacksOf(manifest: Manifest): Stack[] {
  let stacks = known.get(manifest);
  if (!stacks) {
    const phases = Array.isArray(manifest.phases) ? manifest.phases : [];
    const parts = phases.length ? phases : [{ label: "", first: 0, count: manifest.frames.sop.length }];
    stacks = parts.map((part, i) => ({ ...part, number: i + 1, of: parts.length }));
    known.set(manifest, stacks);
  }
  return stacks;
}

/** The stack that a frame belongs to. */
export function stackAt(manifest: Manifest, index: number): Stack {
  const stacks = stacksOf(manifest);
  return stacks.find(({ first, count }) => index >= first && index < first + count) ?? stacks[0];
}

/** The nearest frame to `wanted` within the stack that `index` belongs to. */
export function inStack(manifest: Manifest, index: number, wanted: number): number {
  const { first, count } = stackAt(manifest, index);
  return Math.max(first, Math.min(first + count - 1, wanted));
}

/** Where a frame lies along its stack's normal, mm; its number in the stack where there are no positions. */
function along(manifest: Manifest, stack: Stack, index: number): number {
  const position = manifest.frames.position?.[index];
  if (manifest.geometry !== "patient" || !position) return index - stack.first;
  return dot(position, normalOf(planeOf(manifest, stack.first)));
}

/** The frame of the next or previous stack that shows the same place, or comes closest to it. */
export function sameInNext(manifest: Manifest, index: number, direction: 1 | -1): number {
  const { number, of } = stackAt(manifest, index);
  return sameInStack(manifest, index, ((number - 1 + direction + of) % of) + 1);
}

/** The frame of a stack (`number` from 1) that shows the same place as a frame, or comes closest to it. */
export function sameInStack(manifest: Manifest, index: number, number: number): number {
  const here = stackAt(manifest, index);
  const there = stacksOf(manifest)[number - 1] ?? here;
  const from = along(manifest, here, index);
  let best = there.first;
  let least = Number.POSITIVE_INFINITY;
  for (let i = there.first; i < there.first + there.count; i++) {
    const away = Math.abs(along(manifest, there, i) - from);
    if (away < least) {
      least = away;
      best = i;
    }
  }
  return best;
}

/**
 * How much of the body a frame stands for, mm along the normal: half the way to its neighbour on either side, at
 * an end as far outward as inward. null where the stack has one place, or none in the patient.
 */
export function thickness(manifest: Manifest, index: number): number | null {
  const stack = stackAt(manifest, index);
  if (manifest.geometry !== "patient" || !manifest.frames.position || stack.count < 2) return null;
  const at = along(manifest, stack, index);
  let below = Number.POSITIVE_INFINITY;
  let above = Number.POSITIVE_INFINITY;
  for (let i = stack.first; i < stack.first + stack.count; i++) {
    const step = along(manifest, stack, i) - at;
    if (step > SAME_PLACE_MM && step < above) above = step;
    if (-step > SAME_PLACE_MM && -step < below) below = -step;
  }
  const [a, b] = [Number.isFinite(below) ? below : above, Number.isFinite(above) ? above : below];
  return Number.isFinite(a) ? (a + b) / 2 : null;
}

const SAME_PLACE_MM = 0.01;
