/**
 * Shares a limit among those who need memory: who needs little gets all of it, the rest is shared evenly.
 * @param needs bytes each
 * @returns bytes each, in the same order; their sum is at most the limit
 */
export function shares(needs: number[], limit: number): number[] {
  const given = needs.map(() => 0);
  const modestFirst = needs.map((_, i) => i).sort((a, b) => needs[a] - needs[b]);
  let left = limit;
  modestFirst.forEach((which, turn) => {
    given[which] = Math.min(needs[which], Math.floor(left / (needs.length - turn)));
    left -= given[which];
  });
  return given;
}
