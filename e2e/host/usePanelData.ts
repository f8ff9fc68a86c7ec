import {
  CoreApp,
  DataQueryError,
  DataQueryRequest,
  DataQueryResponse,
  dateTime,
  LoadingState,
  PanelData,
  rangeUtil,
  TimeRange,
} from '@grafana/data';
import { useEffect, useState } from 'react';
import { Observable, startWith } from 'rxjs';
import type { DataSource } from '../../src/datasource';
import { CopilotQuery } from '../../src/types';

interface Question {
  datasource: DataSource;
  targets: CopilotQuery[];
  /** As in "6h". */
  range: string;
  /** Changes with everything that makes the panel ask again. */
  cause: string;
}

/** The range of time that ends now. */
export function rangeOf(range: string): TimeRange {
  const to = dateTime();
  const seconds = rangeUtil.intervalToSeconds(range);
  return { from: dateTime(to).subtract(seconds, 's'), to, raw: { from: `now-${range}`, to: 'now' } };
}

/** Asks a panel's queries, and again when there is a cause; follows what Grafana Live tells. */
export function usePanelData({ datasource, targets, range, cause }: Question): PanelData {
  const [data, setData] = useState<PanelData>({ state: LoadingState.Loading, series: [], timeRange: rangeOf(range) });
  useEffect(() => {
    const timeRange = rangeOf(range);
    const request = requestOf(targets, timeRange);
    const packets = new Map<string, DataQueryResponse>();
    const answers = (datasource.query(request) as Observable<DataQueryResponse>).pipe(startWith(undefined));
    const subscription = answers.subscribe((packet) => {
      if (!packet) {
        setData((before) => ({ ...before, state: LoadingState.Loading }));
        return;
      }
      packets.set(packet.key ?? '', packet);
      const all = [...packets.values()];
      const errors = all.flatMap((one): DataQueryError[] => one.errors ?? []);
      setData({
        state: errors.length > 0 ? LoadingState.Error : (packet.state ?? LoadingState.Done),
        series: all.flatMap((one) => one.data as PanelData['series']),
        errors,
        timeRange,
      });
    });
    return () => subscription.unsubscribe();
  }, [datasource, targets, range, cause]);
  return data;
}

/** A request as Grafana makes it for a panel. */
export function requestOf(targets: CopilotQuery[], range: TimeRange): DataQueryRequest<CopilotQuery> {
  return {
    app: CoreApp.Dashboard,
    requestId: 'host',
    interval: '30s',
    intervalMs: 30_000,
    maxDataPoints: 500,
    range,
    scopedVars: {},
    startTime: range.to.valueOf(),
    targets,
    timezone: 'utc',
  };
}
