import { PanelPlugin, standardEditorsRegistry } from '@grafana/data';
import { HeroPanel } from './components/HeroPanel';
import { plugin } from './module';
import manifest from './plugin.json';
import parent from '../plugin.json';
import { defaults } from './options';

// Grafana's option editors live in its web app.
standardEditorsRegistry.setInit(() => ['text', 'boolean', 'radio'].map((id) => ({ id, name: id, editor: () => null })));

describe('the hero plugin', () => {
  it('is a panel with options that have defaults', () => {
    expect(plugin).toBeInstanceOf(PanelPlugin);
    expect(plugin.panel).toBe(HeroPanel);
    expect(plugin.defaults).toEqual(defaults);
  });

  it('goes with the data source that it lies in', () => {
    expect(manifest).toMatchObject({ type: 'panel', id: 'temporalsre-copilothero-panel' });
    expect(manifest.info.version).toBe(parent.info.version);
    expect(manifest.dependencies.grafanaDependency).toBe(parent.dependencies.grafanaDependency);
  });
});
