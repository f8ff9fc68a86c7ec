// Builds the host page. It holds Grafana's own packages as Grafana does: once, for the page and for the plugins.
import { build } from 'esbuild';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const grafana = (name) => path.join(root, 'node_modules', '@grafana', name, 'dist', 'cjs', 'index.cjs');

await build({
  absWorkingDir: root,
  entryPoints: ['e2e/host/host.tsx'],
  outfile: 'test-results/host/host.js',
  bundle: true,
  // One copy of each package, whether it is imported or required.
  conditions: ['require'],
  mainFields: ['browser', 'main'],
  // Asked for only by what is not used here.
  external: ['monaco-editor', 'stream'],
  alias: {
    '@grafana/data': grafana('data'),
    '@grafana/runtime': grafana('runtime'),
    '@grafana/ui': grafana('ui'),
  },
  loader: { '.svg': 'dataurl', '.css': 'empty' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  minifySyntax: true,
  logLevel: 'warning',
});
