import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { TimeZone } from '@grafana/schema';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { coloursOf, Tone } from '../colours';
import { useNow } from '../hooks/useNow';
import { clock } from '../model/format';
import { isImpaired, stateWord } from '../model/states';
import { Issue } from '../model/types';
import { RichText } from './RichText';
import { StateShape } from './StateShape';

interface Props {
  /** The gravest first. */
  issues: Issue[];
  timeZone: TimeZone;
}

/** The gravest of the open issues, and the others on demand. */
export function IssueCallout({ issues, timeZone }: Props) {
  const [worst, ...others] = issues;
  const tone: Tone = worst && isImpaired(worst.severity) ? worst.severity : 'info';
  const styles = useStyles2(getStyles, tone);
  const now = useNow(60_000);
  if (!worst) {
    return null;
  }
  return (
    <div className={styles.box}>
      <div className={styles.mark}>
        <StateShape shape={tone} size={1.3} filled={tone !== 'info'} />
      </div>
      <div className={styles.words}>
        <div className={styles.title}>
          <span className={styles.hidden}>{isImpaired(worst.severity) ? stateWord(worst.severity) : 'Remark'}: </span>
          <RichText text={worst.title} />
        </div>
        {worst.detail && (
          <div className={styles.detail}>
            <RichText text={worst.detail} />
          </div>
        )}
        {others.length > 0 && (
          <details className={styles.others}>
            <summary>
              {others.length} more {others.length === 1 ? 'issue' : 'issues'}
            </summary>
            <ul>
              {others.map((issue) => (
                <li key={issue.title}>
                  <StateShape
                    shape={isImpaired(issue.severity) ? issue.severity : 'info'}
                    filled={isImpaired(issue.severity)}
                  />
                  <span>
                    <RichText text={issue.title} />
                    {issue.openedAt !== undefined && (
                      <span className={styles.since}> · since {clock(issue.openedAt, now, timeZone)}</span>
                    )}
                  </span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2, tone: Tone) => {
  const { tint, edge } = coloursOf(theme, tone);
  return {
    box: css({
      display: 'flex',
      gap: theme.spacing(1.25),
      padding: theme.spacing(1, 1.5),
      background: tint,
      border: `1px solid ${edge}`,
      borderRadius: theme.shape.radius.default,
    }),
    mark: css({ paddingTop: '0.1em' }),
    words: css({ minWidth: 0, flex: 1 }),
    title: css({ fontWeight: theme.typography.fontWeightMedium, overflowWrap: 'anywhere' }),
    detail: css({ color: theme.colors.text.secondary }),
    hidden: css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }),
    since: css({ color: theme.colors.text.secondary }),
    others: css({
      marginTop: theme.spacing(0.5),
      fontSize: '0.93em',
      summary: { display: 'list-item', cursor: 'pointer', color: theme.colors.text.secondary, width: 'fit-content' },
      ul: { listStyle: 'none', margin: theme.spacing(0.5, 0, 0) },
      li: { display: 'flex', alignItems: 'center', gap: theme.spacing(0.75) },
    }),
  };
};
