import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { createContext, Fragment, useContext, useMemo } from 'react';

/** What prose is written with. */
interface ProseContext {
  /** The names of task queues, which are set apart from the words around them. */
  names: string[];
  /** Writes an instant as the dashboard's viewer reads it. */
  clock?: (at: number) => string;
}

export const Prose = createContext<ProseContext>({ names: [] });

/**
 * Prose with the names of task queues, and what stands between backticks, in the font of code, and with instants in the
 * dashboard's time zone.
 */
export function RichText({ text }: { text: string }) {
  const styles = useStyles2(getStyles);
  const { names, clock } = useContext(Prose);
  const parts = useMemo(() => split(clock ? localised(text, clock) : text, names), [text, names, clock]);
  return (
    <>
      {parts.map(({ code, words }, index) =>
        code ? (
          <span key={index} className={styles.code}>
            {words}
          </span>
        ) : (
          <Fragment key={index}>{words}</Fragment>
        )
      )}
    </>
  );
}

// An instant as the backend writes it.
const instant = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** Writes the instants in a text anew. */
export function localised(text: string, clock: (at: number) => string): string {
  return text.replace(instant, (found) => clock(Date.parse(found)));
}

/** Takes a text apart at names and backticks. */
export function split(text: string, names: string[]): Array<{ code: boolean; words: string }> {
  const escaped = [...names]
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const known = escaped.length > 0 ? `|(?<![\\w-])(?:${escaped.join('|')})(?![\\w-])` : '';
  const parts: Array<{ code: boolean; words: string }> = [];
  let end = 0;
  for (const match of text.matchAll(new RegExp('`[^`]+`' + known, 'g'))) {
    if (match.index > end) {
      parts.push({ code: false, words: text.slice(end, match.index) });
    }
    parts.push({ code: true, words: match[0].replace(/^`|`$/g, '') });
    end = match.index + match[0].length;
  }
  if (end < text.length) {
    parts.push({ code: false, words: text.slice(end) });
  }
  return parts;
}

const getStyles = (theme: GrafanaTheme2) => ({
  code: css({ fontFamily: theme.typography.fontFamilyMonospace, fontSize: '0.95em', overflowWrap: 'anywhere' }),
});
