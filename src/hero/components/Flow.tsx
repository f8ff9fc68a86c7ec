import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React from 'react';
import { measurement, number } from '../model/format';
import { kindWord, stateWord } from '../model/states';
import { Place } from '../model/types';
import { Section } from './Section';
import { Sparkline } from './Sparkline';
import { StateShape } from './StateShape';

interface Props {
  places: Place[];
  roomy: boolean;
  most?: number;
}

/** The parts of the cluster of which it is known how work flows through them. */
export function flowing(places: Place[]): Place[] {
  return places.filter(({ asked, served }) => asked !== undefined || served !== undefined);
}

/** How work flows through the cluster, the busiest part first: what a panel shows while there is nothing to explain. */
export function Flow({ places, roomy, most = 6 }: Props) {
  const styles = useStyles2(getStyles);
  const busiest = flowing(places).sort((a, b) => (b.asked ?? 0) - (a.asked ?? 0));
  const rest = busiest.length - most;
  return (
    <Section title="How work flows" note={rest > 0 ? `the busiest ${most} of ${busiest.length}` : 'the busiest first'}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Asked</th>
            <th scope="col">Served</th>
            <th scope="col">Oldest</th>
            {roomy && <th scope="col">Pollers</th>}
            {roomy && <th scope="col">Served lately</th>}
          </tr>
        </thead>
        <tbody>
          {busiest.slice(0, most).map((place) => (
            <tr key={[place.kind, place.namespace, place.name].join('/')}>
              <th scope="row">
                <div className={styles.part}>
                  <StateShape shape={place.state} size={0.85} filled />
                  <span>
                    <span className={styles.hidden}>{stateWord(place.state)} </span>
                    <span className={styles.name}>{place.name}</span>
                    {roomy && <span className={styles.kind}> · {kindWord(place.kind)}</span>}
                  </span>
                </div>
              </th>
              <td>{shown(place.asked, '1/s')}</td>
              <td>{shown(place.served, '1/s')}</td>
              <td>{shown(place.oldestSec, 's')}</td>
              {roomy && <td>{place.pollers === undefined ? '–' : number(place.pollers)}</td>}
              {roomy && (
                <td>
                  <Sparkline values={place.trend} unit="1/s" />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

/** A measurement; what was not measured is not 0. */
function shown(value: number | undefined, unit: string): string {
  return value === undefined ? '–' : measurement(value, unit);
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    fontVariantNumeric: 'tabular-nums',
    'th, td': { padding: theme.spacing(0.5, 1, 0.5, 0), textAlign: 'left', fontWeight: 'normal' },
    'thead th': { color: theme.colors.text.secondary, fontSize: '0.86em' },
    'tbody tr': { borderTop: `1px solid ${theme.colors.border.weak}` },
  }),
  part: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), wordBreak: 'break-word' }),
  // A short name stays whole on a phone, too.
  name: css({
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: '0.95em',
    display: 'inline-block',
    minWidth: '8ch',
  }),
  kind: css({ color: theme.colors.text.secondary }),
  hidden: css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }),
});
