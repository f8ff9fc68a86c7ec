import { EventBusSrv, FieldConfigSource, PanelPlugin } from '@grafana/data';
import { PanelChrome } from '@grafana/ui';
import React from 'react';
import { defaults, HeroOptions } from '../../src/hero/options';
import { situations } from '../../src/hero/testing/fixtures';
import { load } from './amd';
import { setting } from './setting';

const options: HeroOptions = {
  ...defaults,
  guideBaseUrl: 'https://wiki.example.com/runbooks/',
  ...(JSON.parse(setting('options', '{}')) as Partial<HeroOptions>),
};

/** The built hero panel on a dashboard, in one of the situations of the fixtures. */
export async function dashboard() {
  const { plugin } = await load<{ plugin: PanelPlugin<HeroOptions> }>('/dist/hero/module.js');
  return <Dashboard plugin={plugin} />;
}

function Dashboard({ plugin }: { plugin: PanelPlugin<HeroOptions> }) {
  const Panel = plugin.panel!;
  const data = situations[setting('situation', 'stressed')]!;
  const size = { width: Number(setting('width', '1200')), height: Number(setting('height', '560')) };
  return (
    <main>
      <h1 className="for-readers">Dashboard</h1>
      <PanelChrome {...size} title="Copilot Insights" displayMode={setting('chrome', '') ? 'default' : 'transparent'}>
        {(width: number, height: number) => (
          <Panel
            id={1}
            data={data}
            timeRange={data.timeRange}
            timeZone={setting('zone', 'utc')}
            options={options}
            transparent={false}
            width={width}
            height={height}
            fieldConfig={{ defaults: {}, overrides: [] } satisfies FieldConfigSource}
            renderCounter={0}
            title="Copilot Insights"
            eventBus={new EventBusSrv()}
            onOptionsChange={() => {}}
            onFieldConfigChange={() => {}}
            onChangeTimeRange={() => {}}
            replaceVariables={(text) => text}
          />
        )}
      </PanelChrome>
    </main>
  );
}
