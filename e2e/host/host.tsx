// Plays Grafana's part for the hero panel: loads the built plugin with Grafana's own packages and gives it data.
import { createTheme, EventBusSrv, FieldConfigSource, PanelPlugin, ThemeContext } from '@grafana/data';
import { locationService, setTemplateSrv } from '@grafana/runtime';
import { GlobalStyles, PanelChrome } from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { defaults, HeroOptions } from '../../src/hero/options';
import { situations } from '../../src/hero/testing/fixtures';
import { load } from './amd';

const search = new URLSearchParams(window.location.search);
const setting = (name: string, otherwise: string) => search.get(name) ?? otherwise;

const theme = createTheme({ colors: { mode: setting('theme', 'dark') === 'light' ? 'light' : 'dark' } });

setTemplateSrv({
  replace: (text = '') => text,
  containsTemplate: () => false,
  updateTimeRange: () => {},
  getVariables: () => (setting('variables', 'state') ? [{ name: 'state', current: { value: '$__all' } }] : []) as never,
});

const options: HeroOptions = {
  ...defaults,
  guideBaseUrl: 'https://wiki.example.com/runbooks/',
  ...(JSON.parse(setting('options', '{}')) as Partial<HeroOptions>),
};

function Dashboard({ plugin }: { plugin: PanelPlugin<HeroOptions> }) {
  const Panel = plugin.panel!;
  const data = situations[setting('situation', 'stressed')]!;
  const size = { width: Number(setting('width', '1200')), height: Number(setting('height', '560')) };
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
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
    </ThemeContext.Provider>
  );
}

async function main() {
  const { plugin } = await load<{ plugin: PanelPlugin<HeroOptions> }>('/dist/hero/module.js');
  document.documentElement.style.background = theme.colors.background.canvas;
  createRoot(document.getElementById('root')!).render(<Dashboard plugin={plugin} />);
  // For the tests, which look at what the panel did to the URL.
  Object.assign(window, { locationService });
}

void main();
