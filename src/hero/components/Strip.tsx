import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { coloursOf, Tone } from '../colours';
import { percent } from '../model/format';
import { isImpaired, stateWord } from '../model/states';
import { Hero } from '../model/types';
import { RichText } from './RichText';
import { StateShape } from './StateShape';
import { Age, Held } from './Ticking';
import { verdictShape, verdictWord } from './Verdict';

interface Props {
  hero: Hero;
  stale: boolean;
  timeZone: TimeZone;
}

/** The verdict where there is room for two lines: the gravest issue, or else the summary, and how sure and fresh. */
export function Strip({ hero, stale, timeZone }: Props) {
  const held = stale || hero.blind;
  const tone: Tone = held ? 'unknown' : hero.state;
  const styles = useStyles2(getStyles, tone);
  const [worst] = hero.issues;
  const grave = worst && isImpaired(worst.severity) ? worst : undefined;
  const said = grave?.title ?? hero.summary ?? hero.blindReason;
  return (
    <section className={styles.card} aria-label="Verdict">
      <h3 className={styles.badge}>
        <StateShape shape={verdictShape(hero, stale)} size={1.2} />
        {verdictWord(hero, stale)}
      </h3>
      <div className={styles.words}>
        {said && (
          <div className={styles.said} title={said}>
            {grave && <StateShape shape={grave.severity} filled />}
            <span className={styles.line}>
              <RichText text={said} />
            </span>
          </div>
        )}
        <div className={styles.quiet}>
          {held ? <>was {stateWord(hero.state)}</> : <Held hero={hero} />}
          {hero.confidence !== undefined && <> · {percent(hero.confidence)} confidence</>} ·{' '}
          <Age hero={hero} timeZone={timeZone} />
          {hero.cluster && <> · {hero.cluster}</>}
        </div>
      </div>
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2, tone: Tone) => {
  const { fill, text } = coloursOf(theme, tone);
  const line = css({ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap', minWidth: 0 });
  return {
    card: css({
      display: 'flex',
      alignItems: 'center',
      flex: 'none',
      gap: theme.spacing(2),
      padding: theme.spacing(0.5, 2, 0.5, 1.5),
      background: theme.colors.background.primary,
      border: `1px solid ${theme.colors.border.weak}`,
      borderLeft: `4px solid ${fill}`,
      borderRadius: theme.shape.radius.default,
    }),
    badge: css({
      display: 'flex',
      alignItems: 'center',
      flex: 'none',
      gap: theme.spacing(1),
      margin: 0,
      color: text,
      fontSize: '1.7em',
      lineHeight: 1.2,
    }),
    words: css({ flex: 1, minWidth: 0 }),
    said: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(0.75) }),
    line,
    quiet: css([line, { color: theme.colors.text.secondary, fontSize: '0.86em' }]),
  };
};
