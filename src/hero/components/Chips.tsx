import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { Tooltip, useStyles2 } from '@grafana/ui';
import React from 'react';
import { coloursOf } from '../colours';
import { duration, measurement, number, percent } from '../model/format';
import { bottleneckWord, isImpaired, kindWord, stateWord } from '../model/states';
import { HealthState, Hero, Place } from '../model/types';
import { StateShape } from './StateShape';

interface Props {
  hero: Pick<Hero, 'places' | 'bottleneck' | 'observedAt'>;
  /** How many parts of the cluster are shown, impaired or not. */
  most?: number;
}

/** The parts of the cluster, those that are impaired first, and the layer that makes work wait. */
export function Chips({ hero, most = 8 }: Props) {
  const styles = useStyles2(getStyles);
  const bottleneck = bottleneckWord(hero.bottleneck);
  const shown = hero.places.slice(0, most);
  const rest = hero.places.slice(most);
  if (shown.length === 0 && !bottleneck) {
    return null;
  }
  return (
    <ul className={styles.list} aria-label="Parts of the cluster">
      {shown.map((place) => (
        <li key={[place.kind, place.namespace, place.name].join('/')}>
          <PlaceChip place={place} observedAt={hero.observedAt} />
        </li>
      ))}
      {rest.length > 0 && <li className={styles.rest}>{moreOf(rest)}</li>}
      {bottleneck && (
        <li>
          <span className={styles.bottleneck}>{bottleneck}</span>
        </li>
      )}
    </ul>
  );
}

function PlaceChip({ place, observedAt }: { place: Place; observedAt?: number }) {
  const styles = useStyles2(getPlaceStyles, place.state);
  const impaired = isImpaired(place.state);
  const detail = describe(place, observedAt);
  return (
    <Tooltip content={detail}>
      <span className={styles.chip} tabIndex={0}>
        <StateShape shape={place.state} size={0.85} filled />
        <span>
          {place.name}
          {impaired && ` · ${kindWord(place.kind)}`}
          <span className={styles.hidden}>, {stateWord(place.state)}</span>
        </span>
      </span>
    </Tooltip>
  );
}

function moreOf(places: Place[]): string {
  const impaired = places.filter(({ state }) => isImpaired(state)).length;
  return impaired > 0 ? `${places.length} more, ${impaired} of them impaired` : `${places.length} more`;
}

/** What is known of a place, in one line. */
function describe(place: Place, observedAt: number | undefined): string {
  const held =
    place.since !== undefined && observedAt !== undefined ? ` for ${duration(observedAt - place.since)}` : '';
  const where = place.kind === 'task_queue' && place.namespace ? ` of ${place.namespace}` : '';
  const facts = [
    `${capital(kindWord(place.kind))} ${place.name}${where}: ${stateWord(place.state)}${held}`,
    place.asked !== undefined && `${measurement(place.asked, '1/s')} asked`,
    place.served !== undefined && `${measurement(place.served, '1/s')} served`,
    place.waiting !== undefined && place.waiting > 0 && `${number(place.waiting)} waiting`,
    place.oldestSec !== undefined && place.oldestSec > 0 && `oldest ${measurement(place.oldestSec, 's')}`,
    place.pollers !== undefined && `${number(place.pollers)} ${place.pollers === 1 ? 'poller' : 'pollers'}`,
    place.share !== undefined && place.share > 0 && `${percent(place.share)} of the demand`,
  ];
  return facts.filter(Boolean).join(' · ');
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

const chip = (theme: GrafanaTheme2) =>
  ({
    display: 'inline-flex',
    alignItems: 'center',
    gap: theme.spacing(0.75),
    maxWidth: '100%',
    padding: theme.spacing(0.25, 1.25),
    border: `1px solid ${theme.colors.border.medium}`,
    borderRadius: theme.shape.radius.pill,
    fontSize: '0.86em',
    lineHeight: 1.5,
    overflowWrap: 'anywhere',
  }) as const;

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(1),
    listStyle: 'none',
    margin: 0,
  }),
  rest: css({ color: theme.colors.text.secondary, fontSize: '0.86em' }),
  bottleneck: css([chip(theme), { color: theme.colors.primary.text, borderColor: theme.colors.primary.border }]),
});

const getPlaceStyles = (theme: GrafanaTheme2, state: HealthState) => {
  const { text, edge } = coloursOf(theme, state);
  return {
    chip: css([chip(theme), isImpaired(state) && { color: text, borderColor: edge }]),
    hidden: css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }),
  };
};
