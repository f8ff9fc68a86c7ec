import { DataSourcePlugin, EventBusSrv, PanelPlugin } from '@grafana/data';
import { config, locationService } from '@grafana/runtime';
import { Button, PanelChrome } from '@grafana/ui';
import React, { useEffect, useMemo, useState } from 'react';
import { lastValueFrom, Observable } from 'rxjs';
import type { DataSource } from '../../src/datasource';
import { HeroOptions } from '../../src/hero/options';
import { CopilotOptions, CopilotQuery } from '../../src/types';
import { load } from './amd';
import { DashboardModel, PanelModel, VariableModel } from './model';
import { Plain } from './Plain';
import { inAddress, provide, settingsOf, Source, Variable } from './services';
import { rangeOf, requestOf, usePanelData } from './usePanelData';

// A column and a row of Grafana's grid, and what is between two.
const grid = { columns: 24, row: 30, gap: 8 };

const getJSON = async <T,>(path: string) => (await (await fetch(config.appSubUrl + path)).json()) as T;

/** Copilot Insights as it is provisioned, answered by the built backend. */
export async function insights() {
  const model = await getJSON<DashboardModel>('/provisioning/copilot-insights.json');
  const sources = await getJSON<Source[]>('/stage/sources');
  const base = config.appSubUrl;
  const { plugin: hero } = await load<{ plugin: PanelPlugin<HeroOptions> }>(`${base}/dist/hero/module.js`);
  const { plugin } = await load<{ plugin: DataSourcePlugin<DataSource, CopilotQuery, CopilotOptions> }>(
    `${base}/dist/module.js`
  );

  const first = new Map<string, string>([['copilot', sources[0]!.uid]]);
  const variables = (): Variable[] =>
    model.templating.list.map(({ name, allValue, current }) => ({
      name,
      allValue,
      value: inAddress(name) ?? first.get(name) ?? current?.value ?? '',
    }));
  provide(variables, sources);
  const chosen = inAddress('copilot') ?? sources[0]!.uid;
  const datasource = new plugin.DataSourceClass(settingsOf(sources.find(({ uid }) => uid === chosen)!));
  const offered = new Map<string, string[]>();
  for (const variable of model.templating.list) {
    if (variable.type === 'query') {
      offered.set(variable.name, await valuesOf(datasource, variable));
      first.set(variable.name, offered.get(variable.name)![0] ?? '');
    }
  }
  return <Insights model={model} hero={hero} datasource={datasource} offered={offered} variables={variables} />;
}

/** What a query variable offers. Grafana takes it from the variable support of the data source. */
async function valuesOf(datasource: DataSource, { query }: VariableModel): Promise<string[]> {
  const support = datasource.variables as unknown as { query: (request: unknown) => Observable<Answer> };
  const { data } = await lastValueFrom(support.query(requestOf([query as CopilotQuery], rangeOf('6h'))));
  return data.flatMap(({ fields }) => fields.find(({ name }) => name === 'value')?.values ?? []);
}

interface Answer {
  data: Array<{ fields: Array<{ name: string; values: string[] }> }>;
}

interface Props {
  model: DashboardModel;
  hero: PanelPlugin<HeroOptions>;
  datasource: DataSource;
  offered: Map<string, string[]>;
  variables: () => Variable[];
}

function Insights({ model, hero, datasource, offered, variables }: Props) {
  const [values, setValues] = useState(variables);
  const [refreshed, setRefreshed] = useState(0);
  useEffect(() => {
    const subscription = locationService.getLocationObservable().subscribe(() => setValues(variables()));
    return () => subscription.unsubscribe();
  }, [variables]);
  const cause = JSON.stringify([values, refreshed]);
  const width = Math.min(window.innerWidth, 1600) - 2 * grid.gap;
  return (
    <main data-testid="insights">
      <h1 className="for-readers">{model.title}</h1>
      <form style={{ display: 'flex', gap: grid.gap, height: 32 }}>
        {[...offered].map(([name, options]) => (
          <label key={name}>
            {name}{' '}
            <select
              style={{ height: 28 }}
              aria-label={name}
              value={values.find((variable) => variable.name === name)?.value}
              onChange={({ target }) => locationService.partial({ [`var-${name}`]: target.value })}
            >
              {options.map((option) => (
                <option key={option}>{option}</option>
              ))}
            </select>
          </label>
        ))}
        <Button type="button" onClick={() => setRefreshed((times) => times + 1)}>
          Refresh
        </Button>
      </form>
      <div style={{ position: 'relative', width }}>
        {model.panels.map((panel) => (
          <div key={panel.id} style={placed(panel, width)}>
            <Panel
              panel={panel}
              hero={hero}
              datasource={datasource}
              cause={cause}
              range={model.time.from.replace('now-', '')}
              {...sized(panel, width)}
            />
          </div>
        ))}
      </div>
    </main>
  );
}

const sized = ({ gridPos: { w, h } }: PanelModel, width: number) => ({
  width: Math.floor((w * (width + grid.gap)) / grid.columns) - grid.gap,
  height: h * (grid.row + grid.gap) - grid.gap,
});

const placed = ({ gridPos: { x, y } }: PanelModel, width: number) => ({
  position: 'absolute' as const,
  left: Math.floor((x * (width + grid.gap)) / grid.columns),
  top: y * (grid.row + grid.gap),
});

interface PanelProps {
  panel: PanelModel;
  hero: PanelPlugin<HeroOptions>;
  datasource: DataSource;
  cause: string;
  range: string;
  width: number;
  height: number;
}

function Panel({ panel, hero, datasource, cause, range, width, height }: PanelProps) {
  const { targets, timeFrom } = panel;
  const data = usePanelData({ datasource, targets, range: timeFrom ?? range, cause });
  const eventBus = useMemo(() => new EventBusSrv(), []);
  const Hero = hero.panel!;
  const isHero = panel.type === 'temporalsre-copilothero-panel';
  return (
    <PanelChrome width={width} height={height} title={panel.title} displayMode={isHero ? 'transparent' : 'default'}>
      {(innerWidth: number, innerHeight: number) =>
        isHero ? (
          <Hero
            id={panel.id}
            data={data}
            timeRange={data.timeRange}
            timeZone="utc"
            options={panel.options as unknown as HeroOptions}
            transparent={false}
            width={innerWidth}
            height={innerHeight}
            fieldConfig={{ defaults: {}, overrides: [] }}
            renderCounter={0}
            title={panel.title}
            eventBus={eventBus}
            onOptionsChange={() => {}}
            onFieldConfigChange={() => {}}
            onChangeTimeRange={() => {}}
            replaceVariables={(text) => text}
          />
        ) : (
          <Plain panel={panel} data={data} height={innerHeight} />
        )
      }
    </PanelChrome>
  );
}
