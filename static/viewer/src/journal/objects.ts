/** Names of the things an edit may change, and comparing their values. */
import type { ObjectRef, ObjectValue, PlaneRef } from "../api/types";

export const isPlane = (object: ObjectRef): object is PlaneRef => "sop" in object;

export const keyOf = (object: ObjectRef): string =>
  isPlane(object) ? `${object.annotation}|${object.sop}|${object.frame}` : object.annotation;

/** JSON with sorted keys: the server may hand back the same value with its keys in another order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    return `{${entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => `${k}:${canonical(v)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

export function same(a: ObjectValue, b: ObjectValue): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  // A mask slice is its voxels; the server may or may not repeat its size.
  if ("rle" in a && "rle" in b) return a.rle === b.rle;
  return canonical(a) === canonical(b);
}
