import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { ReactNode } from 'react';
import { coloursOf } from '../colours';
import { StateShape } from './StateShape';

/** One line about the answer itself, above the verdict: that it is old, or not all there. */
export function Banner({ children }: { children: ReactNode }) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.banner}>
      <StateShape shape="stressed" size={1.1} filled />
      <span>{children}</span>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const { tint, edge } = coloursOf(theme, 'stressed');
  return {
    banner: css({
      display: 'flex',
      alignItems: 'center',
      flex: 'none',
      gap: theme.spacing(1),
      padding: theme.spacing(0.5, 1.25),
      background: tint,
      border: `1px solid ${edge}`,
      borderRadius: theme.shape.radius.default,
      overflowWrap: 'anywhere',
    }),
  };
};
