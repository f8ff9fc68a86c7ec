import { css, cx } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { TimeZone } from '@grafana/schema';
import { useStyles2, useTheme2 } from '@grafana/ui';
import React, { KeyboardEvent, PointerEvent, useState } from 'react';
import { coloursOf } from '../colours';
import { clock, duration } from '../model/format';
import { ribbonSummary } from '../model/ribbon';
import { stateWord } from '../model/states';
import { Ribbon, Segment } from '../model/types';

interface Props {
  ribbon: Ribbon;
  /** The browser's clock when the ribbon was received. */
  now: number;
  timeZone: TimeZone;
}

// A range that ends within this of now ends now.
const nowish = 90_000;

/** The states of the time range. Height says what colour says: the graver, the taller. */
export function StateRibbon({ ribbon, now, timeZone }: Props) {
  const theme = useTheme2();
  const styles = useStyles2(getStyles);
  const [active, setActive] = useState<number>();
  const { from, to, segments } = ribbon;
  const last = segments.length - 1;
  const chosen = active === undefined ? undefined : segments[active];
  const endsNow = now - to < nowish;

  const point = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const at = from + ((event.clientX - left) / width) * (to - from);
    const index = segments.findIndex((segment) => at < segment.to);
    setActive(index < 0 ? last : index);
  };
  const press = (event: KeyboardEvent) => {
    const next = keyed(event.key, active ?? last, last);
    if (next !== undefined) {
      event.preventDefault();
      setActive(next);
    } else if (event.key === 'Escape') {
      setActive(undefined);
    }
  };

  return (
    <div className={styles.ribbon}>
      {chosen && (
        <div className={styles.bubble} style={bubbleAt(ribbon, chosen)} aria-hidden>
          <strong>{nameOf(chosen)}</strong> {lasting(chosen)}
          <div className={styles.times}>{between(chosen, now, timeZone)}</div>
        </div>
      )}
      <div
        className={styles.track}
        role="slider"
        tabIndex={0}
        aria-label={`States of the last ${duration(to - from)}`}
        aria-valuemin={1}
        aria-valuemax={segments.length}
        aria-valuenow={(active ?? last) + 1}
        aria-valuetext={describe(segments[active ?? last], now, timeZone)}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setActive(undefined)}
        onFocus={(event) => event.currentTarget.matches(':focus-visible') && setActive(last)}
        onBlur={() => setActive(undefined)}
        onKeyDown={press}
      >
        {segments.map((segment, index) => (
          <span
            key={segment.from}
            data-state={segment.state}
            className={cx(styles.segment, segment.blind && styles.blind, index === active && styles.active)}
            style={{
              left: `${share(segment.from - from, ribbon)}%`,
              width: `${share(segment.to - segment.from, ribbon)}%`,
              ...barOf(theme, segment),
            }}
          />
        ))}
      </div>
      <div className={styles.caption}>
        <span className={styles.end}>{endsNow ? `${duration(to - from)} ago` : clock(from, now, timeZone)}</span>
        <span className={styles.summary}>{ribbonSummary(ribbon)}</span>
        <span className={styles.end}>{endsNow ? 'now' : clock(to, now, timeZone)}</span>
      </div>
    </div>
  );
}

/** The segment that a key leads to, as in any slider. */
function keyed(key: string, from: number, last: number): number | undefined {
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(from - 1, 0);
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(from + 1, last);
    case 'Home':
      return 0;
    case 'End':
      return last;
  }
  return undefined;
}

function share(ms: number, { from, to }: Ribbon): number {
  return (ms / (to - from)) * 100;
}

/** Over the middle of its segment, and always inside of the ribbon. */
function bubbleAt(ribbon: Ribbon, { from, to }: Segment) {
  const middle = share((from + to) / 2 - ribbon.from, ribbon);
  return { left: `${middle}%`, transform: `translateX(-${middle}%)` };
}

function nameOf({ state, blind }: Segment): string {
  return blind ? `Blind, ${stateWord(state)} held` : stateWord(state);
}

function lasting({ from, to }: Segment): string {
  return `for ${duration(to - from)}`;
}

function between({ from, to }: Segment, now: number, timeZone: TimeZone): string {
  return `${clock(from, now, timeZone)} – ${now - to < nowish ? 'now' : clock(to, now, timeZone)}`;
}

function describe(segment: Segment | undefined, now: number, timeZone: TimeZone): string | undefined {
  return segment && `${nameOf(segment)} ${lasting(segment)}, ${between(segment, now, timeZone)}`;
}

const heights: Record<Segment['state'], string> = {
  happy: '55%',
  stressed: '78%',
  critical: '100%',
  unknown: '55%',
  unobserved: '55%',
};

function barOf(theme: GrafanaTheme2, { state }: Segment) {
  return {
    height: heights[state],
    background: state === 'unobserved' ? undefined : coloursOf(theme, state).fill,
    boxShadow: state === 'unobserved' ? `inset 0 0 0 1px ${theme.colors.border.medium}` : undefined,
  };
}

const getStyles = (theme: GrafanaTheme2) => {
  const ground = theme.colors.background.primary;
  return {
    ribbon: css({ position: 'relative' }),
    track: css({
      position: 'relative',
      height: '1.4em',
      cursor: 'crosshair',
      touchAction: 'pan-y',
      '&:focus-visible': { outline: `2px solid ${theme.colors.primary.main}`, outlineOffset: 3 },
    }),
    segment: css({ position: 'absolute', bottom: 0, minWidth: 2 }),
    blind: css({
      backgroundImage: `repeating-linear-gradient(135deg, ${ground} 0 2px, transparent 2px 6px) !important`,
    }),
    active: css({ outline: `2px solid ${theme.colors.text.primary}`, zIndex: 1 }),
    bubble: css({
      position: 'absolute',
      bottom: 'calc(100% + 6px)',
      zIndex: theme.zIndex.tooltip,
      padding: theme.spacing(0.5, 1),
      background: theme.colors.background.elevated,
      border: `1px solid ${theme.colors.border.medium}`,
      borderRadius: theme.shape.radius.default,
      boxShadow: theme.shadows.z2,
      fontSize: '0.86em',
      whiteSpace: 'nowrap',
      pointerEvents: 'none',
    }),
    times: css({ color: theme.colors.text.secondary, fontVariantNumeric: 'tabular-nums' }),
    caption: css({
      display: 'flex',
      justifyContent: 'space-between',
      gap: theme.spacing(1),
      marginTop: theme.spacing(0.5),
      color: theme.colors.text.secondary,
      fontSize: '0.86em',
    }),
    end: css({ whiteSpace: 'nowrap' }),
    summary: css({ textAlign: 'center' }),
  };
};
