/** Spanish. Every text of the room has an entry: tests/words.test.ts names those that are missing or no longer used. */
import type { Catalogue } from "./index";

export const es: Catalogue = {};
