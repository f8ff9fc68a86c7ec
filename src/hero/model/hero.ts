import { DataFrame, TimeRange } from '@grafana/data';
import { Row, rowsOf, Topic, topicOf } from './frames';
import { previousIn, ribbonFrom } from './ribbon';
import { byGraveness, isImpaired, stateFrom } from './states';
import { Action, Factor, Hero, Issue, Place, Risk } from './types';

/** How often a worker observes, unless the status says otherwise. */
const usualIntervalMs = 30_000;

/** A verdict holds for as many intervals; the backend's api.StaleAfter says the same. */
const intervalsHeld = 4;

/**
 * Reads what the panel shows out of the frames of its queries, whichever of them there are.
 *
 * @param frames what the queries returned
 * @param range the time range that they were asked for
 * @param receivedAt when that was, by the browser's clock
 * @returns nothing without a status, which everything else only explains
 */
export function heroFrom(frames: DataFrame[], range: TimeRange, receivedAt: number): Hero | undefined {
  const about = (topic: Topic) => frames.filter((frame) => topicOf(frame) === topic);
  const rows = (topic: Topic) => about(topic).flatMap(rowsOf);

  // A live status grows by a row with each verdict; the last one is of now.
  const status = about('status').flatMap(rowsOf).at(-1);
  if (!status) {
    return undefined;
  }
  const state = stateFrom(status.text('health_state', 'state'));
  const since = status.number('since');
  const [timeline] = about('timeline');
  const ribbon = timeline && ribbonFrom(timeline, range, receivedAt);
  const earlier = ribbon && since !== undefined ? previousIn(ribbon, since) : undefined;
  const previous = status.text('previous_state');
  const known = previous ? stateFrom(previous) : earlier?.state;
  const places = placesFrom(rows('scopes'));
  const inWords = (text: string) => sentenceCase(text, places);

  return {
    cluster: status.text('cluster') ?? '',
    state,
    since,
    previous: known,
    previousFor: earlier && earlier.state === known ? { ms: earlier.ms, atLeast: earlier.atLeast } : undefined,
    observedAt: status.number('observed_at'),
    age: ageFrom(status, receivedAt),
    intervalMs: (status.number('interval_sec') || 0) * 1000 || usualIntervalMs,
    stale: status.flag('stale'),
    confidence: status.number('confidence'),
    coverage: status.number('coverage'),
    signalsUsable: status.number('signals_usable'),
    signalsAsked: status.number('signals_asked'),
    blind: status.flag('blind'),
    blindReason: status.text('blind_reason'),
    sightGuide: status.text('guide'),
    sightLink: status.link('guide'),
    degraded: degradedFrom(status),
    bottleneck: status.text('bottleneck'),
    summary: status.text('summary'),
    changed: status.text('changed'),
    wouldChange: status.text('would_change'),
    issues: (about('issues').length > 0 ? issuesBeside(status, rows('issues')) : issuesOf(status)).map((issue) => ({
      ...issue,
      title: inWords(issue.title),
      detail: issue.detail && inWords(issue.detail),
    })),
    places,
    factors: about('factors').length > 0 ? factorsFrom(rows('factors'), inWords) : undefined,
    avoid: rows('avoid').flatMap((row) => row.text('text') ?? []),
    logs: rows('logs').flatMap((row) => row.text('remark') ?? []),
    actions: about('actions').length > 0 ? rows('actions').flatMap(actionFrom) : undefined,
    ribbon,
  };
}

/** How old the analysis is at a time of the browser's clock. The server's clock had the first word. */
export function ageAt(hero: Pick<Hero, 'age'>, now: number): number | undefined {
  return hero.age && hero.age.ms + Math.max(now - hero.age.at, 0);
}

/** Tells whether the analysis no longer speaks for now. A panel that nobody refreshes goes stale, too. */
export function isStale(hero: Pick<Hero, 'age' | 'stale' | 'intervalMs'>, now: number): boolean {
  const age = ageAt(hero, now);
  return hero.stale || (age !== undefined && age > intervalsHeld * hero.intervalMs);
}

/** The summary without the sentence that the callout already says. */
export function summaryBeside(summary: string, issue: Issue | undefined): string {
  const title = issue?.title.replace(/[.\s]+$/, '');
  return title && summary.startsWith(`${title}.`) ? summary.slice(title.length + 1).trimStart() : summary;
}

function ageFrom(status: Row, receivedAt: number): Hero['age'] {
  const observedAt = status.number('observed_at');
  const seconds = status.number('age_sec');
  if (seconds !== undefined) {
    return { ms: seconds * 1000, at: receivedAt };
  }
  return observedAt === undefined ? undefined : { ms: Math.max(receivedAt - observedAt, 0), at: receivedAt };
}

/** A reason, or just that it is so. */
function degradedFrom(status: Row): string | undefined {
  const reason = status.text('degraded_reason', 'degraded');
  return reason === 'false' ? undefined : reason === 'true' ? 'Only a part of the answer is there.' : reason;
}

function issuesFrom(rows: Row[]): Issue[] {
  return rows
    .flatMap((row): Issue[] => {
      const title = row.text('title');
      if (!title || (row.text('status') ?? 'open') !== 'open') {
        return [];
      }
      return [
        {
          title,
          severity: stateFrom(row.text('severity')),
          detail: row.text('detail'),
          openedAt: row.number('opened_at'),
        },
      ];
    })
    .sort((a, b) => byGraveness(a.severity, b.severity));
}

/** A live status runs ahead of the other answers: issues that do not have its gravest are of the verdict before. */
function issuesBeside(status: Row, rows: Row[]): Issue[] {
  const issues = issuesFrom(rows);
  const gravest = status.text('issue');
  const isOlder = gravest ? rows.every((row) => row.text('title') !== gravest) : status.has('issue');
  return isOlder ? issuesOf(status) : issues;
}

/** The one issue that a status names itself, where nobody asked for all. */
function issuesOf(status: Row): Issue[] {
  const title = status.text('issue');
  return title ? [{ title, severity: stateFrom(status.text('health_state', 'state')) }] : [];
}

function placesFrom(rows: Row[]): Place[] {
  const places = new Map<string, Place>();
  for (const row of rows) {
    const name = row.text('name');
    const kind = row.text('kind') ?? 'service';
    if (!name || kind === 'cluster') {
      continue;
    }
    const place: Place = {
      kind,
      name,
      namespace: row.text('namespace'),
      state: stateFrom(row.text('state', 'health_state')),
      since: row.number('since'),
      share: row.number('share'),
      asked: row.number('asked'),
      served: row.number('served'),
      waiting: row.number('waiting'),
      oldestSec: row.number('oldest_sec'),
      pollers: row.number('pollers'),
      trend: row.numbers('trend'),
    };
    // A queue has two kinds of task, and services may be among the scopes, too: the graver row speaks for both.
    const key = [kind, place.namespace, name].join('/');
    const other = places.get(key);
    if (!other || byGraveness(place.state, other.state) < 0) {
      places.set(key, place);
    }
  }
  return [...places.values()].sort(
    (a, b) => byGraveness(a.state, b.state) || Number(isImpaired(a.state)) * ((b.share ?? 0) - (a.share ?? 0))
  );
}

/** Begins with a capital, unless with the name of a place, which is written as it is. */
function sentenceCase(text: string, places: Place[]): string {
  const [first = ''] = text.split(/[\s:;,]/, 1);
  const isWord = /^[a-z]+$/.test(first) && !places.some(({ name, namespace }) => name === first || namespace === first);
  return isWord ? first.charAt(0).toUpperCase() + text.slice(1) : text;
}

function factorsFrom(rows: Row[], inWords: (text: string) => string): Factor[] {
  return rows
    .flatMap((row, index): Factor[] => {
      const text = row.text('text');
      const weight = row.number('weight');
      return text
        ? [
            {
              text: inWords(text),
              rank: row.number('rank') ?? index + 1,
              gate: row.text('gate'),
              scope: row.text('scope'),
              value: row.number('value'),
              limit: row.number('limit'),
              unit: row.text('unit'),
              weight: weight === undefined ? undefined : Math.min(Math.max(weight, 0), 1),
              trend: row.numbers('trend'),
            },
          ]
        : [];
    })
    .sort((a, b) => a.rank - b.rank);
}

const risks: Risk[] = ['none', 'low', 'medium', 'high'];

function actionFrom(row: Row): Action[] {
  const text = row.text('action');
  return text
    ? [
        {
          text,
          id: row.text('id') ?? text,
          type: row.text('type'),
          target: row.text('target'),
          risk: risks.find((risk) => risk === row.text('risk')),
          confidence: row.number('confidence'),
          guide: row.text('guide'),
          guideLink: row.link('guide'),
        },
      ]
    : [];
}
