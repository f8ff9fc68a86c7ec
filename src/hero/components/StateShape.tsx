import { useTheme2 } from '@grafana/ui';
import React from 'react';
import { coloursOf, Tone } from '../colours';

/** A state's own shape, or that of a verdict that says nothing about now. */
export type Shape = Tone | 'blind' | 'stale' | 'avoid';

interface Props {
  shape: Shape;
  /** In the font's size. */
  size?: number;
  /** A small mark is filled; a large one is drawn in lines. */
  filled?: boolean;
}

/** Tells states apart without their colours. It stands beside the word, so it says nothing by itself to a reader. */
export function StateShape({ shape, size = 1, filled = false }: Props) {
  const theme = useTheme2();
  const tone = shape === 'blind' || shape === 'stale' ? 'unknown' : shape === 'avoid' ? 'critical' : shape;
  const { fill } = coloursOf(theme, tone);
  const colour = tone === 'unknown' || tone === 'unobserved' ? theme.colors.text.secondary : fill;
  return (
    <svg
      width={`${size}em`}
      height={`${size}em`}
      viewBox="0 0 24 24"
      aria-hidden
      focusable="false"
      fill="none"
      stroke={colour}
      strokeWidth={2}
      strokeLinecap="round"
      strokeLinejoin="round"
      style={{ flex: 'none' }}
    >
      {filled ? (
        <Mark shape={shape} colour={colour} ground={theme.colors.background.primary} />
      ) : (
        <Drawing shape={shape} colour={colour} />
      )}
    </svg>
  );
}

interface PartProps {
  shape: Shape;
  colour: string;
}

function Drawing({ shape, colour }: PartProps) {
  const dot = (y: number) => <circle cx="12" cy={y} r="1.3" fill={colour} stroke="none" />;
  switch (shape) {
    case 'happy':
      return (
        <>
          <circle cx="12" cy="12" r="9.8" />
          <path d="m7.8 12.3 3 3 5.4-6" />
        </>
      );
    case 'stressed':
      return (
        <>
          <path d="M12 2.5 22.5 21h-21z" />
          <path d="M12 9.5v5" />
          {dot(18)}
        </>
      );
    case 'critical':
      return (
        <>
          <path d="m12 1.5 10.5 10.5L12 22.5 1.5 12z" />
          <path d="M12 7v5.5" />
          {dot(16.3)}
        </>
      );
    case 'stale':
      return (
        <>
          <circle cx="12" cy="12" r="9.8" strokeDasharray="3.2 3" />
          <path d="M12 6.5V12l3.5 2.5" />
        </>
      );
    case 'avoid':
      return (
        <>
          <circle cx="12" cy="12" r="9.5" />
          <path d="M7.5 12h9" />
        </>
      );
    case 'info':
      return (
        <>
          <circle cx="12" cy="12" r="9.5" />
          <path d="M12 11v6" />
          {dot(7.3)}
        </>
      );
    case 'blind':
    case 'unknown':
    case 'unobserved':
      return (
        <>
          <rect x="2.5" y="2.5" width="19" height="19" rx="3" strokeDasharray="3.6 3" />
          <path d="M9.3 9.3a2.8 2.8 0 1 1 3.9 2.6c-.8.4-1.2.9-1.2 2" />
          {dot(17.3)}
        </>
      );
  }
}

function Mark({ shape, colour, ground }: PartProps & { ground: string }) {
  switch (shape) {
    case 'happy':
      return <circle cx="12" cy="12" r="8" fill={colour} stroke="none" />;
    case 'stressed':
      return <path d="M12 4 21 20H3z" fill={colour} stroke={colour} />;
    case 'critical':
      return (
        <>
          <path d="m12 1.5 10.5 10.5L12 22.5 1.5 12z" fill={colour} stroke={colour} />
          <path d="M12 7.5v5" stroke={ground} strokeWidth={2.6} />
          <circle cx="12" cy="16.6" r="1.5" fill={ground} stroke="none" />
        </>
      );
    default:
      return <rect x="5" y="5" width="14" height="14" rx="2" strokeWidth={2.5} strokeDasharray="3.5 2.5" />;
  }
}
