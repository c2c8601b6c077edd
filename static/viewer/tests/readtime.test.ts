import { expect, test } from "vitest";
import { IDLE_AFTER_MS, ReadClock } from "../src/readtime";

const SECOND = 1000;

test("time with a hand at work is active, time a minute after the last movement is idle", () => {
  const clock = new ReadClock(0, true);
  clock.moved(10 * SECOND);
  for (let at = 20; at <= 100; at += 10) clock.seen(at * SECOND, true);
  expect(clock.take(100 * SECOND)).toEqual({ active_ms: 10 * SECOND + IDLE_AFTER_MS, idle_ms: 30 * SECOND });
});

test("what is taken is not taken again", () => {
  const clock = new ReadClock(0, true);
  expect(clock.take(15 * SECOND)).toEqual({ active_ms: 15 * SECOND, idle_ms: 0 });
  expect(clock.take(15 * SECOND)).toEqual({ active_ms: 0, idle_ms: 0 });
});

test("a hidden page counts nothing, even if a hand moves in another window", () => {
  const clock = new ReadClock(0, true);
  clock.seen(5 * SECOND, false);
  clock.seen(40 * SECOND, true);
  clock.moved(41 * SECOND);
  expect(clock.take(42 * SECOND)).toEqual({ active_ms: 7 * SECOND, idle_ms: 0 });
});

test("a hand that comes back after a pause begins anew; the pause stays idle", () => {
  const clock = new ReadClock(0, true);
  for (let at = 15; at <= 90; at += 15) clock.seen(at * SECOND, true);
  clock.moved(90 * SECOND);
  expect(clock.take(95 * SECOND)).toEqual({ active_ms: 65 * SECOND, idle_ms: 30 * SECOND });
});

test("a computer that slept read nothing meanwhile", () => {
  const clock = new ReadClock(0, true);
  clock.moved(10 * SECOND);
  clock.moved(4000 * SECOND);
  expect(clock.take(4000 * SECOND)).toEqual({ active_ms: 10 * SECOND, idle_ms: 0 });
});

test("what could not be told is told with the next beat", () => {
  const clock = new ReadClock(0, true);
  clock.giveBack(clock.take(15 * SECOND));
  expect(clock.take(20 * SECOND)).toEqual({ active_ms: 20 * SECOND, idle_ms: 0 });
});
