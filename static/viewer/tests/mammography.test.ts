import { describe, expect, it } from "vitest";
import { apply, fitted, indexToCanvas } from "../src/engine/camera";
import { edgeLetters, hangingPose, planeOf } from "../src/engine/geometry";
import { manifest } from "./manifest";

const mammogram = (side: string, letters: [string, string] | null, modality = "MG") => {
  const made = manifest({ geometry: "image", orientation: null, letters }, 1);
  made.frames.position = null;
  made.series = { ...made.series, modality, laterality: side };
  return planeOf(made, 0);
};

describe("a mammogram hangs with the chest wall inside, and head or outer side up", () => {
  it.each([
    ["right CC as acquired", "R", ["P", "L"]],
    ["right CC mirrored", "R", ["A", "L"]],
    ["right CC on its head", "R", ["A", "R"]],
    ["right CC on its side", "R", ["L", "P"]],
    ["right MLO", "R", ["P", "FL"]],
    ["right MLO mirrored", "R", ["A", "FL"]],
    ["left CC as acquired", "L", ["A", "R"]],
    ["left CC mirrored", "L", ["P", "R"]],
    ["left CC on its head", "L", ["P", "L"]],
    ["left MLO", "L", ["A", "FR"]],
    ["left MLO upside down", "L", ["P", "HL"]],
  ] as [string, "L" | "R", [string, string]][])("%s", (_, side, letters) => {
    const plane = mammogram(side, letters);
    const pose = hangingPose(plane);
    const edges = edgeLetters(plane, pose)!;
    expect((side === "R" ? edges.right : edges.left)[0]).toBe("P");
    const isOblique = letters.some((word) => "HF".includes(word[0]));
    expect(edges.top[0]).toBe(isOblique ? "H" : side);
  });

  it("stands with its chest wall at the edge, whichever way it is stored", () => {
    const area = { width: 622, height: 400, inset: 22 };
    for (const [side, letters, edge] of [
      ["R", ["P", "L"], 600],
      ["R", ["A", "L"], 600],
      ["L", ["A", "R"], 0],
      ["L", ["P", "R"], 0],
    ] as ["L" | "R", [string, string], number][]) {
      const plane = mammogram(side, letters);
      const matrix = indexToCanvas(plane, fitted(plane, area, hangingPose(plane)), area);
      const corners = [apply(matrix, [-0.5, -0.5]), apply(matrix, [plane.columns - 0.5, plane.rows - 0.5])];
      const ends = corners.map(([x]) => x).sort((a, b) => a - b);
      expect(edge ? ends[1] : ends[0]).toBeCloseTo(edge, 6);
    }
  });

  it("hangs as it is stored where its file doesn't say enough, as other projections do", () => {
    const usual = { rotation: 0, flipHorizontal: false, flipVertical: false };
    expect(hangingPose(mammogram("R", null))).toEqual(usual);
    expect(hangingPose(mammogram("", ["A", "L"]))).toEqual(usual);
    expect(hangingPose(mammogram("B", ["A", "L"]))).toEqual(usual);
    expect(hangingPose(mammogram("R", ["A", "F"], "DX"))).toEqual(usual);
  });

  it("takes the side of each image where one series holds several", () => {
    const made = manifest({ geometry: "image", orientation: null, letters: ["A", "R"] }, 2);
    made.series.modality = "MG";
    made.frames.laterality = ["R", "L"];
    expect([planeOf(made, 0).breast, planeOf(made, 1).breast]).toEqual(["R", "L"]);
  });
});
