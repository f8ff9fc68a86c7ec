import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { ReactNode } from 'react';
import { Shape, StateShape } from './StateShape';

interface Props {
  shape: Shape;
  title: string;
  children?: ReactNode;
  /** Read out at once. */
  alert?: boolean;
}

/** Stands where a verdict would, and says why there is none and what to do. */
export function Message({ shape, title, children, alert = false }: Props) {
  const styles = useStyles2(getStyles);
  return (
    <div className={styles.message} role={alert ? 'alert' : undefined}>
      <StateShape shape={shape} size={2.4} />
      <div>
        <h3 className={styles.title}>{title}</h3>
        <div className={styles.text}>{children}</div>
      </div>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  message: css({
    display: 'flex',
    alignItems: 'center',
    justifyContent: 'center',
    gap: theme.spacing(2),
    flex: 1,
    minHeight: 0,
    padding: theme.spacing(1),
    overflowWrap: 'anywhere',
  }),
  title: css({ margin: 0, fontSize: '1.15em', fontWeight: theme.typography.fontWeightMedium }),
  text: css({ maxWidth: '46em', color: theme.colors.text.secondary }),
});
