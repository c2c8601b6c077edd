/** How a reader looks on the screen: letter, colour and dash; no two of twenty share both of the last. Pure. */

import type { Read } from "../api/types";

/** As in tokens.css, for images: these are dark whatever the page is. */
const COLOURS = ["#f5a742", "#f27cc0", "#a9d84e", "#3fd0bb", "#b9a8ff"];
const DASHES: number[][] = [[], [6, 3], [2, 3], [9, 3, 2, 3]];

export interface Look {
  color: string;
  /** Lengths of line and gap, px; empty: a whole line. */
  dash: number[];
}

const placeOf = (letter: string): number => Math.max(0, letter.toUpperCase().charCodeAt(0) - 65);

/** Of the reader with this letter, "A" first. */
export function lookOf(letter: string): Look {
  const at = placeOf(letter);
  return { color: COLOURS[at % COLOURS.length], dash: DASHES[at % DASHES.length] };
}

/** In an adjudication colours are readers: what it makes itself is white, whatever its label. */
export const inWhite = (read: Read): Read =>
  read?.adjudication
    ? {
        ...read,
        schema: {
          ...read.schema,
          labels: read.schema.labels.map((label) => ({ ...label, color: "#ffffff" })),
        },
      }
    : read;
