import { dateTime, TimeRange } from '@grafana/data';
import { frameOf } from '../testing/fixtures';
import { previousIn, ribbonFrom, ribbonSummary } from './ribbon';
import { Ribbon } from './types';

const hour = 3600_000;
const range: TimeRange = { from: dateTime(0), to: dateTime(10 * hour), raw: { from: 'now-10h', to: 'now' } };

const ribbonOf = (rows: Array<Record<string, string | number | boolean | null>>, now = 10 * hour) =>
  ribbonFrom(frameOf('timeline', rows), range, now);
const short = (ribbon: Ribbon | undefined) =>
  ribbon?.segments.map(({ from, to, state, blind }) => `${from / hour}-${to / hour} ${state}${blind ? ' blind' : ''}`);

describe('the ribbon', () => {
  it('holds a state until the next one, and the last until the end', () => {
    expect(
      short(
        ribbonOf([
          { time: 0, state: 'happy' },
          { time: 4 * hour, state: 'stressed' },
        ])
      )
    ).toEqual(['0-4 happy', '4-10 stressed']);
  });

  it('ends a state where its row says so, and knows that nobody looked then', () => {
    expect(
      short(
        ribbonOf([
          { start: hour, end: 3 * hour, state: 'happy' },
          { start: 5 * hour, end: 6 * hour, state: 'critical' },
        ])
      )
    ).toEqual(['0-1 unobserved', '1-3 happy', '3-5 unobserved', '5-6 critical', '6-10 unobserved']);
  });

  it('ends the last bar at a row without a state', () => {
    expect(
      short(
        ribbonOf([
          { time: 0, state: 'happy' },
          { time: 8 * hour, state: null },
        ])
      )
    ).toEqual(['0-8 happy', '8-10 unobserved']);
  });

  it('keeps within the time range, and out of the future', () => {
    expect(
      short(
        ribbonOf(
          [
            { start: -5 * hour, end: 2 * hour, state: 'stressed' },
            { start: 2 * hour, end: 90 * hour, state: 'happy' },
          ],
          9 * hour
        )
      )
    ).toEqual(['0-2 stressed', '2-9 happy']);
  });

  it('makes no gap of the difference between two clocks', () => {
    expect(short(ribbonOf([{ start: 0, end: 10 * hour - 30_000, state: 'happy' }]))).toEqual(['0-10 happy']);
  });

  it('joins what is the same, and parts what is not', () => {
    expect(
      short(
        ribbonOf([
          { time: 0, state: 'happy', blind: false },
          { time: hour, state: 'happy', blind: false },
          { time: 2 * hour, state: 'happy', blind: true },
        ])
      )
    ).toEqual(['0-2 happy', '2-10 happy blind']);
  });

  it('is none without a state in the range', () => {
    expect(ribbonOf([])).toBeUndefined();
    expect(ribbonOf([{ time: 11 * hour, state: 'happy' }])).toBeUndefined();
    expect(ribbonOf([{ start: 0, other: 'happy' }])).toBeUndefined();
  });
});

describe('the sum of a ribbon', () => {
  const summary = (states: string[], blind: number[] = []) =>
    ribbonSummary(
      ribbonOf(states.map((state, index) => ({ time: index * hour, state, blind: blind.includes(index) })))!
    );

  it('counts incidents from Happy to Happy', () => {
    expect(summary(['happy', 'stressed', 'critical', 'stressed', 'happy', 'stressed', 'happy'])).toBe(
      '1 critical incident (1 h) · 1 stressed'
    );
    expect(summary(['critical', 'happy', 'critical', 'happy'])).toBe('2 critical incidents (2 h)');
  });

  it('does not end an incident because nobody looked', () => {
    expect(summary(['stressed', 'unobserved', 'stressed', 'happy'])).toBe('1 stressed · not observed for 1 h');
  });

  it('counts the one that goes on', () => {
    expect(summary(['happy', 'stressed'])).toBe('1 stressed');
  });

  it('tells for how long the copilot was blind', () => {
    expect(summary(['happy', 'happy', 'happy'], [1])).toBe('blind for 1 h');
  });

  it('says that there was none', () => {
    expect(summary(['happy'])).toBe('No incident');
  });
});

describe('the state before the current one', () => {
  it('had held as far back as the ribbon goes, or to the one before', () => {
    const ribbon = ribbonOf([
      { time: 0, state: 'happy', blind: false },
      { time: 2 * hour, state: 'happy', blind: true },
      { time: 3 * hour, state: 'stressed', blind: false },
      { time: 5 * hour, state: 'critical', blind: false },
    ])!;
    expect(previousIn(ribbon, 3 * hour)).toEqual({ state: 'happy', ms: 3 * hour, atLeast: true });
    expect(previousIn(ribbon, 5 * hour)).toEqual({ state: 'stressed', ms: 2 * hour, atLeast: false });
    expect(previousIn(ribbon, 0)).toBeUndefined();
  });
});
