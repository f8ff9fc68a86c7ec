import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { number, percent } from '../model/format';
import { Hero } from '../model/types';

interface Props {
  hero: Pick<Hero, 'confidence' | 'coverage' | 'signalsUsable' | 'signalsAsked'>;
}

const radius = 21;
const round = 2 * Math.PI * radius;

/** How sure the copilot is, and how much of the evidence that rests on was there and fresh. */
export function ConfidenceRing({ hero }: Props) {
  const styles = useStyles2(getStyles);
  const { confidence } = hero;
  if (confidence === undefined) {
    return null;
  }
  const evidence = evidenceOf(hero);
  return (
    <div className={styles.row}>
      <svg viewBox="0 0 50 50" className={styles.ring} role="img" aria-label={`Confidence ${percent(confidence)}`}>
        <circle cx="25" cy="25" r={radius} className={styles.track} />
        <circle
          cx="25"
          cy="25"
          r={radius}
          className={styles.arc}
          strokeDasharray={`${confidence * round} ${round}`}
          transform="rotate(-90 25 25)"
        />
        <text x="25" y="29.5" textAnchor="middle" className={styles.number}>
          {Math.round(confidence * 100)}%
        </text>
      </svg>
      <div>
        <div className={styles.title} aria-hidden>
          confidence
        </div>
        {evidence && <div className={styles.evidence}>{evidence}</div>}
      </div>
    </div>
  );
}

function evidenceOf({ signalsUsable, signalsAsked, coverage }: Props['hero']): string | undefined {
  if (signalsUsable !== undefined && signalsAsked !== undefined) {
    return `${number(signalsUsable)} of ${number(signalsAsked)} signals fresh`;
  }
  return coverage === undefined ? undefined : `${percent(coverage)} of the evidence fresh`;
}

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1.5) }),
  ring: css({ width: '3.7em', height: '3.7em', flex: 'none' }),
  track: css({ fill: 'none', stroke: theme.colors.border.medium, strokeWidth: 4.5 }),
  arc: css({ fill: 'none', stroke: theme.colors.text.primary, strokeWidth: 4.5 }),
  number: css({ fill: theme.colors.text.primary, fontSize: 12.5, fontWeight: theme.typography.fontWeightBold }),
  title: css({ fontWeight: theme.typography.fontWeightMedium }),
  evidence: css({ color: theme.colors.text.secondary, fontSize: '0.86em' }),
});
