import { CopilotQuery, QueryType } from './types';

/** What a query of a type can be narrowed down by, beside the cluster. */
type Setting = Extract<keyof CopilotQuery, 'signals' | 'states' | 'history' | 'assessment' | 'measure' | 'live'>;

interface Description {
  value: QueryType;
  label: string;
  /** One or two sentences for the person who builds a panel. */
  explanation: string;
  settings: Setting[];
}

/** The questions that a panel may ask. Annotations and variables have editors of their own. */
export const panelQueries: Description[] = [
  {
    value: 'status',
    label: 'Status',
    explanation:
      'How the cluster is now: its state, since when, how sure the copilot is, and what holds it up. One row; alert rules get a number.',
    settings: ['measure', 'live'],
  },
  {
    value: 'summary',
    label: 'Summary',
    explanation:
      'Why the verdict is what it is, ranked, with the numbers; and what must not be done now. Two tables, for the Copilot Insights panel.',
    settings: [],
  },
  {
    value: 'issues',
    label: 'Issues',
    explanation: 'What is wrong, the gravest first, since when, and which rules say so. A row for each issue.',
    settings: ['states', 'history'],
  },
  {
    value: 'actions',
    label: 'Actions',
    explanation:
      'What the copilot suggests to do, how sure it is, at what risk, and where it is explained. Nothing is ever carried out.',
    settings: [],
  },
  {
    value: 'scopes',
    label: 'Parts of the cluster',
    explanation:
      'Namespaces, task queues and services with their own state, and how work flows through each. A row for each.',
    settings: ['states'],
  },
  {
    value: 'services',
    label: 'Services',
    explanation: "The server's services (frontend, history, matching, worker) with their own state. A row for each.",
    settings: ['states'],
  },
  {
    value: 'timeline',
    label: 'Timeline',
    explanation: 'The states that the cluster went through in the time range, for a state timeline panel.',
    settings: ['states'],
  },
  {
    value: 'transitions',
    label: 'Transitions',
    explanation: 'Each change of state in the time range, and the rules that brought it about. A row for each change.',
    settings: ['states'],
  },
  {
    value: 'signals',
    label: 'Signals',
    explanation: 'The measurements that the verdicts rest on, as time series that can also raise alerts.',
    settings: ['signals'],
  },
  {
    value: 'log_patterns',
    label: 'Log patterns',
    explanation: 'What the logs repeat in the time range: how often, which pattern, and which service writes it.',
    settings: [],
  },
  {
    value: 'assessment',
    label: 'Assessment',
    explanation:
      'One verdict with every rule that was asked, fired or not: value, limit and doctrine. For whoever audits it.',
    settings: ['assessment'],
  },
  {
    value: 'clusters',
    label: 'Clusters',
    explanation: 'All clusters that the copilot watches, each with its state and when it was last seen.',
    settings: [],
  },
];

/** Tells whether a query of a type can be narrowed down by a setting. */
export function has(queryType: QueryType, setting: Setting): boolean {
  return panelQueries.some(({ value, settings }) => value === queryType && settings.includes(setting));
}
