import grafanaConfig from '@grafana/eslint-config';
import { defineConfig } from 'eslint/config';

export default defineConfig([
  // Everything but the front end: other directories belong to other tools, dist/ to the build.
  { ignores: ['*', '!src/', '!e2e/', '!.config/', '!*.mjs', '!playwright.config.ts', '**/node_modules/'] },
  ...grafanaConfig,
  { rules: { 'react/prop-types': 'off' } },
  {
    files: ['src/**/*.{ts,tsx}', 'e2e/**/*.{ts,tsx}', 'playwright.config.ts', '.config/**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      // What Grafana has marked as going away breaks us in a later version.
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
    },
  },
]);
