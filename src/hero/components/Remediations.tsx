import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import React from 'react';
import { coloursOf } from '../colours';
import { percent } from '../model/format';
import { guideLink } from '../model/guide';
import { Action, Hero, Risk } from '../model/types';
import { RichText } from './RichText';
import { Section } from './Section';
import { StateShape } from './StateShape';

interface Props {
  hero: Pick<Hero, 'actions' | 'avoid'>;
  guideBaseUrl: string;
  /** Whether everything of an action fits into its row. */
  roomy: boolean;
}

const whyNotExecute = 'Execution comes with a later version; the copilot never changes the cluster.';

/** What to do, the most trusted first, and what not to do. */
export function Remediations({ hero, guideBaseUrl, roomy }: Props) {
  const styles = useStyles2(getStyles);
  const { actions, avoid } = hero;
  return (
    <Section title="Suggested remediations" note="rules decide, AI explains">
      {actions === undefined ? (
        <div className={styles.none}>No query of type Actions was answered.</div>
      ) : actions.length > 0 ? (
        <ul className={styles.list}>
          {actions.map((action) => (
            <ActionRow key={action.id} action={action} guideBaseUrl={guideBaseUrl} roomy={roomy} />
          ))}
        </ul>
      ) : (
        <div className={styles.none}>Nothing to do.</div>
      )}
      {avoid.length > 0 && <AvoidBox avoid={avoid} />}
    </Section>
  );
}

function ActionRow({ action, guideBaseUrl, roomy }: Omit<Props, 'hero'> & { action: Action }) {
  const styles = useStyles2(getStyles);
  const { text, confidence, risk, guide, target } = action;
  const link = guideLink(guide, guideBaseUrl, action.guideLink);
  return (
    <li className={roomy ? styles.row : styles.stacked}>
      <div className={styles.words}>
        <RichText text={text.charAt(0).toUpperCase() + text.slice(1)} />
        {target && !text.includes(target.split('/').pop() ?? target) && (
          <div className={styles.target}>
            on <RichText text={target} />
          </div>
        )}
      </div>
      <div className={roomy ? styles.factsInRow : styles.facts}>
        {confidence !== undefined && (
          <span className={styles.confidence} title="How sure the rules are that this is the remedy">
            {percent(confidence)}
            <span className={styles.hidden}> confidence</span>
          </span>
        )}
        {risk && <RiskMark risk={risk} />}
        {link ? (
          <a
            className={styles.link}
            href={link}
            target="_blank"
            rel="noreferrer"
            aria-label={`View guide: ${guide} (opens in a new tab)`}
          >
            View guide
          </a>
        ) : (
          guide && <span className={styles.guide}>guide: {guide}</span>
        )}
        <Button
          size="sm"
          className={styles.execute}
          variant="secondary"
          fill="outline"
          disabled
          tooltip={whyNotExecute}
        >
          Execute
        </Button>
      </div>
    </li>
  );
}

function RiskMark({ risk }: { risk: Risk }) {
  const styles = useStyles2(getRiskStyles, risk);
  return <span className={styles.mark}>{risk === 'none' ? 'no' : risk} risk</span>;
}

function AvoidBox({ avoid }: { avoid: string[] }) {
  const styles = useStyles2(getStyles);
  return (
    <ul className={styles.avoid} aria-label="Do not">
      {avoid.map((text) => (
        <li key={text} className={styles.dont}>
          <StateShape shape="avoid" size={1.1} />
          <div className={styles.words}>
            Do not <RichText text={text.replace(/^(?:do not|don't)\s+/i, '')} />
          </div>
        </li>
      ))}
    </ul>
  );
}

const getRiskStyles = (theme: GrafanaTheme2, risk: Risk) => {
  const tone = risk === 'high' ? 'critical' : risk === 'medium' ? 'stressed' : undefined;
  const colours = tone && coloursOf(theme, tone);
  return {
    mark: css({
      padding: theme.spacing(0, 0.75),
      border: `1px solid ${colours?.edge ?? theme.colors.border.medium}`,
      borderRadius: theme.shape.radius.default,
      color: colours?.text,
      fontSize: '0.8em',
      lineHeight: 1.6,
      whiteSpace: 'nowrap',
    }),
  };
};

const getStyles = (theme: GrafanaTheme2) => {
  const critical = coloursOf(theme, 'critical');
  const row = css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1.5),
    padding: theme.spacing(0.75, 0),
    '& + &': { borderTop: `1px solid ${theme.colors.border.weak}` },
  });
  return {
    list: css({ listStyle: 'none', margin: 0 }),
    row,
    stacked: css([row, { flexDirection: 'column', alignItems: 'flex-start', gap: theme.spacing(0.5) }]),
    words: css({ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }),
    target: css({ color: theme.colors.text.secondary, fontSize: '0.86em' }),
    facts: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 1.25) }),
    // The facts of all rows stand below each other.
    factsInRow: css({
      display: 'grid',
      gridTemplateColumns: '3.2em 6.3em 5.8em auto',
      alignItems: 'center',
      justifyItems: 'start',
      flex: 'none',
      columnGap: theme.spacing(0.5),
    }),
    confidence: css({ fontWeight: theme.typography.fontWeightBold, fontVariantNumeric: 'tabular-nums' }),
    link: css({
      color: theme.colors.text.link,
      fontSize: '0.86em',
      whiteSpace: 'nowrap',
      '&:hover, &:focus-visible': { textDecoration: 'underline' },
    }),
    // Grafana's button does not grow with the text around it by itself.
    execute: css({ height: 'auto', padding: '0 0.6em', fontSize: '0.86em', lineHeight: 1.8 }),
    guide: css({ color: theme.colors.text.secondary, fontSize: '0.86em' }),
    hidden: css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }),
    none: css({ color: theme.colors.text.secondary }),
    avoid: css({
      display: 'flex',
      flexDirection: 'column',
      gap: theme.spacing(0.5),
      listStyle: 'none',
      margin: theme.spacing(0.75, 0, 0),
      padding: theme.spacing(0.75, 1.25),
      border: `1px dashed ${critical.edge}`,
      borderRadius: theme.shape.radius.default,
      color: critical.text,
    }),
    dont: css({
      display: 'flex',
      alignItems: 'baseline',
      gap: theme.spacing(1),
      '& > svg': { alignSelf: 'flex-start', marginTop: '0.2em' },
    }),
  };
};
