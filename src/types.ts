import { DataSourceJsonData } from '@grafana/data';
import { DataQuery } from '@grafana/schema';

/** The questions that the backend answers; each has a file of its own there. */
export type QueryType =
  | 'status'
  | 'services'
  | 'scopes'
  | 'issues'
  | 'actions'
  | 'summary'
  | 'timeline'
  | 'transitions'
  | 'signals'
  | 'log_patterns'
  | 'assessment'
  | 'clusters'
  | 'annotations'
  | 'variables';

/** The kinds of place in a cluster that a signal is measured at. */
export type ScopeKind = 'cluster' | 'service' | 'namespace' | 'task_queue' | 'replica';

/** A place in the cluster. With a kind alone it stands for every place of that kind. */
export interface Scope {
  kind?: ScopeKind;
  namespace?: string;
  name?: string;
  /** Narrows a task queue to one of its two kinds of task. */
  task_type?: 'workflow' | 'activity';
}

/** What a dashboard variable can be a choice of. */
export type VariableList = 'clusters' | 'services' | 'namespaces' | 'task_queues' | 'states';

/** What annotations can be made of. */
export type AnnotatedEvents = 'transitions' | 'issues' | 'assessments';

/** A query as dashboards store it and as the backend reads it. */
export interface CopilotQuery extends DataQuery {
  queryType?: QueryType;
  /** The cluster to ask about; empty means the only one there is. */
  cluster?: string;
  /** The signals to draw; none means the primary ones. */
  signals?: string[];
  /** Where the signals are measured; none means the whole cluster. */
  scope?: Scope;
  /** The states to show; none means all. */
  states?: string[];
  /** The number that an alert rule compares; none means the state. */
  measure?: string;
  /** The issues of the time range, instead of those that are open now. */
  history?: boolean;
  /** The id of an assessment; none means the newest. */
  assessment?: string;
  /** What a variable offers; none means clusters. */
  list?: VariableList;
  /** What is marked on the time axis; none means changes of state. */
  events?: AnnotatedEvents;
  /** Tells of a new verdict at once, through Grafana Live. */
  live?: boolean;
}

/** The two kinds of database that the copilot's worker writes to. */
export type StoreKind = 'postgres' | 'dsql';

/** What PostgreSQL's sslmode may be here. */
export type SSLMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** The settings of a data source that the browser may see. */
export interface CopilotOptions extends DataSourceJsonData {
  kind?: StoreKind;
  /** Where PostgreSQL listens. */
  host?: string;
  /** A text when a provisioning file took it from the environment. */
  port?: number | string;
  database?: string;
  sslMode?: SSLMode;
  /** A file on the Grafana server with the certificates to trust, when the system's own do not do. */
  sslRootCertFile?: string;
  /** The Aurora DSQL cluster's endpoint and region. */
  endpoint?: string;
  region?: string;
  /** The database role to read as. */
  user?: string;
}

/** The settings of a data source that only the backend sees. */
export interface CopilotSecureOptions {
  password?: string;
}

/** A monitored cluster, as the backend's resource "clusters" lists it. */
export interface Cluster {
  id: string;
  /** Its name for people. */
  display: string;
}

/** A signal of the catalogue, as the backend's resource "signals" lists it. */
export interface Signal {
  id: string;
  title: string;
  meaning: string;
  class: string;
  unit: string;
  /** The kind of place that it is measured at; the value of the whole cluster is made of those. */
  scope: ScopeKind;
}
