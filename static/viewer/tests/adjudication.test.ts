import { describe, expect, it } from "vitest";
import { agreement, united, votes } from "../src/adjudication/agreement";
import {
  answersOf,
  isChanged,
  isSame,
  lacks,
  merges,
  moreThan,
  nextOpen,
  rowOf,
  sampled,
  votesNeeded,
} from "../src/adjudication/choices";
import { lookOf } from "../src/adjudication/looks";
import type { AdjudicatedLesion, Option, ReaderNumbers } from "../src/api/adjudication";
import type { Patch } from "../src/engine/maskcut";

/** A block of set voxels: `rows` of text, "x" where set, its first voxel at [left, top]. */
function patch(left: number, top: number, ...rows: string[]): Patch {
  const mask = Uint8Array.from([...rows.join("")].map((sign) => Number(sign === "x")));
  return { left, top, rows: rows.length, columns: rows[0].length, mask };
}

const area = (rings: [number, number][][]): number =>
  Math.abs(
    rings
      .map((ring) =>
        ring.reduce((sum, [x, y], i) => {
          const [nx, ny] = ring[(i + 1) % ring.length];
          return sum + (x * ny - nx * y) / 2;
        }, 0),
      )
      .reduce((a, b) => a + b, 0),
  );

describe("where readers agree", () => {
  const a = patch(2, 1, "xxx", "xxx");
  const b = patch(3, 1, "xxx", "xxx");
  const c = patch(3, 2, "xx");

  it("is counted voxel by voxel over the piece that holds them all", () => {
    const { counts, ...frame } = votes([a, b, c]);
    expect(frame).toEqual({ left: 2, top: 1, rows: 2, columns: 4 });
    expect([...counts]).toEqual([1, 2, 2, 1, 1, 3, 3, 1]);
  });

  it("is drawn as what one painted and what several did, but not all", () => {
    const { one, some } = agreement([a, b, c], 3);
    expect(area(one)).toBe(4);
    expect(area(some)).toBe(2);
    expect(Math.min(...one.flat().map(([x]) => x))).toBe(1.5); // of the image, not of the piece
  });

  it("counts the votes of those who painted nothing here", () => {
    expect(area(agreement([a, b, c], 4).some)).toBe(4);
    expect(agreement([], 4)).toEqual({ one: [], some: [] });
  });

  it("is nothing to show with a single reader", () => {
    expect(agreement([a], 1)).toEqual({ one: [], some: [] });
  });

  it("gives a reader one vote a voxel, however many marks they made", () => {
    const both = united([a, b]);
    expect([...(both?.mask ?? [])]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(united([])).toBeNull();
    expect(united([c])).toBe(c);
  });
});

it("no two of twenty readers look the same", () => {
  const looks = [..."ABCDEFGHIJKLMNOPQRST"].map((letter) => JSON.stringify(lookOf(letter)));
  expect(new Set(looks).size).toBe(20);
  expect(new Set(looks.slice(0, 4).map((look) => JSON.parse(look).dash.join())).size).toBe(4);
});

const four: Option[] = [
  { take: "read", read: "a", volume_mm3: 1874 },
  { take: "union", of: 4, volume_mm3: 2561 },
  { take: "at_least", at_least: 2, of: 4, volume_mm3: 2075 },
  { take: "at_least", at_least: 3, of: 4, volume_mm3: 1800 },
  { take: "majority", at_least: 3, of: 4, volume_mm3: 1800 },
  { take: "intersection", of: 4, volume_mm3: 1307 },
  { take: "staple", of: 4, volume_mm3: 2050 },
  { take: "drawn" },
  { take: "absent" },
];

describe("what can be taken", () => {
  it("stands there once, from most voxels to fewest", () => {
    expect(merges(four).map(({ take }) => take)).toEqual([
      "union",
      "at_least",
      "majority",
      "intersection",
      "staple",
    ]);
  });

  it("of two readers is one, or both", () => {
    const two: Option[] = [
      { take: "union", of: 2 },
      { take: "majority", at_least: 2, of: 2 },
      { take: "intersection", of: 2 },
    ];
    expect(merges(two).map(({ take }) => take)).toEqual(["union", "intersection"]);
    expect(isSame({ take: "majority" }, { take: "intersection" }, 2)).toBe(true);
  });

  it("needs so many votes", () => {
    expect(votesNeeded({ take: "majority" }, 3)).toBe(2);
    expect(votesNeeded({ take: "majority" }, 4)).toBe(3);
    expect(votesNeeded({ take: "staple" }, 4)).toBeNull();
    expect(isSame({ take: "at_least", at_least: 3 }, { take: "majority" }, 4)).toBe(true);
    expect(isSame({ take: "read", read: "a" }, { take: "read", read: "b" }, 4)).toBe(false);
    expect(isSame({ take: "absent" }, null, 4)).toBe(false);
  });

  it("is so much more or less than what is chosen", () => {
    const chosen = { volume_mm3: 2075, longest_mm: 20, short_mm: 14 };
    expect(moreThan(four[1], chosen)).toBe(486);
    expect(moreThan(four[2], chosen)).toBeNull();
    expect(moreThan(four[1], null)).toBeNull();
  });
});

const numbers: ReaderNumbers = {
  longest_mm: 21.6,
  short_mm: 13,
  volume_mm3: 2266,
  slices: 19,
  voxels: 3071,
  longest_difference_mm: 0.4,
  volume_difference_mm3: 12,
  dice: 0.96,
  hd95_mm: 0.9,
  series: "s",
  kinds: ["segment"],
  estimated: false,
  problem: null,
  areas_mm2: null,
  past: ["dice"],
};
const rule = { sentence: "", dice_below: 0.8, diameter_apart_mm: 1.5 };

describe("a reader's numbers", () => {
  it("are set beside what would be taken", () => {
    const row = rowOf("b", numbers, rule, {
      numbers: {
        longest_mm: 20,
        short_mm: 14,
        volume_mm3: 2075,
        slices: 1,
        voxels: 1,
        areas_mm2: null,
      },
      reads: { b: { dice: 0.7, hd95_mm: 1.5 } },
    });
    expect(row.longest_difference_mm).toBeCloseTo(1.6);
    expect(row.volume_difference_mm3).toBe(191);
    expect([...row.past].sort()).toEqual(["dice", "longest_mm"]);
  });

  it("are as the server compared them while nothing is chosen", () => {
    const row = rowOf("b", numbers, rule, null);
    expect([row.longest_difference_mm, row.dice, row.hd95_mm]).toEqual([0.4, 0.96, 0.9]);
    expect([...row.past]).toEqual(["dice"]);
  });

  it("have no difference from what has no size", () => {
    const nothing = {
      longest_mm: null,
      short_mm: null,
      volume_mm3: 0,
      slices: 0,
      voxels: 0,
      areas_mm2: null,
    };
    const row = rowOf("b", numbers, rule, { numbers: nothing, reads: {} });
    expect([row.longest_difference_mm, row.volume_difference_mm3, row.dice]).toEqual([null, 2266, null]);
  });
});

function lesion(number: number, part: Partial<AdjudicatedLesion> = {}): AdjudicatedLesion {
  return {
    number,
    label: "lesion",
    name: `Lesion ${number}`,
    state: "open",
    version: 0,
    agree: false,
    disagreements: [],
    present: 2,
    members: [],
    place: null,
    series: "s",
    numbers: { compared_to: null, compared: null, reads: {}, least_dice: null, most_apart_mm: null },
    options: four,
    suggested: null,
    answers: [],
    choice: null,
    reason: "",
    settled_at: null,
    edited: false,
    result: [],
    result_numbers: null,
    ...part,
  };
}

const malignancy = {
  answer: "malignancy",
  of: "annotation" as const,
  id: "",
  text: "Malignancy",
  type: "choice" as const,
  options: [],
  unit: "",
  said: { a: "1", b: "5" },
  differs: true,
  chosen: null,
};

describe("a decision", () => {
  const union = { take: "union" as const };

  it("goes on to the next lesion that is open, round and round", () => {
    const all = [lesion(1), lesion(2, { state: "settled" }), lesion(3, { state: "lost" })];
    expect(nextOpen(all, 1)?.number).toBe(3);
    expect(nextOpen(all, 3)?.number).toBe(1);
    expect(nextOpen(all, null)?.number).toBe(1);
    expect(nextOpen([lesion(1)], 1)).toBeNull();
  });

  it("needs a reason where readers disagree", () => {
    expect(lacks(lesion(1), { take: null, reason: "", answers: {} }, [])).toBe("choice");
    expect(lacks(lesion(1), { take: union, reason: " ", answers: {} }, [])).toBe("reason");
    expect(lacks(lesion(1, { agree: true }), { take: union, reason: "", answers: {} }, [])).toBeNull();
    expect(lacks(lesion(1), { take: { take: "drawn" }, reason: "so", answers: {} }, [])).toBe("drawing");
  });

  it("needs an answer where they differ, and takes that of the reader whose marks it takes", () => {
    const asked = lesion(1, { answers: [malignancy] });
    const draft = { take: union, reason: "so", answers: {} };
    expect(lacks(asked, draft, [])).toBe("answers");
    expect(lacks(asked, { ...draft, answers: { malignancy: "4" } }, [])).toBeNull();
    expect(lacks(asked, { ...draft, take: { take: "absent" } }, [])).toBeNull();
    const first = { ...draft, take: { take: "read" as const, read: "a" } };
    expect(answersOf(asked, first)).toEqual({ malignancy: "1" });
    expect(answersOf(asked, { ...first, answers: { malignancy: "5" } })).toEqual({ malignancy: "5" });
  });

  it("takes over an answer that all gave alike", () => {
    const alike = { ...malignancy, said: { a: "5", b: "5" }, differs: false };
    expect(answersOf(lesion(1, { answers: [alike] }), { take: union, answers: {} })).toEqual({
      malignancy: "5",
    });
  });

  it("is taken again only where something of it changed", () => {
    const settled = lesion(1, { state: "settled", choice: { take: "majority" }, reason: "so" });
    const draft = { take: { take: "at_least" as const, at_least: 3 }, reason: "so ", answers: {} };
    expect(isChanged(settled, draft, 4)).toBe(false);
    expect(isChanged(settled, { ...draft, take: union }, 4)).toBe(true);
    expect(isChanged(settled, { ...draft, reason: "else" }, 4)).toBe(true);
    expect(isChanged({ ...settled, state: "lost" }, draft, 4)).toBe(true);
    expect(isChanged(settled, { ...draft, answers: { malignancy: "1" } }, 4)).toBe(true);
  });
});

describe("the slices on the strip", () => {
  it("are all of a few", () => {
    expect(sampled(3, 6, 11, 4)).toEqual([3, 4, 5, 6]);
    expect(sampled(3, 2, 11, 4)).toEqual([]);
  });

  it("are spread evenly over many, the present one among them", () => {
    expect(sampled(0, 20, 5, 10)).toEqual([0, 5, 10, 15, 20]);
    expect(sampled(0, 20, 5, 11)).toEqual([0, 5, 11, 15, 20]);
    expect(sampled(0, 20, 5, 40)).toEqual([0, 5, 10, 15, 20]);
    expect(sampled(0, 20, 5, 1)).toEqual([0, 1, 10, 15, 20]);
  });
});
