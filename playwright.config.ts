import type { PluginOptions } from '@grafana/plugin-e2e';
import { defineConfig, devices } from '@playwright/test';
import path from 'node:path';

// The suite for a real Grafana: docs/grafana.md says how one is started. It is TypeScript that Playwright runs itself.
const auth = path.join(__dirname, 'node_modules', '@grafana', 'plugin-e2e', 'dist', 'auth');
const setup = /.*auth\.setup\.js/;

export default defineConfig<PluginOptions>({
  testDir: './e2e/grafana',
  outputDir: './test-results/grafana',
  reporter: [['list'], ['html', { open: 'never' }]],
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: process.env.CI ? 1 : 0,
  timeout: 60_000,
  use: {
    ...devices['Desktop Chrome'],
    baseURL: process.env.GRAFANA_URL ?? 'http://localhost:3000',
    provisioningRootDir: path.join(__dirname, 'provisioning'),
    trace: 'retain-on-failure',
    ...(process.env.CHROMIUM_PATH ? { launchOptions: { executablePath: process.env.CHROMIUM_PATH } } : {}),
  },
  projects: [
    { name: 'log in', testDir: auth, testMatch: setup },
    {
      name: 'admin',
      testIgnore: /viewer\.spec\.ts/,
      use: { storageState: 'playwright/.auth/admin.json' },
      dependencies: ['log in'],
    },
    {
      name: 'log in as a viewer',
      testDir: auth,
      testMatch: setup,
      use: { user: { user: 'copilot-viewer', password: 'copilot-viewer', role: 'Viewer' } },
    },
    {
      name: 'viewer',
      testMatch: /viewer\.spec\.ts/,
      use: { storageState: 'playwright/.auth/copilot-viewer.json' },
      dependencies: ['log in as a viewer'],
    },
  ],
});
