import { HeroOptions } from '../options';

/** How the panel uses its room. */
export interface Layout {
  /** Two lines: nothing else fits. */
  strip: boolean;
  /** The state stands beside what is said about it, not above. */
  beside: boolean;
  /** How many of Analysis and Suggested remediations stand in a row; 0 leaves them out. */
  columns: 0 | 1 | 2;
  /** The filter stands beside the parts of the cluster, not below. */
  wide: boolean;
  /** A factor's sparkline and value, and an action's buttons, stand in its row. */
  roomy: boolean;
  /** The size of text against Grafana's own: a screen on the wall is read from far away. */
  scale: number;
}

const stripBelow = 132;
const columnsFrom = 300;

/** Decides by the size of the panel, not of the window. */
export function layoutFor(width: number, height: number, options: HeroOptions): Layout {
  const wall = width >= 1700 ? Math.min(Math.max(Math.min(width / 1300, height / 640), 1), 2.5) : 1;
  // What the panel measures in letters of the usual size.
  const across = width / wall;
  const strip = height < stripBelow && across >= 480;
  const showColumns = options.columns === 'always' || (options.columns === 'auto' && height >= columnsFrom);
  return {
    strip,
    beside: across >= 640,
    wide: across >= 1000,
    columns: strip || !showColumns ? 0 : across >= 860 ? 2 : 1,
    roomy: across >= 1200 || (across >= 560 && across < 860),
    scale: wall * (options.density === 'compact' ? 0.93 : 1),
  };
}
