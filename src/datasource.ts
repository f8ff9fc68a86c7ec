import { DataSourceInstanceSettings, ScopedVars } from '@grafana/data';
import { DataSourceWithBackend, getTemplateSrv, TemplateSrv } from '@grafana/runtime';
import { Cluster, CopilotOptions, CopilotQuery, Signal } from './types';

/** What a new panel asks for: it shows something on every dashboard, with nothing to fill in. */
export const defaultQuery: Partial<CopilotQuery> = { queryType: 'status' };

/** The data source in the browser. It fills in variables; the backend does everything else. */
export class DataSource extends DataSourceWithBackend<CopilotQuery, CopilotOptions> {
  constructor(
    settings: DataSourceInstanceSettings<CopilotOptions>,
    private readonly templates: TemplateSrv = getTemplateSrv()
  ) {
    super(settings);
  }

  getDefaultQuery(): Partial<CopilotQuery> {
    return defaultQuery;
  }

  getQueryDisplayText(query: CopilotQuery): string {
    const what = query.queryType === 'signals' ? ['signals', ...(query.signals ?? [])] : [query.queryType ?? 'status'];
    return [...what, ...(query.cluster ? [`of ${query.cluster}`] : [])].join(' ');
  }

  filterQuery(query: CopilotQuery): boolean {
    return !query.hide;
  }

  applyTemplateVariables(query: CopilotQuery, scopedVars: ScopedVars): CopilotQuery {
    const fill = (text?: string) => (text ? this.templates.replace(text, scopedVars) : text);
    const filled: CopilotQuery = { ...query };
    if (query.cluster) {
      filled.cluster = fill(query.cluster);
    }
    if (query.scope) {
      filled.scope = { ...query.scope, namespace: fill(query.scope.namespace), name: fill(query.scope.name) };
    }
    if (query.signals) {
      // One entry may be a variable that stands for several signals.
      filled.signals = query.signals
        .flatMap((signal) => this.templates.replace(signal, scopedVars, 'csv').split(','))
        .map((signal) => signal.trim())
        .filter((signal) => signal !== '');
    }
    return filled;
  }

  interpolateVariablesInQueries(queries: CopilotQuery[], scopedVars: ScopedVars): CopilotQuery[] {
    return queries.map((query) => this.applyTemplateVariables(query, scopedVars));
  }

  /** The clusters that the worker has observed. */
  clusters(): Promise<Cluster[]> {
    return this.getResource('clusters');
  }

  /** The signals that a query may name. */
  signals(): Promise<Signal[]> {
    return this.getResource('signals');
  }

  /** The dashboard's variables, written as a query uses them. */
  variableNames(): string[] {
    return this.templates.getVariables().map((variable) => '$' + variable.name);
  }
}
