import { useTheme2 } from '@grafana/ui';
import React from 'react';
import { coloursOf } from '../colours';
import { measurement } from '../model/format';

interface Props {
  values: number[];
  unit?: string;
}

const width = 104;
const height = 24;
const edge = 2;

/** How a value went, oldest first. */
export function Sparkline({ values, unit }: Props) {
  const theme = useTheme2();
  const first = values[0];
  const last = values[values.length - 1];
  if (first === undefined || last === undefined || values.length < 2) {
    return null;
  }
  // From zero, so that a small change looks small.
  const top = Math.max(...values, 0);
  const bottom = Math.min(...values, 0);
  const x = (index: number) => edge + (index / (values.length - 1)) * (width - 2 * edge);
  const y = (value: number) => height - edge - ((value - bottom) / (top - bottom || 1)) * (height - 2 * edge);
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const colour = coloursOf(theme, 'info').fill;
  return (
    <svg
      width="7.400em"
      height="1.700em"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`from ${measurement(first, unit)} to ${measurement(last, unit)}`}
    >
      <polyline points={points} fill="none" stroke={colour} strokeWidth={1.6} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
