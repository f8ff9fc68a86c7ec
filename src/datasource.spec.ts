import {
  createDataFrame,
  DataQueryRequest,
  DataSourceInstanceSettings,
  PluginType,
  StreamingFrameAction,
} from '@grafana/data';
import { TemplateSrv } from '@grafana/runtime';
import { of } from 'rxjs';
import { DataSource } from './datasource';
import { CopilotOptions, CopilotQuery } from './types';
import { VariableSupport } from './variables';

// A dashboard with three variables, one of which stands for two signals.
const templates: TemplateSrv = {
  replace: (text = '', _scopedVars, format) =>
    text
      .replaceAll('$cluster', 'prod')
      .replaceAll('$queue', 'billing')
      .replaceAll('$signal', format === 'csv' ? 'backlog_count,backlog_age_sec' : '{backlog_count,backlog_age_sec}'),
  getVariables: () => [{ name: 'cluster' }, { name: 'queue' }, { name: 'signal' }] as never,
  containsTemplate: () => true,
  updateTimeRange: () => {},
};

const datasource = new DataSource(
  {
    id: 1,
    uid: 'copilot',
    name: 'Copilot',
    type: 'temporalsre-copilot-datasource',
    meta: { type: PluginType.datasource },
    jsonData: {},
  } as unknown as DataSourceInstanceSettings<CopilotOptions>,
  templates
);

const query = (part: Partial<CopilotQuery>): CopilotQuery => ({ refId: 'A', ...part });

describe('the data source', () => {
  it('asks for the status in a new panel', () => {
    expect(datasource.getDefaultQuery()).toEqual({ queryType: 'status' });
  });

  it('shows the newest status of a stream alone', () => {
    const options = datasource.streamOptionsProvider(
      {} as DataQueryRequest<CopilotQuery>,
      createDataFrame({ fields: [] })
    );
    expect(options).toMatchObject({ maxLength: 1, action: StreamingFrameAction.Replace });
  });

  it('fills variables in wherever a query may hold one', () => {
    expect(
      datasource.applyTemplateVariables(
        query({
          queryType: 'signals',
          cluster: '$cluster',
          scope: { kind: 'task_queue', namespace: '$cluster-orders', name: '$queue', task_type: 'activity' },
        }),
        {}
      )
    ).toEqual({
      refId: 'A',
      queryType: 'signals',
      cluster: 'prod',
      scope: { kind: 'task_queue', namespace: 'prod-orders', name: 'billing', task_type: 'activity' },
    });
  });

  it('lets one variable stand for several signals', () => {
    const { signals } = datasource.applyTemplateVariables(query({ signals: ['pollers', '$signal', ''] }), {});
    expect(signals).toEqual(['pollers', 'backlog_count', 'backlog_age_sec']);
  });

  it('lets one variable stand for several states, and another for an assessment', () => {
    const filled = datasource.applyTemplateVariables(query({ states: ['$signal'], assessment: '$cluster' }), {});
    expect(filled).toMatchObject({ states: ['backlog_count', 'backlog_age_sec'], assessment: 'prod' });
  });

  it('leaves a query without variables as it is', () => {
    const plain = query({ queryType: 'timeline' });
    expect(datasource.applyTemplateVariables(plain, {})).toEqual(plain);
    expect(datasource.interpolateVariablesInQueries([plain], {})).toEqual([plain]);
  });

  it('does not send a hidden query', () => {
    expect(datasource.filterQuery(query({ hide: true }))).toBe(false);
    expect(datasource.filterQuery(query({ hide: false }))).toBe(true);
  });

  it('sends a query without a type, so that the backend can say what it lacks', () => {
    expect(datasource.filterQuery(query({}))).toBe(true);
  });

  it.each([
    [query({}), 'status'],
    [query({ queryType: 'timeline', cluster: 'prod' }), 'timeline of prod'],
    [query({ queryType: 'signals', signals: ['pollers', 'backlog_count'] }), 'signals pollers backlog_count'],
  ])('describes a query in words: %#', (described, words) => {
    expect(datasource.getQueryDisplayText(described)).toBe(words);
  });

  it('writes the variables as a query uses them', () => {
    expect(datasource.variableNames()).toEqual(['$cluster', '$queue', '$signal']);
  });

  it('takes what there is to choose from from the backend', async () => {
    const getResource = jest.spyOn(datasource, 'getResource').mockResolvedValue([{ id: 'prod', display: 'prod' }]);
    await expect(datasource.clusters()).resolves.toEqual([{ id: 'prod', display: 'prod' }]);
    expect(getResource).toHaveBeenCalledWith('clusters');
    await datasource.signals();
    expect(getResource).toHaveBeenCalledWith('signals');
  });

  it('marks changes of state, also where an annotation leaves its type out', () => {
    expect(datasource.annotations?.getDefaultQuery?.()).toEqual({ queryType: 'annotations', events: 'transitions' });
    const prepared = datasource.annotations?.prepareQuery?.({
      name: 'Changes',
      enable: true,
      iconColor: 'red',
      target: query({ events: 'issues' }),
    });
    expect(prepared).toMatchObject({ queryType: 'annotations', events: 'issues' });
  });

  it('asks the backend what a variable offers', () => {
    const asked = jest.spyOn(datasource, 'query').mockReturnValue(of({ data: [] }));
    const variables = datasource.variables as VariableSupport;
    expect(variables.getDefaultQuery()).toEqual({ queryType: 'variables', list: 'clusters' });
    variables.query({ targets: [{ list: 'states' }] } as DataQueryRequest<CopilotQuery>);
    expect(asked).toHaveBeenCalledWith({ targets: [{ refId: 'variable', queryType: 'variables', list: 'states' }] });
  });
});
