import { TimeZone } from '@grafana/schema';
import React from 'react';
import { useNow } from '../hooks/useNow';
import { clock, duration } from '../model/format';
import { ageAt } from '../model/hero';
import { Hero } from '../model/types';

interface Props {
  hero: Hero;
  timeZone: TimeZone;
}

/** How old the analysis is, counting. */
export function Age({ hero, timeZone }: Props) {
  const now = useNow();
  const age = ageAt(hero, now);
  if (age === undefined) {
    return <>never analysed</>;
  }
  const text = `analysed ${duration(age)} ago`;
  return hero.observedAt === undefined ? (
    <>{text}</>
  ) : (
    <time dateTime={new Date(hero.observedAt).toISOString()} title={clock(hero.observedAt, now, timeZone)}>
      {text}
    </time>
  );
}

/** For how long the state has held, counting. */
export function Held({ hero }: Pick<Props, 'hero'>) {
  const now = useNow();
  const age = ageAt(hero, now);
  return hero.since === undefined || hero.observedAt === undefined || age === undefined ? null : (
    <>for {duration(hero.observedAt - hero.since + age)}</>
  );
}
