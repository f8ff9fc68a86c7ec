import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { coloursOf } from '../colours';
import { measurement, percent } from '../model/format';
import { Factor, Hero } from '../model/types';
import { RichText } from './RichText';
import { Section } from './Section';
import { Sparkline } from './Sparkline';

interface Props {
  hero: Pick<Hero, 'factors' | 'logs' | 'wouldChange' | 'changed'>;
  /** Whether a factor's trend and value stand in its row. */
  roomy: boolean;
}

/** Why the verdict is what it is, what came first, and what would change it. */
export function Analysis({ hero, roomy }: Props) {
  const styles = useStyles2(getStyles);
  const { factors, logs, wouldChange, changed } = hero;
  return (
    <Section title="Analysis" note="ranked by what the verdict rests on">
      {factors === undefined ? (
        <div className={styles.none}>No query of type Summary was answered.</div>
      ) : factors.length > 0 ? (
        <ol className={styles.list}>
          {factors.map((factor) => (
            <FactorRow key={`${factor.rank} ${factor.text}`} factor={factor} roomy={roomy} />
          ))}
        </ol>
      ) : (
        <div className={styles.none}>Nothing speaks against the cluster.</div>
      )}
      {logs.length > 0 && (
        <div>
          <h5 className={styles.heading}>In the logs</h5>
          <ul className={styles.logs}>
            {logs.map((remark) => (
              <li key={remark}>
                <RichText text={remark} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {changed && (
        <div className={styles.foot}>
          <RichText text={changed} />
        </div>
      )}
      <WouldChange text={wouldChange} />
    </Section>
  );
}

/** What would change the verdict. */
export function WouldChange({ text }: { text?: string }) {
  const styles = useStyles2(getStyles);
  return text ? (
    <div className={styles.foot}>
      <span className={styles.label}>Would change the verdict: </span>
      <RichText text={text} />
    </div>
  ) : null;
}

function FactorRow({ factor, roomy }: { factor: Factor; roomy: boolean }) {
  const styles = useStyles2(getStyles);
  const { rank, text, weight, value, limit, unit, trend, gate } = factor;
  const numbers = value !== undefined && (
    <div className={styles.numbers}>
      <div className={styles.value}>{measurement(value, unit)}</div>
      {limit !== undefined && <div className={styles.limit}>limit {measurement(limit, unit)}</div>}
    </div>
  );
  return (
    <li className={styles.row}>
      <span className={styles.rank} aria-hidden>
        {rank}
      </span>
      <div className={styles.words} title={gate && `Rule ${gate}`}>
        <RichText text={text} />
        {weight !== undefined && (
          <div
            className={styles.bar}
            role="meter"
            aria-label="Weight in the verdict"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(weight * 100)}
            aria-valuetext={percent(weight)}
          >
            <div className={styles.filled} style={{ width: `${weight * 100}%` }} />
          </div>
        )}
        {!roomy && (numbers || trend.length > 1) && (
          <div className={styles.below}>
            <Sparkline values={trend} unit={unit} />
            {numbers}
          </div>
        )}
      </div>
      {roomy && (
        <>
          <div className={styles.trend}>
            <Sparkline values={trend} unit={unit} />
          </div>
          <div className={styles.side}>{numbers}</div>
        </>
      )}
    </li>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', margin: 0 }),
  row: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1.5),
    padding: theme.spacing(0.75, 0),
    '& + &': { borderTop: `1px solid ${theme.colors.border.weak}` },
  }),
  rank: css({
    flex: 'none',
    alignSelf: 'flex-start',
    width: '1em',
    color: theme.colors.text.secondary,
    fontWeight: theme.typography.fontWeightBold,
  }),
  words: css({ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }),
  bar: css({
    height: 4,
    marginTop: theme.spacing(0.5),
    borderRadius: theme.shape.radius.pill,
    background: theme.colors.border.medium,
    overflow: 'hidden',
  }),
  filled: css({ height: '100%', borderRadius: theme.shape.radius.pill, background: coloursOf(theme, 'info').fill }),
  below: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1.5), marginTop: theme.spacing(0.5) }),
  trend: css({ flex: 'none', width: '7.4em' }),
  side: css({ flex: 'none', width: '6.5em' }),
  numbers: css({ fontVariantNumeric: 'tabular-nums', fontSize: '0.86em', lineHeight: 1.3 }),
  value: css({ fontFamily: theme.typography.fontFamilyMonospace }),
  limit: css({ color: theme.colors.text.secondary }),
  heading: css({
    margin: theme.spacing(1, 0, 0.5),
    paddingTop: theme.spacing(1),
    borderTop: `1px solid ${theme.colors.border.weak}`,
    fontSize: '0.86em',
    fontWeight: theme.typography.fontWeightMedium,
    color: theme.colors.text.secondary,
  }),
  logs: css({
    margin: 0,
    paddingLeft: '1.2em',
    overflowWrap: 'anywhere',
    '& > li + li': { marginTop: theme.spacing(0.25) },
  }),
  none: css({ color: theme.colors.text.secondary }),
  label: css({ fontWeight: theme.typography.fontWeightMedium }),
  foot: css({ color: theme.colors.text.secondary, fontSize: '0.86em', marginTop: theme.spacing(0.5) }),
});
