import { CustomVariableSupport, DataQueryRequest, DataQueryResponse } from '@grafana/data';
import { Observable } from 'rxjs';
import { VariableEditor } from './components/VariableEditor';
import type { DataSource } from './datasource';
import { CopilotQuery } from './types';

/** Lets dashboard variables offer what there is: clusters, task queues, states and so on. */
export class VariableSupport extends CustomVariableSupport<DataSource, CopilotQuery, CopilotQuery> {
  editor = VariableEditor;

  constructor(private readonly datasource: DataSource) {
    super();
  }

  getDefaultQuery(): Partial<CopilotQuery> {
    return { queryType: 'variables', list: 'clusters' };
  }

  query(request: DataQueryRequest<CopilotQuery>): Observable<DataQueryResponse> {
    const targets = request.targets.map((target) => ({
      ...target,
      refId: target.refId || 'variable',
      queryType: 'variables' as const,
    }));
    return this.datasource.query({ ...request, targets });
  }
}
