// Grafana's services, as far as a dashboard of the copilot needs them. What asks a server asks the bridge.
import {
  DataFrameJSON,
  dataFrameFromJSON,
  DataQueryResponse,
  DataSourceInstanceSettings,
  LoadingState,
  locationUtil,
  PluginType,
  ScopedVars,
} from '@grafana/data';
import {
  BackendSrv,
  BackendSrvRequest,
  config,
  DataSourceSrv,
  GrafanaLiveSrv,
  LiveDataStreamOptions,
  locationService,
  setBackendSrv,
  setDataSourceSrv,
  setGrafanaLiveSrv,
  setTemplateSrv,
} from '@grafana/runtime';
import { from, Observable } from 'rxjs';
import { CopilotOptions } from '../../src/types';

/** A variable of the dashboard with its value. */
export interface Variable {
  name: string;
  value: string;
  /** What stands for "All" in a query. */
  allValue?: string;
}

const all = '$__all';

/** A data source that the bridge has configured. */
export interface Source {
  name: string;
  uid: string;
}

/**
 * Brings the services up.
 *
 * @param variables the dashboard's variables as they are now
 * @param sources the data sources there are
 */
export function provide(variables: () => Variable[], sources: Source[]) {
  locationUtil.initialize({
    config: { appSubUrl: config.appSubUrl } as never,
    getVariablesUrlParams: () => ({}),
    getTimeRangeForUrl: () => ({ from: 'now-6h', to: 'now' }),
  });
  setBackendSrv({ fetch: (request: BackendSrvRequest) => from(fetchFrom(request)) } as unknown as BackendSrv);
  const replace = (text = '', scopedVars?: ScopedVars) =>
    text.replace(/\$\{?(\w+)(?::\w+)?\}?/g, (written, name: string) => {
      const found = variables().find((variable) => variable.name === name);
      const value = (scopedVars?.[name]?.value as string | undefined) ?? found?.value;
      return value === undefined ? written : value === all ? (found?.allValue ?? value) : value;
    });
  setTemplateSrv({
    replace,
    containsTemplate: (text = '') => text.includes('$'),
    updateTimeRange: () => {},
    getVariables: () => variables().map(({ name, value }) => ({ name, current: { value } })) as never,
  });
  setDataSourceSrv({
    getInstanceSettings: (ref: { uid?: string }) => {
      const uid = replace(ref.uid);
      return sources.filter((source) => source.uid === uid).map(settingsOf)[0];
    },
  } as unknown as DataSourceSrv);
  setGrafanaLiveSrv({ getDataStream: streamOf } as unknown as GrafanaLiveSrv);
}

/** What Grafana tells a data source about itself. */
export function settingsOf({ name, uid }: Source): DataSourceInstanceSettings<CopilotOptions> {
  const type = 'temporalsre-copilot-datasource';
  return { id: 1, uid, name, type, meta: { id: type, type: PluginType.datasource }, jsonData: {} } as never;
}

/** The value that the address gives to a variable. */
export function inAddress(name: string): string | undefined {
  const value: unknown = locationService.getSearchObject()[`var-${name}`];
  return typeof value === 'string' ? value : undefined;
}

/** Asks the server; whatever is below Grafana's address is. */
async function fetchFrom({ url, method = 'GET', data, headers, params }: BackendSrvRequest) {
  const search = params ? `?${new URLSearchParams(params as Record<string, string>)}` : '';
  const response = await fetch(`${config.appSubUrl}${url}${search}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...(headers as Record<string, string>) },
    body: data === undefined ? undefined : JSON.stringify(data),
  });
  const text = await response.text();
  const answer = { status: response.status, statusText: response.statusText, data: parsed(text) };
  if (!response.ok) {
    throw answer;
  }
  return answer;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

/** Reads a channel of Grafana Live: what the query answered, then whatever is told. */
function streamOf({ addr, frame }: LiveDataStreamOptions): Observable<DataQueryResponse> {
  return new Observable((subscriber) => {
    const key = `${addr.stream}/${addr.path}`;
    const tell = (json: DataFrameJSON) =>
      subscriber.next({ key, state: LoadingState.Streaming, data: [dataFrameFromJSON(json)] });
    if (frame) {
      tell(frame);
    }
    const events = new EventSource(`${config.appSubUrl}/api/live/ds/${key}`);
    events.onmessage = ({ data }: MessageEvent<string>) => tell(JSON.parse(data) as DataFrameJSON);
    return () => events.close();
  });
}
