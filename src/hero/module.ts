import { PanelPlugin } from '@grafana/data';
import { HeroPanel } from './components/HeroPanel';
import { defaults, HeroOptions } from './options';

export const plugin = new PanelPlugin<HeroOptions>(HeroPanel).setPanelOptions((builder) =>
  builder
    .addTextInput({
      path: 'filterVariable',
      name: 'Variable to filter by',
      description: 'The dashboard variable that All, Happy, Stressed and Critical set. Empty hides the filter.',
      defaultValue: defaults.filterVariable,
    })
    .addBooleanSwitch({
      path: 'ribbon',
      name: 'Ribbon of states',
      description: 'The states of the time range, if a query of type Timeline asks for them.',
      defaultValue: defaults.ribbon,
    })
    .addRadio({
      path: 'columns',
      name: 'Analysis and remediations',
      description: 'Automatic leaves them out where the panel is too low for them.',
      defaultValue: defaults.columns,
      settings: {
        options: [
          { value: 'auto', label: 'Automatic' },
          { value: 'always', label: 'Always' },
          { value: 'never', label: 'Never' },
        ],
      },
    })
    .addTextInput({
      path: 'guideBaseUrl',
      name: 'Where guides are read',
      description:
        "A runbook's name is appended to this URL, or put where it says {guide}. Empty leads to the copilot's own runbooks.",
      defaultValue: defaults.guideBaseUrl,
      settings: { placeholder: 'https://wiki.example.com/runbooks/{guide}' },
    })
    .addRadio({
      path: 'density',
      name: 'Density',
      defaultValue: defaults.density,
      settings: {
        options: [
          { value: 'comfortable', label: 'Comfortable' },
          { value: 'compact', label: 'Compact' },
        ],
      },
    })
);
