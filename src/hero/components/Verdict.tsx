import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { coloursOf } from '../colours';
import { useNow } from '../hooks/useNow';
import { clock, duration } from '../model/format';
import { stateWord } from '../model/states';
import { Hero } from '../model/types';
import { ConfidenceRing } from './ConfidenceRing';
import { Shape, StateShape } from './StateShape';
import { Age, Held } from './Ticking';

interface Props {
  hero: Hero;
  stale: boolean;
  timeZone: TimeZone;
}

/** The shape that stands for the verdict, as far as it says anything about now. */
export function verdictShape(hero: Hero, stale: boolean): Shape {
  return stale ? 'stale' : hero.blind ? 'blind' : hero.state;
}

/** The verdict in a word. */
export function verdictWord(hero: Hero, stale: boolean): string {
  return stale ? 'Stale' : hero.blind ? 'Blind' : stateWord(hero.state);
}

/** The state, since when, how sure, and how fresh. */
export function Verdict({ hero, stale, timeZone }: Props) {
  const styles = useStyles2(getStyles, hero.state);
  const held = stale || hero.blind;
  return (
    <div className={styles.verdict}>
      <h3 className={held ? styles.heldBadge : styles.badge}>
        <StateShape shape={verdictShape(hero, stale)} size={1.25} />
        {verdictWord(hero, stale)}
      </h3>
      {held ? <HeldState hero={hero} stale={stale} timeZone={timeZone} /> : <Since hero={hero} timeZone={timeZone} />}
      <ConfidenceRing hero={hero} />
      <div className={styles.quiet}>
        <span className={held ? styles.heldDot : styles.dot} aria-hidden />
        <Age hero={hero} timeZone={timeZone} />
        {hero.cluster && <div className={styles.cluster}>{hero.cluster}</div>}
      </div>
    </div>
  );
}

type PartProps = Pick<Props, 'hero' | 'timeZone'>;

function Since({ hero, timeZone }: PartProps) {
  const styles = useStyles2(getStyles, hero.state);
  const now = useNow(60_000);
  if (hero.since === undefined) {
    return null;
  }
  const before =
    hero.previous &&
    hero.previous !== hero.state &&
    `was ${stateWord(hero.previous)}${hero.previousFor ? ` for ${hero.previousFor.atLeast ? 'at least ' : ''}${duration(hero.previousFor.ms)}` : ''}`;
  return (
    <div>
      <div className={styles.strong}>
        <Held hero={hero} />
      </div>
      <div className={styles.quiet}>
        {[`since ${clock(hero.since, now, timeZone)}`, before].filter(Boolean).join(' · ')}
      </div>
    </div>
  );
}

/** What was last known, which says nothing about now. */
function HeldState({ hero, stale, timeZone }: PartProps & { stale: boolean }) {
  const styles = useStyles2(getStyles, hero.state);
  const now = useNow(60_000);
  const when = stale && hero.observedAt !== undefined ? ` at ${clock(hero.observedAt, now, timeZone)}` : '';
  return (
    <div className={styles.was}>
      was <StateShape shape={hero.state} filled /> {stateWord(hero.state)}
      {when}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2, state: Hero['state']) => {
  const { text } = coloursOf(theme, state);
  const badge = css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1.25),
    margin: 0,
    color: text,
    fontSize: '2em',
    lineHeight: 1.15,
    fontWeight: theme.typography.fontWeightBold,
    letterSpacing: 0,
  });
  const quiet = { color: theme.colors.text.secondary, fontSize: '0.86em' };
  const dot = css({
    display: 'inline-block',
    width: '0.65em',
    height: '0.65em',
    marginRight: theme.spacing(0.75),
    borderRadius: theme.shape.radius.circle,
    background: coloursOf(theme, 'happy').fill,
  });
  return {
    verdict: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1.5) }),
    badge,
    heldBadge: css([badge, { color: theme.colors.text.secondary }]),
    strong: css({ fontWeight: theme.typography.fontWeightMedium }),
    was: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5) }),
    quiet: css(quiet),
    cluster: css({ overflowWrap: 'anywhere' }),
    dot,
    // A ring instead of a disc: not fresh, in colour and in shape.
    heldDot: css([dot, { background: 'none', border: `2px solid ${theme.colors.text.secondary}` }]),
  };
};
