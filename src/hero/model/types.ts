/** The verdicts that the rules give. */
export type HealthState = 'happy' | 'stressed' | 'critical' | 'unknown';

export type Risk = 'none' | 'low' | 'medium' | 'high';

/** One thing that is wrong. */
export interface Issue {
  severity: HealthState;
  title: string;
  detail?: string;
  openedAt?: number;
}

/** A part of the cluster. */
export interface Place {
  kind: string;
  namespace?: string;
  name: string;
  state: HealthState;
  since?: number;
  share?: number;
  asked?: number;
  served?: number;
  waiting?: number;
  oldestSec?: number;
  pollers?: number;
  /** What was served lately, oldest first. */
  trend: number[];
}

/** One reason for the verdict. */
export interface Factor {
  rank: number;
  text: string;
  scope?: string;
  gate?: string;
  value?: number;
  limit?: number;
  unit?: string;
  /** How much of the verdict rests on it, from 0 to 1. */
  weight?: number;
  trend: number[];
}

/** A suggestion. Nothing here carries one out. */
export interface Action {
  id: string;
  text: string;
  type?: string;
  target?: string;
  risk?: Risk;
  confidence?: number;
  /** The name of a runbook, or a URL. */
  guide?: string;
  /** Where the backend says that it is read. */
  guideLink?: string;
}

/** A stretch of time in one state. */
export interface Segment {
  from: number;
  to: number;
  state: HealthState | 'unobserved';
  /** The state was held, not observed. */
  blind: boolean;
}

/** The states of a time range, without a gap, oldest first. */
export interface Ribbon {
  from: number;
  to: number;
  segments: Segment[];
}

/** Everything that the panel shows, read from the frames that its queries returned. */
export interface Hero {
  cluster: string;
  state: HealthState;
  previous?: HealthState;
  /** How long the previous state had held; with atLeast when the time range began later than it did. */
  previousFor?: { ms: number; atLeast: boolean };
  since?: number;
  observedAt?: number;
  /** How old the analysis was when it was received, by the server's clock, and when that was by the browser's. */
  age?: { ms: number; at: number };
  intervalMs: number;
  stale: boolean;
  confidence?: number;
  coverage?: number;
  signalsUsable?: number;
  signalsAsked?: number;
  blind: boolean;
  blindReason?: string;
  /** The runbook on getting telemetry back, and where the backend says that it is read. */
  sightGuide?: string;
  sightLink?: string;
  /** Why only a part of the answer is there. */
  degraded?: string;
  bottleneck?: string;
  summary?: string;
  changed?: string;
  wouldChange?: string;
  /** The gravest first. */
  issues: Issue[];
  places: Place[];
  /** Absent when no query asked for them, which is not the same as none. */
  factors?: Factor[];
  /** What must not be done now. */
  avoid: string[];
  /** What is news in the logs, the most telling first. */
  logs: string[];
  /** Absent when no query asked for them. */
  actions?: Action[];
  ribbon?: Ribbon;
}
