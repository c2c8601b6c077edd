import { lookOf } from "../../adjudication/looks";

/** A reader's line as it lies on the images. */
export function LineSample({ letter, width = 22 }: { letter: string; width?: number }) {
  const { color, dash } = lookOf(letter);
  return (
    <svg className="linesample" width={width} height="8" aria-hidden="true">
      <path d={`M0 4H${width}`} stroke={color} strokeWidth="2" strokeDasharray={dash.join(" ")} />
    </svg>
  );
}
