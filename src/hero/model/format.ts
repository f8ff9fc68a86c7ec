import { dateTimeFormat, systemDateFormats } from '@grafana/data';
import { TimeZone } from '@grafana/schema';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Words a duration as people say it: 18 s, 4 min, 6 h 02 min, 3 d 4 h. */
export function duration(ms: number): string {
  const whole = (unit: number) => Math.floor(Math.max(ms, 0) / unit);
  if (ms < 2 * minute) {
    return `${whole(second)} s`;
  }
  if (ms < hour) {
    return `${whole(minute)} min`;
  }
  if (ms < 2 * day) {
    const rest = whole(minute) % 60;
    return rest === 0 ? `${whole(hour)} h` : `${whole(hour)} h ${String(rest).padStart(2, '0')} min`;
  }
  return whole(hour) % 24 === 0 ? `${whole(day)} d` : `${whole(day)} d ${whole(hour) % 24} h`;
}

/** Words a duration to the second, as a measurement is: 4 min 10 s. */
export function preciseDuration(ms: number): string {
  if (ms < second) {
    return `${number(ms)} ms`;
  }
  if (ms < minute) {
    return `${number(ms / second)} s`;
  }
  const rest = Math.floor((ms % minute) / second);
  return ms < hour && rest > 0 ? `${Math.floor(ms / minute)} min ${rest} s` : duration(ms);
}

/** Writes a number with three digits that count. */
export function number(value: number): string {
  const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(undefined, digits).format(value);
}

/** Writes a share of 1 as a percentage. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Writes a measurement. Units are those of the signal catalogue, or Grafana's names for them. */
export function measurement(value: number, unit = ''): string {
  switch (unit) {
    case 's':
      return preciseDuration(value * second);
    case 'ms':
      return preciseDuration(value);
    case '1/s':
    case 'cps':
      return `${number(value)}/s`;
    case 'ratio':
    case 'percentunit':
      return percent(value);
    case '1':
    case 'short':
    case '':
      return number(value);
  }
  return `${number(value)} ${unit}`;
}

/** Writes a point in time, in the dashboard's time zone; the date only when it is another day than today. */
export function clock(at: number, now: number, timeZone: TimeZone): string {
  const inZone = (ms: number, format: string) => dateTimeFormat(ms, { timeZone, format });
  const sameDay = inZone(at, 'YYYY-MM-DD') === inZone(now, 'YYYY-MM-DD');
  return inZone(at, sameDay ? systemDateFormats.interval.second : systemDateFormats.interval.hour);
}
