import { dataFrameFromJSON, DataFrameJSON } from '@grafana/data';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { critical, dayBefore, degraded, frameOf, happy, stale, statusOnly, stressed } from '../testing/fixtures';
import { now } from '../testing/now';
import { ageAt, heroFrom, isStale, summaryBeside } from './hero';

const minute = 60_000;
const heroOf = (frames: Parameters<typeof heroFrom>[0]) => heroFrom(frames, dayBefore, now)!;
const status = (row: Record<string, string | number | boolean | null>) => frameOf('status', [row]);

/** A frame that the backend's own tests compare their answers with. */
function golden(name: string) {
  const text = readFileSync(path.join(__dirname, '../../../plugin/testdata', name), 'utf8');
  const { frames } = JSON.parse(text.replace(/^\/\/.*$/gm, '')) as { frames: DataFrameJSON[] };
  return frames.map((frame) => dataFrameFromJSON(frame));
}

describe('what the panel reads out of frames', () => {
  it('is nothing without a status', () => {
    expect(heroFrom([], dayBefore, now)).toBeUndefined();
    expect(heroFrom(stressed.slice(1), dayBefore, now)).toBeUndefined();
  });

  it('is all that a status says', () => {
    expect(heroOf(stressed)).toMatchObject({
      cluster: 'prod-eu-west-1',
      state: 'stressed',
      previous: 'happy',
      since: now - 12 * minute,
      confidence: 0.91,
      signalsUsable: 41,
      signalsAsked: 43,
      blind: false,
      stale: false,
      degraded: undefined,
      bottleneck: 'worker_limited',
    });
  });

  it('is enough with a status alone, which names an issue', () => {
    const hero = heroOf(statusOnly);
    expect(hero).toMatchObject({ state: 'stressed', factors: undefined, actions: undefined, ribbon: undefined });
    expect(hero.issues).toEqual([{ title: 'Nobody serves default/billing', severity: 'stressed' }]);
  });

  it('reads what the backend serves today', () => {
    const hero = heroOf([...golden('status.jsonc'), ...golden('timeline.jsonc')]);
    expect(hero).toMatchObject({ cluster: 'prod', state: 'stressed', confidence: 0.87, intervalMs: 30_000 });
    expect(hero.age).toEqual({ ms: 30_000, at: now });
    expect(heroOf(golden('status_blind.jsonc'))).toMatchObject({ blind: true, sightGuide: 'telemetry-lost' });
  });

  it('reads every other answer of the backend', () => {
    const answers = ['status', 'issues', 'actions', 'summary', 'scopes', 'services', 'timeline'];
    const hero = heroOf(answers.flatMap((name) => golden(`${name}.jsonc`)));
    expect(hero.issues[0]).toMatchObject({ severity: 'critical', title: 'Nobody serves default/billing' });
    expect(hero.actions![0]).toMatchObject({ risk: 'low', confidence: 0.86, guide: 'workers-gone' });
    expect(hero.actions![0]!.guideLink).toMatch(/^https:.*\/runbooks\/workers-gone\.md$/);
    expect(hero.factors![0]).toMatchObject({ rank: 1, value: 0, limit: 1, weight: 1, trend: [3, 2, 1] });
    expect(hero.avoid).toEqual(['scale workers down while tasks wait']);
    expect(hero.logs).toEqual([expect.stringMatching(/^The database does not answer \(history\): 320 times/)]);
    expect(hero.places.map(({ name }) => name)).toEqual(['billing', 'matching', 'default']);
    expect(hero.degraded).toBeUndefined();
  });

  it('reads the newest verdict of a live status', () => {
    expect(heroOf([frameOf('status', [{ state: 'happy' }, { state: 'stressed' }])]).state).toBe('stressed');
  });

  it('does not show issues of the verdict before the live one', () => {
    const older = frameOf('issues', [{ title: 'Nobody polls billing', severity: 'critical', status: 'open' }]);
    const issuesWith = (issue: string | null) =>
      heroOf([frameOf('status', [{ state: 'critical', issue }]), older]).issues.map(({ title }) => title);
    expect(issuesWith('Nobody polls billing')).toEqual(['Nobody polls billing']);
    expect(issuesWith('The server is down')).toEqual(['The server is down']);
    expect(issuesWith(null)).toEqual([]);
  });

  it('begins sentences with a capital, and leaves names as they are', () => {
    const factors = ['nobody polls billing', 'billing: nobody polls', 'default/billing waits'].map((text) => ({
      rank: 1,
      text,
    }));
    const frames = [status({ state: 'stressed' }), frameOf('factors', factors)];
    const billing = frameOf('scopes', [
      { kind: 'task_queue', namespace: 'default', name: 'billing', state: 'critical' },
    ]);
    expect(heroOf([...frames, billing]).factors!.map(({ text }) => text)).toEqual([
      'Nobody polls billing',
      'billing: nobody polls',
      'default/billing waits',
    ]);
  });

  it('finds frames that lost their names by their fields', () => {
    const nameless = stressed.map((frame) => ({ ...frame, name: undefined }));
    expect(heroOf(nameless)).toEqual(heroOf(stressed));
  });

  it('puts the gravest first', () => {
    const hero = heroOf(stressed);
    expect(hero.issues.map(({ severity }) => severity)).toEqual(['critical', 'happy']);
    expect(hero.places[0]).toMatchObject({ name: 'billing', state: 'critical', pollers: 0 });
    expect(hero.places).toHaveLength(6);
    expect(heroOf(critical).places.map(({ state }) => state)).toEqual([
      'critical',
      'critical',
      'critical',
      'stressed',
      'happy',
      'happy',
    ]);
  });

  it('leaves out issues that are resolved', () => {
    const issues = frameOf('issues', [{ title: 'over', severity: 'critical', status: 'resolved' }]);
    expect(heroOf([status({ state: 'happy', issue: 'over' }), issues]).issues).toEqual([]);
  });

  it('lets the graver kind of task speak for its queue', () => {
    const queue = (state: string, waiting: number) => ({ kind: 'task_queue', name: 'billing', state, waiting });
    const scopes = frameOf('scopes', [queue('happy', 1), queue('critical', 2), queue('stressed', 3)]);
    expect(heroOf([status({ state: 'stressed' }), scopes]).places).toMatchObject([{ state: 'critical', waiting: 2 }]);
  });

  it('ranks the factors, and reads their trends', () => {
    const [first, , third] = heroOf(stressed).factors!;
    expect(first).toMatchObject({ rank: 1, value: 0, limit: 1, weight: 0.92 });
    expect(first!.trend).toHaveLength(10);
    expect(third!.limit).toBeUndefined();
  });

  it.each(['', 'not JSON', '{"a":1}', 'null'])('has no trend from %j', (trend) => {
    const factors = frameOf('factors', [{ rank: 1, text: 'a', trend }]);
    expect(heroOf([status({ state: 'happy' }), factors]).factors![0]!.trend).toEqual([]);
  });

  it('knows none from not asked', () => {
    const asked = heroOf([status({ state: 'happy' }), frameOf('factors', [])]);
    expect(asked).toMatchObject({ actions: undefined });
    expect(asked.factors).toEqual([]);
  });

  it('takes a state that it does not know for unknown', () => {
    expect(heroOf([status({ state: 'splendid' })]).state).toBe('unknown');
  });

  it('says why an answer is degraded', () => {
    expect(heroOf(degraded).degraded).toMatch(/did not answer in time/);
    expect(heroOf([status({ state: 'happy', degraded: true })]).degraded).toMatch(/part of the answer/);
  });

  it('reads from the timeline what was before, and for how long', () => {
    expect(heroOf(stressed).previousFor).toEqual({ ms: 314 * minute, atLeast: false });
    expect(heroOf(happy).previousFor).toEqual({ ms: 23 * minute, atLeast: false });
  });
});

describe('the age of an analysis', () => {
  it("counts from the server's clock, whatever the browser's says", () => {
    const hero = heroOf([status({ state: 'happy', observed_at: now + 3600_000, age_sec: 18 })]);
    expect(ageAt(hero, now)).toBe(18_000);
    expect(ageAt(hero, now + 5000)).toBe(23_000);
    expect(ageAt(hero, now - 5000)).toBe(18_000);
  });

  it('is not known where nothing was analysed', () => {
    expect(ageAt(heroOf([status({ state: 'unknown' })]), now)).toBeUndefined();
  });

  it('makes it stale when the backend says so, or when nobody refreshes the panel', () => {
    expect(isStale(heroOf(stale), now)).toBe(true);
    const hero = heroOf(stressed);
    expect(isStale(hero, now)).toBe(false);
    expect(isStale(hero, now + 100_000)).toBe(false);
    expect(isStale(hero, now + 103_000)).toBe(true);
  });
});

describe('the summary beside a callout', () => {
  const issue = { title: 'Queue billing has stopped', severity: 'critical' as const };

  it('does not repeat it', () => {
    expect(summaryBeside('Queue billing has stopped. The rest is well.', issue)).toBe('The rest is well.');
  });

  it('is whole where it says something else', () => {
    expect(summaryBeside('All is well.', issue)).toBe('All is well.');
    expect(summaryBeside('Queue billing has stopped.', undefined)).toBe('Queue billing has stopped.');
    expect(summaryBeside('Queue billing has stopped twice.', issue)).toBe('Queue billing has stopped twice.');
  });
});
