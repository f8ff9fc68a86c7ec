import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { TimeZone } from '@grafana/schema';
import { TextLink, useStyles2 } from '@grafana/ui';
import React, { useMemo } from 'react';
import { coloursOf, Tone } from '../colours';
import { useNow } from '../hooks/useNow';
import { clock, duration } from '../model/format';
import { guideLink } from '../model/guide';
import { ageAt, isStale, summaryBeside } from '../model/hero';
import { Layout } from '../model/layout';
import { Hero } from '../model/types';
import { HeroOptions } from '../options';
import { Analysis, WouldChange } from './Analysis';
import { Banner } from './Banner';
import { Chips } from './Chips';
import { Flow, flowing } from './Flow';
import { IssueCallout } from './IssueCallout';
import { Remediations } from './Remediations';
import { Prose, RichText } from './RichText';
import { StateFilter } from './StateFilter';
import { StateRibbon } from './StateRibbon';
import { Strip } from './Strip';
import { Verdict, verdictWord } from './Verdict';

interface Props {
  hero: Hero;
  receivedAt: number;
  options: HeroOptions;
  layout: Layout;
  timeZone: TimeZone;
}

/** The verdict with all that is known of it. */
export function HeroView({ hero, receivedAt, options, layout, timeZone }: Props) {
  // Coarse on purpose: everything below renders with it.
  const now = useNow(10_000);
  const stale = isStale(hero, now);
  const held = stale || hero.blind;
  const tone: Tone = held ? 'unknown' : hero.state;
  const styles = useStyles2(getStyles, layout, tone, options.density);
  const prose = useMemo(
    () => ({
      names: [...new Set(hero.places.filter(({ kind }) => kind === 'task_queue').map(({ name }) => name))],
      clock: (at: number) => clock(at, receivedAt, timeZone),
    }),
    [hero.places, receivedAt, timeZone]
  );
  const [worst] = hero.issues;
  const columns =
    layout.columns > 0 && [hero.factors, hero.actions, hero.avoid, hero.logs].some((list) => list?.length);

  return (
    <Prose.Provider value={prose}>
      <div className={styles.hidden} role="status">
        {hero.cluster || 'The cluster'}: {verdictWord(hero, stale)}
      </div>
      {hero.degraded && <Banner>Degraded: {hero.degraded}</Banner>}
      {layout.strip ? (
        <Strip hero={hero} stale={stale} timeZone={timeZone} />
      ) : (
        <section className={styles.card} aria-label="Verdict">
          <div className={styles.side}>
            <Verdict hero={hero} stale={stale} timeZone={timeZone} />
          </div>
          <div className={styles.main}>
            {stale && <Staleness hero={hero} now={now} timeZone={timeZone} />}
            {worst && <IssueCallout issues={hero.issues} timeZone={timeZone} />}
            {hero.blind && hero.blindReason && !hero.summary?.includes(hero.blindReason) && (
              <p className={styles.summary}>
                <RichText text={`The copilot cannot see the cluster: ${hero.blindReason}`} />
              </p>
            )}
            {hero.summary && (
              <p className={styles.summary}>
                <RichText text={summaryBeside(hero.summary, worst)} />
              </p>
            )}
            <RestoreSight hero={hero} base={options.guideBaseUrl} />
            <div className={styles.bar}>
              <Chips hero={hero} />
              {options.filterVariable && <StateFilter variable={options.filterVariable} />}
            </div>
            {options.ribbon && hero.ribbon && <StateRibbon ribbon={hero.ribbon} now={receivedAt} timeZone={timeZone} />}
            {!columns && <WouldChange text={hero.wouldChange} />}
          </div>
        </section>
      )}
      {!columns && layout.columns > 0 && flowing(hero.places).length > 0 && (
        <Flow places={hero.places} roomy={layout.beside} />
      )}
      {columns && (
        <div className={styles.columns}>
          <Analysis hero={hero} roomy={layout.roomy} />
          <Remediations hero={hero} guideBaseUrl={options.guideBaseUrl} roomy={layout.roomy} />
        </div>
      )}
    </Prose.Provider>
  );
}

function Staleness({ hero, now, timeZone }: { hero: Hero; now: number; timeZone: TimeZone }) {
  const age = ageAt(hero, now);
  return (
    <Banner>
      {age === undefined
        ? 'The cluster was never analysed.'
        : `The last analysis is ${duration(age)} old. What is shown was true at ${clock(hero.observedAt ?? now - age, now, timeZone)}.`}{' '}
      Check that the copilot&apos;s worker runs.
    </Banner>
  );
}

function RestoreSight({ hero, base }: { hero: Hero; base: string }) {
  const link = guideLink(hero.sightGuide, base, hero.sightLink);
  return link ? (
    <div>
      <TextLink href={link} external inline={false} variant="bodySmall">
        How to restore sight
      </TextLink>
    </div>
  ) : null;
}

const getStyles = (theme: GrafanaTheme2, layout: Layout, tone: Tone, density: HeroOptions['density']) => {
  const { fill } = coloursOf(theme, tone);
  const compact = density === 'compact';
  return {
    hidden: css({ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }),
    card: css({
      display: 'flex',
      flexDirection: layout.beside ? 'row' : 'column',
      flex: 'none',
      background: theme.colors.background.primary,
      border: `1px solid ${theme.colors.border.weak}`,
      borderLeft: `4px solid ${fill}`,
      borderRadius: theme.shape.radius.default,
    }),
    side: css({
      flex: 'none',
      width: layout.beside ? '17.5em' : 'auto',
      padding: theme.spacing(compact ? 1 : 2, 2),
      [layout.beside ? 'borderRight' : 'borderBottom']: `1px solid ${theme.colors.border.weak}`,
    }),
    main: css({
      display: 'flex',
      flexDirection: 'column',
      justifyContent: 'center',
      flex: 1,
      minWidth: 0,
      gap: theme.spacing(compact ? 1 : 1.5),
      padding: theme.spacing(compact ? 1 : 2, 2),
    }),
    summary: css({ margin: 0, fontSize: '1.07em', overflowWrap: 'anywhere', maxWidth: '100ch' }),
    bar: css({
      display: 'flex',
      flexWrap: layout.wide ? 'nowrap' : 'wrap',
      alignItems: 'flex-start',
      justifyContent: 'space-between',
      gap: theme.spacing(1, 2),
    }),
    columns: css({
      display: 'grid',
      gridTemplateColumns: `repeat(${layout.columns}, minmax(0, 1fr))`,
      gap: theme.spacing(1),
      flex: '1 0 auto',
    }),
  };
};
