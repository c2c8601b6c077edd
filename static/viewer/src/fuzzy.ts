/** Finding by a few letters: "win l" finds "Window: Lung". */

/** Small letters without accents, so that "poligono" finds "Polígono". */
export const plainText = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** How well one word of the query fits a text: whole words best, then beginnings, then letters in order; 0: not. */
function wordScore(word: string, text: string): number {
  const at = text.indexOf(word);
  const starts = at === 0 || (at > 0 && /[^\p{L}\p{N}]/u.test(text[at - 1]));
  if (at >= 0) {
    const after = text[at + word.length];
    const whole = starts && (after === undefined || /[^\p{L}\p{N}]/u.test(after));
    return (whole ? 100 : starts ? 80 : 40) - Math.min(20, at / 4);
  }
  // Letters in order, each at the beginning of a word or right after the one before: "sa" for "slice after".
  let place = -1;
  for (const sign of word) {
    let next = text.indexOf(sign, place + 1);
    while (next > place + 1 && !begins(text, next)) next = text.indexOf(sign, next + 1);
    if (next < 0) return 0;
    place = next;
  }
  return begins(text, text.indexOf(word[0])) ? 30 : 10;
}

const begins = (text: string, at: number): boolean => at === 0 || /[^\p{L}\p{N}]/u.test(text[at - 1]);

/** 0 where a word of the query fits nowhere; more is better. An empty query fits everything alike. */
export function score(query: string, text: string): number {
  const words = plainText(query).split(/\s+/).filter(Boolean);
  if (!words.length) return 1;
  const plain = plainText(text);
  let sum = 0;
  for (const word of words) {
    const one = wordScore(word, plain);
    if (!one) return 0;
    sum += one;
  }
  // Of two that fit alike, the shorter text is meant.
  return sum / words.length - Math.min(5, plain.length / 20);
}

/** The items whose text fits, the best first; items that fit alike keep their order. */
export function best<T>(query: string, items: T[], textOf: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, points: score(query, textOf(item)) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .map(({ item }) => item);
}
