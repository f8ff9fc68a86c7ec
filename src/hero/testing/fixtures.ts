// Answers as the backend gives them, one for each situation that the panel has to show.
import { createDataFrame, DataFrame, dateTime, FieldType, LoadingState, PanelData, TimeRange } from '@grafana/data';
import { now } from './now';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

export const dayBefore: TimeRange = {
  from: dateTime(now - 24 * hour),
  to: dateTime(now),
  raw: { from: 'now-24h', to: 'now' },
};

type Value = string | number | boolean | null;

/** Makes a frame of rows. Names that speak of times hold times. */
export function frameOf(name: string, rows: Array<Record<string, Value>>): DataFrame {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return createDataFrame({
    name,
    fields: names.map((field) => {
      const values = rows.map((row) => row[field] ?? null);
      return { name: field, type: typeOf(field, values), values };
    }),
  });
}

function typeOf(name: string, values: Value[]): FieldType {
  if (/^(since|start|end|time|.*_at)$/.test(name)) {
    return FieldType.time;
  }
  const types: Record<string, FieldType> = { number: FieldType.number, boolean: FieldType.boolean };
  return types[typeof values.find((value) => value !== null)] ?? FieldType.string;
}

const healthy = {
  cluster: 'prod-eu-west-1',
  health_state: 'happy',
  previous_state: 'stressed',
  since: now - 6 * hour - 2 * minute,
  observed_at: now - 12 * second,
  age_sec: 12,
  interval_sec: 30,
  stale: false,
  confidence: 0.97,
  coverage: 1,
  signals_usable: 43,
  signals_asked: 43,
  blind: false,
  blind_reason: '',
  degraded: false,
  bottleneck: 'healthy',
  summary:
    "94 workflows a second arrive and complete. Nothing waits longer than a second. One thing to watch: 7 % of orders workflows fail in business code since 02:40, which is not the cluster's doing.",
  changed: '',
  would_change: 'Evidence in two of three evaluations leads to Stressed.',
};

const place = (kind: string, name: string, more: Record<string, Value> = {}): Record<string, Value> => ({
  kind,
  namespace: kind === 'task_queue' ? 'default' : '',
  name,
  state: 'happy',
  since: now - 6 * hour,
  bottleneck: 'healthy',
  ...more,
});

const services = frameOf(
  'services',
  ['frontend', 'history', 'matching', 'worker'].map((name) => place('service', name))
);

const orders = place('task_queue', 'orders', {
  share: 0.69,
  asked: 94,
  served: 94,
  waiting: 0,
  oldest_sec: 0.2,
  pollers: 8,
  trend: '[94,93,95,94]',
});

const states = (rows: Array<[minutesAgo: number, state: string]>) =>
  frameOf(
    'timeline',
    rows.map(([ago, state], index) => ({
      start: now - ago * minute,
      end: now - (rows[index + 1]?.[0] ?? 0) * minute,
      state,
    }))
  );

const day: Array<[number, string]> = [
  [1440, 'happy'],
  [852, 'stressed'],
  [823, 'happy'],
  [420, 'stressed'],
  [398, 'critical'],
  [350, 'stressed'],
  [326, 'happy'],
];

export const happy = [
  frameOf('status', [healthy]),
  frameOf('scopes', [orders, place('task_queue', 'billing', { share: 0.31, asked: 41, served: 41 })]),
  services,
  states([
    [1440, 'happy'],
    [852, 'stressed'],
    [823, 'happy'],
    [420, 'stressed'],
    [410, 'critical'],
    [385, 'stressed'],
    [362, 'happy'],
  ]),
];

const stressedStatus = {
  ...healthy,
  health_state: 'stressed',
  previous_state: 'happy',
  since: now - 12 * minute,
  observed_at: now - 18 * second,
  age_sec: 18,
  confidence: 0.91,
  coverage: 0.95,
  signals_usable: 41,
  bottleneck: 'worker_limited',
  summary:
    'Task queue billing has stopped: no worker polls it. Workflows on orders keep completing at the rate they arrive. billing lost its last poller at 03:21, one minute after a worker deployment, and has completed nothing since. The server itself is well: persistence, shards and frontend are at their usual level.',
  changed: 'Stressed since 2026-11-24T03:21:30Z; the pollers of billing went first.',
  would_change: 'A poller on billing leads to Happy within 2 evaluations. A stop of orders too leads to Critical.',
};

const billing = place('task_queue', 'billing', {
  state: 'critical',
  since: now - 12 * minute,
  bottleneck: 'worker_limited',
  share: 0.31,
  asked: 41,
  served: 0,
  waiting: 1284,
  oldest_sec: 250,
  pollers: 0,
  trend: '[41,41,40,22,0,0,0]',
});

const billingStopped = {
  id: 'b1',
  severity: 'critical',
  title: 'Task queue billing has stopped: no worker polls it',
  detail:
    "1,284 activity tasks wait, the oldest for 4 min 10 s and growing by 1 s a second. 31 % of the cluster's demand.",
  kind: 'task_queue',
  namespace: 'default',
  name: 'billing',
  status: 'open',
  opened_at: now - 12 * minute,
  changed_at: now - 11 * minute,
  gates: 'worker.pollers.none',
};

const failing = {
  id: 'b2',
  severity: 'happy',
  title: '7 % of orders workflows fail in business code',
  detail: 'Their code fails; the cluster does its part.',
  kind: 'namespace',
  namespace: 'default',
  name: 'orders',
  status: 'open',
  opened_at: now - 53 * minute,
  changed_at: now - 53 * minute,
  gates: 'business.failures',
};

const stressedFactors = frameOf('factors', [
  {
    rank: 1,
    text: 'No pollers on billing (activity)',
    gate: 'worker.pollers.none',
    scope: 'default/billing',
    value: 0,
    limit: 1,
    unit: '1',
    weight: 0.92,
    trend: '[4,4,4,4,4,0,0,0,0,0]',
  },
  {
    rank: 2,
    text: 'The oldest waiting task ages in real time: nothing is taken',
    gate: 'progress.head_of_line',
    scope: 'default/billing',
    value: 250,
    limit: 60,
    unit: 's',
    weight: 0.84,
    trend: '[0.2,0.2,0.3,0.2,30,70,110,160,205,250]',
  },
  {
    rank: 3,
    text: 'Log: `worker stopped: context canceled` ×4',
    gate: 'narrative.worker_stopped',
    scope: 'default/billing',
    value: 4,
    limit: null,
    unit: '1',
    weight: 0.4,
    trend: '[0,0,0,1,4,2,0,0,0,0]',
  },
]);

const stressedActions = frameOf('actions', [
  {
    id: 'restart-workers',
    action: 'restart the billing workers of the last deployment, or roll it back: they left within a minute of it',
    type: 'restart',
    target: 'default/billing',
    risk: 'low',
    confidence: 0.86,
    gates: 'worker.pollers.none',
    guide: 'workers-gone',
  },
  {
    id: 'check-queue-name',
    action: 'check that the new build registers on queue billing: a renamed queue looks exactly like this',
    type: 'alert',
    target: 'default/billing',
    risk: 'none',
    confidence: 0.64,
    gates: 'worker.pollers.none',
    guide: 'https://docs.example.com/guides/queue-name',
  },
]);

const dontScaleDown = frameOf('avoid', [{ text: 'scale down any worker: tasks wait on billing' }]);

export const stressed = [
  frameOf('status', [stressedStatus]),
  frameOf('issues', [failing, billingStopped]),
  stressedActions,
  stressedFactors,
  dontScaleDown,
  frameOf('scopes', [orders, billing]),
  services,
  states([...day, [12, 'stressed']]),
];

export const critical = [
  frameOf('status', [
    {
      ...stressedStatus,
      health_state: 'critical',
      previous_state: 'stressed',
      since: now - 4 * minute,
      confidence: 0.94,
      signals_usable: 43,
      bottleneck: 'server_limited',
      summary:
        'The server accepts work and completes none of it. Persistence takes 4.8 s (p99) where 8 ms is usual, on all four history replicas. Workers are free and wait.',
      changed: 'Stressed at 2026-11-24T03:27:30Z, Critical since 2026-11-24T03:29:30Z; persistence slowed down first.',
      would_change: 'Progress in three evaluations in a row leads to Stressed, and from there to Happy.',
    },
  ]),
  frameOf('issues', [
    {
      ...billingStopped,
      id: 'c1',
      kind: 'cluster',
      name: '',
      title: '94 workflows a second arrive, and none makes progress',
      detail: 'State transitions fell from 410/s to 0/s within a minute. All of the demand is impaired.',
      opened_at: now - 6 * minute,
    },
    {
      ...billingStopped,
      id: 'c2',
      severity: 'stressed',
      kind: 'service',
      name: 'history',
      title: 'Persistence takes 4.8 s (p99) where 8 ms is usual',
      detail: '',
      opened_at: now - 7 * minute,
    },
    { ...failing },
  ]),
  frameOf('actions', [
    {
      id: 'check-persistence',
      action: 'look at the database first: load, locks, failovers, network',
      type: 'alert',
      target: 'history',
      risk: 'none',
      confidence: 0.7,
      gates: 'progress.accepting',
      guide: 'persistence',
    },
    {
      id: 'enlarge-pool',
      action: "raise the maximum of open connections of the exhausted replica, within the database's limit",
      type: 'configure',
      target: 'history-2',
      risk: 'medium',
      confidence: 0.55,
      gates: 'pressure.pool',
      guide: 'connection-pool',
    },
    {
      id: 'failover',
      action: 'fail the database over to its standby',
      type: 'restart',
      target: 'database',
      risk: 'high',
      confidence: 0.3,
      gates: 'pressure.persistence_latency',
      guide: 'persistence',
    },
  ]),
  frameOf('factors', [
    {
      rank: 1,
      text: '94 starts and signals arrive a second, and no state transition happens',
      gate: 'progress.accepting',
      scope: 'cluster',
      value: 0,
      limit: 94,
      unit: '1/s',
      weight: 1,
      trend: '[410,405,412,408,300,60,4,0,0,0]',
    },
    {
      rank: 2,
      text: 'Persistence is slow on every history replica',
      gate: 'pressure.persistence_latency',
      scope: 'history',
      value: 4800,
      limit: 80,
      unit: 'ms',
      weight: 0.7,
      trend: '[8,8,9,8,2100,4700,4800,4790,4810,4800]',
    },
    {
      rank: 3,
      text: 'The connection pool of history-2 is exhausted',
      gate: 'pressure.pool',
      scope: 'history-2',
      value: 1,
      limit: 0.95,
      unit: 'ratio',
      weight: 0.35,
      trend: '[0.4,0.4,0.42,0.41,0.8,1,1,1,1,1]',
    },
  ]),
  frameOf('avoid', [
    { text: 'tune workers while the server is the bottleneck' },
    { text: 'restart history while shards are moving' },
  ]),
  frameOf('logs', [
    {
      remark:
        'The database accepts no more connections (history): 1840 times since 2026-11-24T03:27:00Z, 26s before “Persistence is slow on every history replica”.',
    },
    { remark: 'History shards have no certain owner (history and frontend): 312 times since 2026-11-24T03:27:30Z.' },
  ]),
  frameOf('scopes', [
    { ...orders, state: 'critical', since: now - 4 * minute, served: 0, waiting: 22_560, oldest_sec: 240 },
    { ...billing, pollers: 4, waiting: 9840, oldest_sec: 238 },
  ]),
  frameOf('services', [
    place('service', 'history', { state: 'critical', since: now - 4 * minute }),
    place('service', 'frontend', { state: 'stressed', since: now - 5 * minute }),
    place('service', 'matching'),
    place('service', 'worker'),
  ]),
  states([...day, [6, 'stressed'], [4, 'critical']]),
];

export const blind = [
  frameOf('status', [
    {
      ...healthy,
      confidence: 0,
      coverage: 0,
      signals_usable: 0,
      blind: true,
      blind_reason: 'Prometheus has not answered since 03:29 (503 from the query endpoint)',
      bottleneck: 'unknown',
      summary:
        'Prometheus has not answered since 03:29 (503 from the query endpoint). The last verdict, Happy, is held and fading; it says nothing about now.',
      would_change: 'The first observation that sees the cluster again.',
      guide: 'telemetry-lost',
    },
  ]),
  frameOf('timeline', [
    { time: now - 1440 * minute, state: 'happy', blind: false },
    { time: now - 420 * minute, state: 'unobserved', blind: null },
    { time: now - 390 * minute, state: 'happy', blind: false },
    { time: now - 44 * minute, state: 'happy', blind: true },
  ]),
];

export const stale = [
  frameOf('status', [{ ...stressedStatus, observed_at: now - 14 * minute, age_sec: 840, stale: true }]),
  ...stressed.slice(1, -1),
  states([...day, [26, 'stressed'], [14, 'unobserved']]),
];

export const degraded = [
  frameOf('status', [
    { ...stressedStatus, degraded: 'the store did not answer in time; issues and actions are missing' },
  ]),
  frameOf('scopes', [orders, billing]),
  services,
];

export const statusOnly = [
  frameOf('status', [
    {
      cluster: 'prod-eu-west-1',
      state: 'stressed',
      since: now - 12 * minute,
      confidence: 0.87,
      bottleneck: 'worker_limited',
      summary: 'Tasks of default/billing wait for a worker; the rest of the cluster makes progress.',
      issue: 'Nobody serves default/billing',
      blind: false,
      coverage: 0.95,
      observed_at: now - 30 * second,
      age_sec: 30,
    },
  ]),
];

/** A cluster that was not judged before. */
export const early = [
  frameOf('status', [
    {
      ...healthy,
      health_state: 'unknown',
      previous_state: null,
      since: null,
      confidence: 0.2,
      coverage: 0.35,
      signals_usable: 15,
      bottleneck: 'unknown',
      summary: 'Too little has been seen for a verdict.',
      would_change: 'Two more observations.',
    },
  ]),
];

/** What a panel gets from Grafana. */
export function panelData(series: DataFrame[], part: Partial<PanelData> = {}): PanelData {
  return { state: LoadingState.Done, series, timeRange: dayBefore, ...part };
}

/** Every situation by its name. */
export const situations: Record<string, PanelData> = {
  happy: panelData(happy),
  stressed: panelData(stressed),
  critical: panelData(critical),
  blind: panelData(blind),
  stale: panelData(stale),
  degraded: panelData(degraded),
  'status-only': panelData(statusOnly),
  early: panelData(early),
  loading: panelData([], { state: LoadingState.Loading }),
  'no-data': panelData([]),
  error: panelData([], {
    state: LoadingState.Error,
    errors: [
      {
        message:
          "the store at copilot-db:5432 refuses connections; check that the database runs and that the data source's host is right",
      },
    ],
  }),
  'error-in-part': panelData(stressed.slice(0, 1).concat(stressed.slice(3)), {
    state: LoadingState.Error,
    errors: [{ message: 'query type "issues" is not known' }],
  }),
};
