import { DataSourceInstanceSettings, ScopedVars, StreamingFrameAction } from '@grafana/data';
import { DataSourceWithBackend, getTemplateSrv, TemplateSrv } from '@grafana/runtime';
import { annotations } from './annotations';
import { Cluster, CopilotOptions, CopilotQuery, Signal } from './types';
import { VariableSupport } from './variables';

/** What a new panel asks for: it shows something on every dashboard, with nothing to fill in. */
export const defaultQuery: Partial<CopilotQuery> = { queryType: 'status' };

/** The data source in the browser. It fills in variables; the backend does everything else. */
export class DataSource extends DataSourceWithBackend<CopilotQuery, CopilotOptions> {
  constructor(
    settings: DataSourceInstanceSettings<CopilotOptions>,
    private readonly templates: TemplateSrv = getTemplateSrv()
  ) {
    super(settings);
    this.annotations = annotations;
    this.variables = new VariableSupport(this);
    // A new status takes the place of the one before; it is no further row.
    this.streamOptionsProvider = () => ({ maxLength: 1, maxDelta: Infinity, action: StreamingFrameAction.Replace });
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
    if (query.assessment) {
      filled.assessment = fill(query.assessment);
    }
    for (const list of ['signals', 'states'] as const) {
      if (query[list]) {
        // One entry may be a variable that stands for several.
        filled[list] = query[list]
          .flatMap((entry) => this.templates.replace(entry, scopedVars, 'csv').split(','))
          .map((entry) => entry.trim())
          .filter((entry) => entry !== '');
      }
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
