import { colorManipulator, GrafanaTheme2 } from '@grafana/data';
import { Segment } from './model/types';

/** What a colour stands for: a state, or that there is none to speak of now. */
export type Tone = Segment['state'] | 'info';

interface Colours {
  /** For areas, lines and shapes. */
  fill: string;
  /** For words, readable on the panel's ground. */
  text: string;
  /** The ground of a box. */
  tint: string;
  /** The edge of a box. */
  edge: string;
}

/** The colours of the theme's palette that stand for a state. */
export function coloursOf(theme: GrafanaTheme2, tone: Tone): Colours {
  const { fill, text } = pick(theme, tone);
  return {
    fill,
    text,
    tint: colorManipulator.alpha(fill, theme.isDark ? 0.14 : 0.09),
    edge: colorManipulator.alpha(fill, 0.55),
  };
}

function pick(theme: GrafanaTheme2, tone: Tone): { fill: string; text: string } {
  const { colors, isDark } = theme;
  const hue = (name: string) => theme.visualization.getColorByName(isDark ? name : `semi-dark-${name}`);
  switch (tone) {
    case 'happy':
      return { fill: hue('green'), text: hue('green') };
    case 'stressed':
      // Orange is never dark enough to be read on white.
      return { fill: hue('orange'), text: isDark ? hue('orange') : colors.warning.text };
    case 'critical':
      return { fill: hue('red'), text: isDark ? theme.visualization.getColorByName('light-red') : hue('red') };
    case 'info':
      return { fill: hue('blue'), text: colors.primary.text };
    case 'unknown':
    case 'unobserved':
      return { fill: colors.text.disabled, text: colors.text.secondary };
  }
}
