import { HealthState, Place, Segment } from './types';

const graveness: Record<HealthState, number> = { critical: 3, stressed: 2, happy: 1, unknown: 0 };

const words: Record<Segment['state'], string> = {
  happy: 'Happy',
  stressed: 'Stressed',
  critical: 'Critical',
  unknown: 'Unknown',
  unobserved: 'Not observed',
};

const bottlenecks: Record<string, string> = {
  server_limited: 'Server-limited',
  worker_limited: 'Worker-limited',
  mixed: 'Server- and worker-limited',
};

const kinds: Record<string, string> = {
  task_queue: 'task queue',
  namespace: 'namespace',
  service: 'service',
  replica: 'replica',
};

/** Reads a state; what is none, is unknown. */
export function stateFrom(text: string | undefined): HealthState {
  const state = text?.toLowerCase();
  return state !== undefined && state in graveness ? (state as HealthState) : 'unknown';
}

/** Sorts the gravest first. */
export function byGraveness(a: HealthState, b: HealthState): number {
  return graveness[b] - graveness[a];
}

export function isImpaired(state: Segment['state']): boolean {
  return state === 'stressed' || state === 'critical';
}

export function stateWord(state: Segment['state']): string {
  return words[state];
}

/** Names the layer that makes work wait; nothing where none does, or nobody knows. */
export function bottleneckWord(bottleneck: string | undefined): string | undefined {
  return bottlenecks[bottleneck ?? ''];
}

export function kindWord(kind: Place['kind']): string {
  return kinds[kind] ?? kind;
}
