import { DataFrame, FieldType, TimeRange } from '@grafana/data';
import { duration } from './format';
import { isImpaired, stateFrom } from './states';
import { HealthState, Ribbon, Segment } from './types';

/** What ends this long before now ends now: the server's clock and the browser's are never quite the same. */
const clocksApart = 60_000;

/** Reads the states of the time range out of a timeline. A row holds until its end, or else until the next row. */
export function ribbonFrom(frame: DataFrame, range: TimeRange, now: number): Ribbon | undefined {
  const [starts, ends] = frame.fields.filter(({ type }) => type === FieldType.time);
  const states = frame.fields.find(({ name }) => name === 'state' || name === 'health_state');
  if (!starts || !states) {
    return undefined;
  }
  const blind = frame.fields.find(({ name }) => name === 'blind');
  const from = range.from.valueOf();
  // The future has not been observed.
  const to = Math.min(range.to.valueOf(), now);

  const segments: Segment[] = [];
  for (let row = 0; row < frame.length; row++) {
    const state: unknown = states.values[row];
    if (typeof state !== 'string') {
      continue; // Only ends the row before.
    }
    const start = Math.max(Number(starts.values[row]), from);
    const end = Math.min(Number(ends?.values[row] ?? starts.values[row + 1] ?? to), to);
    if (end > start) {
      append(segments, from, {
        from: start,
        to: end,
        state: state === 'unobserved' ? state : stateFrom(state),
        blind: blind?.values[row] === true,
      });
    }
  }
  if (segments.length === 0) {
    return undefined;
  }
  const last = segments[segments.length - 1];
  if (last && to - last.to < clocksApart) {
    last.to = to;
  }
  fillUpTo(segments, from, to);
  return { from, to, segments };
}

function append(segments: Segment[], from: number, next: Segment) {
  fillUpTo(segments, from, next.from);
  const last = segments[segments.length - 1];
  if (last && last.state === next.state && last.blind === next.blind) {
    last.to = next.to;
  } else {
    segments.push(next);
  }
}

/** Where no row says anything, nobody looked. */
function fillUpTo(segments: Segment[], from: number, at: number) {
  const end = segments[segments.length - 1]?.to ?? from;
  if (at > end) {
    segments.push({ from: end, to: at, state: 'unobserved', blind: false });
  }
}

/** Sums the ribbon up in one line. An incident lasts from Happy to Happy, and is critical if it ever was. */
export function ribbonSummary({ segments }: Ribbon): string {
  let critical = 0;
  let stressed = 0;
  let worst: HealthState = 'happy';
  const close = () => {
    critical += Number(worst === 'critical');
    stressed += Number(worst === 'stressed');
    worst = 'happy';
  };
  for (const { state } of segments) {
    if (state === 'critical' || (state === 'stressed' && worst !== 'critical')) {
      worst = state;
    } else if (!isImpaired(state) && state !== 'unobserved') {
      close();
    }
  }
  close();

  const lasting = (of: (segment: Segment) => boolean) =>
    segments.filter(of).reduce((sum, { from, to }) => sum + to - from, 0);
  const parts = [];
  if (critical > 0) {
    const time = duration(lasting(({ state }) => state === 'critical'));
    parts.push(`${critical} critical ${critical === 1 ? 'incident' : 'incidents'} (${time})`);
  }
  if (stressed > 0) {
    parts.push(`${stressed} stressed`);
  }
  const unobserved = lasting(({ state }) => state === 'unobserved');
  if (unobserved > 0) {
    parts.push(`not observed for ${duration(unobserved)}`);
  }
  const blind = lasting((segment) => segment.blind);
  if (blind > 0) {
    parts.push(`blind for ${duration(blind)}`);
  }
  return parts.join(' · ') || 'No incident';
}

/** The state before the current one, as far as the ribbon reaches back. */
export function previousIn(
  ribbon: Ribbon,
  since: number
): { state: HealthState; ms: number; atLeast: boolean } | undefined {
  const before = ribbon.segments.filter(({ from, state }) => from < since - 1 && state !== 'unobserved');
  const last = before[before.length - 1];
  if (!last || last.state === 'unobserved') {
    return undefined;
  }
  // Blind and seeing stretches of one state follow each other.
  let start = last.from;
  for (let i = before.length - 1; i >= 0 && before[i]?.state === last.state; i--) {
    start = before[i]?.from ?? start;
  }
  return { state: last.state, ms: Math.min(last.to, since) - start, atLeast: start <= ribbon.from };
}
