import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Tooltip, useStyles2 } from '@grafana/ui';
import React, { useId } from 'react';
import { Filter, useStateFilter } from '../hooks/useStateFilter';
import { stateWord } from '../model/states';
import { StateShape } from './StateShape';

const filters: Filter[] = ['all', 'happy', 'stressed', 'critical'];

/** Narrows the whole dashboard down to one state, through a variable that its panels use. */
export function StateFilter({ variable }: { variable: string }) {
  const styles = useStyles2(getStyles);
  const name = useId();
  const { value, set, exists } = useStateFilter(variable);
  const group = (
    <fieldset className={styles.group} disabled={!exists}>
      <legend className={styles.hidden}>Filter the dashboard by state</legend>
      {filters.map((filter) => (
        <label key={filter} className={styles.choice}>
          <input
            type="radio"
            className={styles.hidden}
            name={name}
            value={filter}
            checked={value === filter}
            onChange={() => set(filter)}
          />
          <span className={styles.word}>
            {filter !== 'all' && <StateShape shape={filter} size={0.8} filled />}
            {filter === 'all' ? 'All' : stateWord(filter)}
          </span>
        </label>
      ))}
    </fieldset>
  );
  return exists ? (
    group
  ) : (
    <Tooltip content={`This dashboard has no variable "${variable}" to filter by.`}>{group}</Tooltip>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  group: css({
    display: 'inline-flex',
    flex: 'none',
    position: 'relative',
    margin: theme.spacing(0, 0, 0, 'auto'),
    padding: 0,
    border: `1px solid ${theme.colors.border.medium}`,
    borderRadius: theme.shape.radius.default,
    overflow: 'hidden',
    fontSize: '0.86em',
  }),
  hidden: css({ position: 'absolute', width: 1, height: 1, margin: 0, overflow: 'hidden', clipPath: 'inset(50%)' }),
  choice: css({
    margin: 0,
    cursor: 'pointer',
    '& + &': { borderLeft: `1px solid ${theme.colors.border.medium}` },
    'fieldset:disabled &': { cursor: 'not-allowed', opacity: theme.colors.action.disabledOpacity },
  }),
  word: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(0.5),
    padding: theme.spacing(0.25, 1),
    lineHeight: 1.7,
    '&:hover': { background: theme.colors.action.hover },
    'input:checked + &': { background: theme.colors.action.selected, fontWeight: theme.typography.fontWeightMedium },
    'input:focus-visible + &': { outline: `2px solid ${theme.colors.primary.main}`, outlineOffset: -2 },
  }),
});
