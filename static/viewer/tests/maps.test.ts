import { expect, test } from "vitest";
import { drawMaps } from "../maps";

// ISO 3166-1 numeric, of the European Union's members but Malta, which no map of this size shows as an area
const UNION = [
  ..."040 056 100 191 196 203 208 233 246 250 276 300 348 372 380 428 440 442 528 616 620 642 703 705".split(
    " ",
  ),
  ..."724 752".split(" "),
];

test("each country of the union has an outline, and its number stands inside the map", () => {
  const { europe } = drawMaps();
  const known = new Map(europe.countries.map((country) => [country.id, country]));
  for (const id of [...UNION, "470"]) {
    const country = known.get(id);
    expect(country, id).toBeDefined();
    if (id !== "470") expect(country!.d).toMatch(/^M[\d.,MLZ-]+Z$/);
    expect(country!.x).toBeGreaterThan(0);
    expect(country!.x).toBeLessThan(europe.width);
    expect(country!.y).toBeGreaterThan(0);
    expect(country!.y).toBeLessThan(europe.height);
  }
});

test("a small country is told by a dot, a large one by its shade", () => {
  const { europe } = drawMaps();
  const small = (id: string) => europe.countries.find((country) => country.id === id)?.small;
  expect([small("470"), small("442")]).toEqual([true, true]);
  expect([small("276"), small("724")]).toEqual([false, false]);
});

test("the number of France stands in Europe, not between it and its departments overseas", () => {
  const { world } = drawMaps();
  const france = world.countries.find((country) => country.id === "250")!;
  const germany = world.countries.find((country) => country.id === "276")!;
  expect(Math.hypot(france.x - germany.x, france.y - germany.y)).toBeLessThan(25);
});
