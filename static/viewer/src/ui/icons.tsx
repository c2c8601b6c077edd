/** Two crossed axes with ends: Lucide has none. Drawn on its grid, with its stroke. */
export function TwoAxes({ size = 18, strokeWidth = 1.6 }: { size?: number; strokeWidth?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={strokeWidth}
      strokeLinecap="round"
      aria-hidden="true"
    >
      <path d="M4 20 20 4M8.5 8.5l7 7" />
      <circle cx="4" cy="20" r="1.4" />
      <circle cx="20" cy="4" r="1.4" />
    </svg>
  );
}
