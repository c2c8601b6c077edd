/**
 * The id of an answer follows from its question and what it is about, so that one question never has two
 * answers, wherever it is answered. A name-based UUID (RFC 9562, version 5): the server makes the same one.
 */
import type { AnswerValue } from "../api/types";

const NAMESPACE = "8f0c6a52-9c55-5f1c-9f6e-2a1f52e7c0d4";

export const answerId = ({ answer, of, id }: Pick<AnswerValue, "answer" | "of" | "id">): string =>
  nameUuid(NAMESPACE, `${of}/${id}/${answer}`);

export function nameUuid(namespace: string, name: string): string {
  const space = namespace.replaceAll("-", "").match(/../g) ?? [];
  const bytes = new Uint8Array([
    ...space.map((byte) => Number.parseInt(byte, 16)),
    ...new TextEncoder().encode(name),
  ]);
  const digest = sha1(bytes).slice(0, 16);
  digest[6] = (digest[6] & 0x0f) | 0x50;
  digest[8] = (digest[8] & 0x3f) | 0x80;
  const text = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** FIPS 180-4. The browser's own is asynchronous and missing without HTTPS; nothing secret depends on this. */
function sha1(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array((((message.length + 8) >> 6) + 1) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, message.length * 8);
  const state = new Uint32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  const words = new Uint32Array(80);
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i += 1) words[i] = view.getUint32(block + i * 4);
    for (let i = 16; i < 80; i += 1)
      words[i] = turned(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    let [a, b, c, d, e] = state;
    for (let i = 0; i < 80; i += 1) {
      const [mixed, constant] = round(i, b, c, d);
      [a, b, c, d, e] = [(turned(a, 5) + mixed + e + constant + words[i]) >>> 0, a, turned(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((word, i) => {
      state[i] += word;
    });
  }
  const digest = new DataView(new ArrayBuffer(20));
  state.forEach((word, i) => {
    digest.setUint32(i * 4, word);
  });
  return new Uint8Array(digest.buffer);
}

const turned = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

function round(i: number, b: number, c: number, d: number): [number, number] {
  if (i < 20) return [(b & c) | (~b & d), 0x5a827999];
  if (i < 40) return [b ^ c ^ d, 0x6ed9eba1];
  if (i < 60) return [(b & c) | (b & d) | (c & d), 0x8f1bbcdc];
  return [b ^ c ^ d, 0xca62c1d6];
}
