// Plays Grafana's part: loads the built plugins with Grafana's own packages, and shows one of them.
import { createTheme, ThemeContext } from '@grafana/data';
import { setTemplateSrv } from '@grafana/runtime';
import { GlobalStyles } from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { dashboard } from './Dashboard';
import { editor } from './Editor';
import { insights } from './Insights';
import { setting } from './setting';

const theme = createTheme({ colors: { mode: setting('theme', 'dark') === 'light' ? 'light' : 'dark' } });

setTemplateSrv({
  replace: (text = '') => text,
  containsTemplate: () => false,
  updateTimeRange: () => {},
  getVariables: () => [{ name: 'state', current: { value: '$__all' } }] as never,
});

async function main() {
  const shown = setting('page', '') ? await insights() : setting('editor', '') ? await editor() : await dashboard();
  document.documentElement.style.background = theme.colors.background.canvas;
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {shown}
    </ThemeContext.Provider>
  );
}

void main();
