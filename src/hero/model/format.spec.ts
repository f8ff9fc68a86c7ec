import { now } from '../testing/now';
import { clock, duration, measurement, percent } from './format';

const minute = 60_000;
const hour = 60 * minute;

it.each([
  [-5, '0 s'],
  [18_400, '18 s'],
  [119_999, '119 s'],
  [12 * minute, '12 min'],
  [6 * hour + 2 * minute, '6 h 02 min'],
  [24 * hour, '24 h'],
  [76 * hour, '3 d 4 h'],
  [72 * hour, '3 d'],
])('says %d ms as %s', (ms, words) => expect(duration(ms)).toBe(words));

it.each([
  [250, 's', '4 min 10 s'],
  [0.2, 's', '200 ms'],
  [4800, 'ms', '4.8 s'],
  [7200, 's', '2 h'],
  [94.25, '1/s', '94.3/s'],
  [94, 'cps', '94/s'],
  [1284, '1', '1,284'],
  [0.314, 'ratio', '31 %'],
  [3, undefined, '3'],
  [3, 'GB', '3 GB'],
])('writes %d in %s as %s', (value, unit, words) => expect(measurement(value, unit)).toBe(words));

it('rounds percentages', () => expect(percent(0.906)).toBe('91 %'));

describe('a point in time', () => {
  it("is in the dashboard's time zone", () => {
    expect(clock(now, now, 'utc')).toBe('03:33:30');
    expect(clock(now, now, 'Asia/Tokyo')).toBe('12:33:30');
  });

  it('has its date when that is another day there', () => {
    expect(clock(now - 6 * hour, now, 'utc')).toBe('11/23 21:33');
    expect(clock(now - 6 * hour, now, 'Asia/Tokyo')).toBe('06:33:30');
  });
});
