import { css } from '@emotion/css';
import { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import React, { createContext, Fragment, useContext, useMemo } from 'react';

/** The names of task queues, which are set apart from the words around them. */
export const Names = createContext<string[]>([]);

/** Prose with the names of task queues, and what stands between backticks, in the font of code. */
export function RichText({ text }: { text: string }) {
  const styles = useStyles2(getStyles);
  const names = useContext(Names);
  const parts = useMemo(() => split(text, names), [text, names]);
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
