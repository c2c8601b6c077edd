import { describe, expect, it } from "vitest";
import type { Point2 } from "../src/api/types";
import { Touch } from "../src/touch";

function screen() {
  const said: string[] = [];
  let time = 0;
  const touch = new Touch<null>({
    begin: (at) => {
      said.push(`begin ${at}`);
      return {
        move: (to) => said.push(`move ${to}`),
        end: (to) => said.push(`end ${to}`),
        cancel: () => said.push("cancel"),
      };
    },
    pan: (dx, dy) => said.push(`pan ${dx},${dy}`),
    zoom: (factor, at) => said.push(`zoom ${factor.toFixed(2)} at ${at}`),
    scroll: (steps) => said.push(`scroll ${steps}`),
    width: () => 800,
    now: () => time,
  });
  return {
    said,
    wait: (ms: number) => {
      time += ms;
    },
    pen: () => touch.pen(),
    down: (id: number, at: Point2) => touch.down(id, at, null),
    move: (id: number, at: Point2) => touch.move(id, at, null),
    up: (id: number, at: Point2) => touch.up(id, at, null),
  };
}

describe("fingers", () => {
  it("one works the tool, from where it came down", () => {
    const s = screen();
    s.down(1, [100, 100]);
    s.move(1, [102, 101]);
    expect(s.said).toEqual([]);
    s.move(1, [110, 100]);
    s.up(1, [120, 100]);
    expect(s.said).toEqual(["begin 100,100", "move 110,100", "end 120,100"]);
  });

  it("a tap is a click", () => {
    const s = screen();
    s.down(1, [100, 100]);
    s.up(1, [101, 100]);
    expect(s.said).toEqual(["begin 100,100", "end 101,100"]);
  });

  it("two pan and zoom, and what stays of them draws nothing", () => {
    const s = screen();
    s.down(1, [100, 100]);
    s.down(2, [200, 100]);
    s.move(2, [300, 100]);
    s.up(2, [300, 100]);
    s.move(1, [400, 400]);
    s.up(1, [400, 400]);
    expect(s.said).toEqual(["pan 50,0", "zoom 2.00 at 200,100"]);
  });

  it("a second finger right after the first takes back what the first began", () => {
    const s = screen();
    s.down(1, [100, 100]);
    s.move(1, [110, 100]);
    s.wait(100);
    s.down(2, [200, 100]);
    expect(s.said.at(-1)).toBe("cancel");
  });

  it("a late finger doesn't spoil a stroke", () => {
    const s = screen();
    s.down(1, [100, 100]);
    s.move(1, [110, 100]);
    s.wait(1000);
    s.down(2, [200, 100]);
    s.move(2, [250, 100]);
    s.up(2, [250, 100]);
    s.move(1, [130, 100]);
    s.up(1, [130, 100]);
    expect(s.said).toEqual(["begin 100,100", "move 110,100", "move 130,100", "end 130,100"]);
  });

  it("three scroll, and so does one along the right edge", () => {
    for (const start of [
      [
        [100, 100],
        [200, 100],
        [300, 100],
      ],
      [[790, 100]],
    ] as Point2[][]) {
      const s = screen();
      start.forEach((at, id) => {
        s.down(id, at);
      });
      start.forEach(([x], id) => {
        s.move(id, [x, 136]);
      });
      const steps = s.said.map((line) => Number(line.split(" ")[1]));
      expect(steps.reduce((sum, one) => sum + one, 0)).toBe(3);
    }
  });

  it("the hand that holds the pen does nothing", () => {
    const s = screen();
    s.pen();
    s.wait(100);
    s.down(1, [100, 100]);
    s.move(1, [150, 100]);
    s.up(1, [150, 100]);
    expect(s.said).toEqual([]);
  });
});
