import { DataFrame, FieldType } from '@grafana/data';

/** The answers that the panel understands. */
export type Topic = 'status' | 'issues' | 'actions' | 'factors' | 'avoid' | 'logs' | 'scopes' | 'timeline';

// The names that the backend gives its frames.
const topics: Record<string, Topic> = {
  status: 'status',
  issues: 'issues',
  actions: 'actions',
  factors: 'factors',
  avoid: 'avoid',
  logs: 'logs',
  scopes: 'scopes',
  services: 'scopes',
  timeline: 'timeline',
};

// What a frame has that lost its name on the way, to a transformation for example. The first that fits is taken.
const signatures: Array<[Topic, string[]]> = [
  ['status', ['confidence', 'bottleneck']],
  ['issues', ['severity', 'title']],
  ['actions', ['action', 'risk']],
  ['factors', ['rank', 'text']],
  ['scopes', ['kind', 'name', 'state']],
  ['avoid', ['text']],
  ['logs', ['remark']],
];

/** Tells what a frame is about, if the panel has a use for it. */
export function topicOf(frame: DataFrame): Topic | undefined {
  const named = topics[frame.name ?? ''];
  if (named) {
    return named;
  }
  const fields = new Set(frame.fields.map(({ name }) => name));
  const fitting = signatures.find(([, needed]) => needed.every((name) => fields.has(name)));
  if (fitting) {
    return fitting[0];
  }
  return frame.fields[0]?.type === FieldType.time && fields.has('state') ? 'timeline' : undefined;
}

/** One row of a frame. A field that is absent or empty has no value; what is not there is never 0. */
export interface Row {
  text(...names: string[]): string | undefined;
  number(name: string): number | undefined;
  flag(name: string): boolean;
  /** Whether there is such a field at all. */
  has(name: string): boolean;
  numbers(name: string): number[];
  /** Where the link of a value leads to. */
  link(name: string): string | undefined;
}

/** The rows of a frame, read by the names of its fields. */
export function rowsOf(frame: DataFrame): Row[] {
  const fields = new Map(frame.fields.map((field) => [field.name, field]));
  return Array.from({ length: frame.length }, (_, index) => {
    const at = (name: string): unknown => fields.get(name)?.values[index] ?? undefined;
    const text = (...names: string[]) => {
      const value = names.map(at).find((found) => found !== undefined && found !== '');
      return value === undefined ? undefined : String(value);
    };
    const number = (name: string) => {
      const value = at(name);
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    };
    const link = (name: string) => {
      const value = text(name);
      const url = fields.get(name)?.config.links?.[0]?.url;
      return value === undefined ? undefined : url?.replaceAll('${__value.raw}', encodeURIComponent(value));
    };
    return {
      text,
      number,
      flag: (name) => at(name) === true,
      has: (name) => fields.has(name),
      numbers: (name) => numbersIn(at(name)),
      link,
    };
  });
}

/** The numbers of a trend, which travels as a JSON array. */
function numbersIn(value: unknown): number[] {
  let list = value;
  if (typeof value === 'string') {
    try {
      list = JSON.parse(value);
    } catch {
      return [];
    }
  }
  return Array.isArray(list) ? list.filter((item) => typeof item === 'number' && Number.isFinite(item)) : [];
}
