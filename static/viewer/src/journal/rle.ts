/**
 * One mask slice as run lengths: row-major from row 0, runs alternate from zeros (the first may be 0),
 * each run an unsigned LEB128 varint, all of it base64. The runs sum to rows × columns.
 */

/** @param mask rows × columns bytes, 0 or 1 */
export function encodeRuns(mask: Uint8Array): Uint8Array {
  const bytes: number[] = [];
  const put = (n: number) => {
    let rest = n;
    while (rest > 127) {
      bytes.push((rest & 127) | 128);
      rest >>>= 7;
    }
    bytes.push(rest);
  };
  // The engine's own search over a typed array is far quicker than a loop over its voxels.
  let value = 0;
  let at = 0;
  while (at < mask.length) {
    const found = mask.indexOf(1 - value, at);
    const next = found < 0 ? mask.length : found;
    put(next - at);
    at = next;
    value = 1 - value;
  }
  return Uint8Array.from(bytes);
}

/** Calls back for every run of ones. Throws where the runs do not fill the slice exactly. */
function eachRun(bytes: Uint8Array, length: number, ones: (start: number, end: number) => void): void {
  let at = 0;
  let value = 0;
  let i = 0;
  while (i < bytes.length) {
    let run = 0;
    let weight = 1;
    for (;;) {
      if (i >= bytes.length) throw new Error("The mask ends in the middle of a run.");
      const byte = bytes[i++];
      run += (byte & 127) * weight;
      if (byte < 128) break;
      weight *= 128;
      if (weight > 2 ** 42) throw new Error("The mask holds a run that is too long.");
    }
    if (at + run > length) throw new Error("The mask is larger than its slice.");
    if (value && run) ones(at, at + run);
    at += run;
    value = 1 - value;
  }
  if (at !== length) throw new Error("The mask is smaller than its slice.");
}

export function decodeRuns(bytes: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(length);
  eachRun(bytes, length, (start, end) => mask.fill(1, start, end));
  return mask;
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

export const encodeMask = (mask: Uint8Array): string => toBase64(encodeRuns(mask));
export const decodeMask = (rle: string, length: number): Uint8Array => decodeRuns(fromBase64(rle), length);

/** Number of set voxels, without unpacking the slice. */
export function countMask(rle: string, length: number): number {
  let n = 0;
  eachRun(fromBase64(rle), length, (start, end) => {
    n += end - start;
  });
  return n;
}
