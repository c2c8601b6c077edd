/** The right edge of an image: drag it to go through the slices, or through the volume. */
import type { PointerEvent, ReactNode } from "react";

interface Props {
  name: string;
  label: string;
  title?: string;
  low: number;
  high: number;
  at: number;
  /** To a part of the way down, from 0 to 1. */
  to(part: number): void;
  children: ReactNode;
}

export function EdgeSlider({ name, label, title, low, high, at, to, children }: Props) {
  const move = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    to(Math.max(0, Math.min(1, (event.clientY - box.top) / box.height)));
  };
  return (
    <div
      className="prof"
      role="slider"
      tabIndex={-1}
      aria-label={label}
      aria-orientation="vertical"
      aria-valuemin={low}
      aria-valuemax={high}
      aria-valuenow={at}
      title={title}
      data-testid={name}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
      }}
      onPointerMove={(event) => event.buttons & 1 && move(event)}
    >
      {children}
    </div>
  );
}
