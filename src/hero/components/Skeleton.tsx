import { css, keyframes } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { Layout } from '../model/layout';

/** The outline of what is on its way, while the first answer is not there. */
export function Skeleton({ layout }: { layout: Layout }) {
  const styles = useStyles2(getStyles);
  return (
    <div className={layout.beside ? styles.beside : styles.above} role="status" aria-label="Loading the verdict">
      <div className={styles.side}>
        <div className={styles.bone} style={{ width: '70%', height: '2em' }} />
        <div className={styles.bone} style={{ width: '45%' }} />
        {!layout.strip && (
          <div className={styles.bone} style={{ width: '3.500em', height: '3.500em', borderRadius: '50%' }} />
        )}
      </div>
      <div className={styles.main}>
        <div className={styles.bone} style={{ width: '100%', height: layout.strip ? '1em' : '3.200em' }} />
        <div className={styles.bone} style={{ width: '90%' }} />
        {!layout.strip && <div className={styles.bone} style={{ width: '60%' }} />}
      </div>
    </div>
  );
}

const breathe = keyframes({ '50%': { opacity: 0.45 } });

const getStyles = (theme: GrafanaTheme2) => {
  const card = css({
    display: 'flex',
    flex: 'none',
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderLeft: `4px solid ${theme.colors.border.medium}`,
    borderRadius: theme.shape.radius.default,
  });
  const stack = {
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(1.25),
    padding: theme.spacing(1.5, 2),
  } as const;
  return {
    beside: card,
    above: css([card, { flexDirection: 'column' }]),
    side: css([stack, { flex: 'none', width: '17.500em', maxWidth: '100%' }]),
    main: css([stack, { flex: 1 }]),
    bone: css({
      height: '1em',
      borderRadius: theme.shape.radius.default,
      background: theme.colors.action.selected,
      [theme.transitions.handleMotion('no-preference')]: { animation: `${breathe} 1.6s ease-in-out infinite` },
    }),
  };
};
