import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { ReactNode, useId } from 'react';

interface Props {
  title: string;
  /** What one should know of how it came about. */
  note: string;
  children: ReactNode;
}

/** One of the two columns. */
export function Section({ title, note, children }: Props) {
  const styles = useStyles2(getStyles);
  const id = useId();
  return (
    <section className={styles.card} aria-labelledby={id}>
      <header className={styles.header}>
        <h4 id={id} className={styles.title}>
          {title}
        </h4>
        <span className={styles.note}>{note}</span>
      </header>
      {children}
    </section>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  card: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(0.5),
    minWidth: 0,
    padding: theme.spacing(1.5, 2),
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
  header: css({
    display: 'flex',
    flexWrap: 'wrap',
    justifyContent: 'space-between',
    alignItems: 'baseline',
    columnGap: theme.spacing(2),
    marginBottom: theme.spacing(0.5),
  }),
  title: css({ margin: 0, fontSize: '1em', fontWeight: theme.typography.fontWeightBold }),
  note: css({ color: theme.colors.text.secondary, fontSize: '0.86em' }),
});
