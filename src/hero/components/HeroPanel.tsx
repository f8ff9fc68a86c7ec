import { css } from '@emotion/css';
import { GrafanaTheme2, LoadingState, PanelProps } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { ReactNode, useState } from 'react';
import { heroFrom } from '../model/hero';
import { Layout, layoutFor } from '../model/layout';
import { Hero } from '../model/types';
import { HeroOptions } from '../options';
import { Banner } from './Banner';
import { HeroView } from './HeroView';
import { Message } from './Message';
import { Skeleton } from './Skeleton';

type Props = Pick<PanelProps<HeroOptions>, 'data' | 'options' | 'width' | 'height' | 'timeZone'>;

interface Received {
  series: Props['data']['series'];
  hero?: Hero;
  at: number;
}

/** The hero panel: shows the verdict, or why there is none. */
export function HeroPanel({ data, options, width, height, timeZone }: Props) {
  const layout = layoutFor(width, height, options);
  const styles = useStyles2(getStyles, layout);
  const received = useReceived(data);
  const { hero } = received;
  const errors = errorsOf(data);

  let content: ReactNode;
  if (hero) {
    content = (
      <>
        {errors.length > 0 && <Banner>A part could not be loaded: {errors.join(' ')}</Banner>}
        <HeroView hero={hero} receivedAt={received.at} options={options} layout={layout} timeZone={timeZone} />
      </>
    );
  } else if (errors.length > 0) {
    content = (
      <Message shape="critical" title="The verdict could not be loaded" alert>
        {errors.join(' ')}
      </Message>
    );
  } else if (data.state === LoadingState.Loading || data.state === LoadingState.NotStarted) {
    content = <Skeleton layout={layout} />;
  } else {
    content = (
      <Message shape="unknown" title="No verdict">
        None of this panel&apos;s queries returned a status. Add a query of type Status to the Temporal SRE Copilot data
        source, and check that the copilot&apos;s worker runs.
      </Message>
    );
  }
  return (
    // What scrolls must be within reach of the keyboard.
    <div
      className={styles.panel}
      style={{ width, height }}
      role="group"
      aria-label="Copilot Insights"
      tabIndex={0}
      data-testid="copilot-hero"
    >
      {content}
    </div>
  );
}

/** Reads the answer once when it arrives, and remembers when that was: ages count from there. */
function useReceived(data: Props['data']): Received {
  const [received, setReceived] = useState<Received>(() => receive(data));
  if (received.series !== data.series) {
    const next = receive(data);
    // While a panel loads again it may have nothing: what it had stays until the answer is there.
    const kept = next.hero === undefined && data.state === LoadingState.Loading ? received : next;
    setReceived({ ...kept, series: data.series });
    return kept;
  }
  return received;
}

function receive(data: Props['data']): Received {
  const at = Date.now();
  return { series: data.series, hero: heroFrom(data.series, data.timeRange, at), at };
}

/** What went wrong, each thing once. */
function errorsOf({ errors = [], state }: Props['data']): string[] {
  const messages = errors.map(({ message, data }) => message ?? data?.message ?? data?.error ?? 'The query failed.');
  if (messages.length === 0 && state === LoadingState.Error) {
    messages.push('The query failed.');
  }
  return [...new Set(messages.map((message) => sentence(message)))];
}

function sentence(message: string): string {
  const text = message.trim();
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}

const getStyles = (theme: GrafanaTheme2, layout: Layout) => ({
  panel: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(1),
    overflowX: 'hidden',
    overflowY: 'auto',
    color: theme.colors.text.primary,
    fontSize: theme.typography.fontSize * layout.scale,
    lineHeight: theme.typography.body.lineHeight,
  }),
});
