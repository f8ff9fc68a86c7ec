// Packages of Grafana's that come as ES modules only, which Jest has to be told to translate.
const esModules = [
  '@grafana/schema',
  '@wojtekmaj/date-utils',
  'd3',
  'd3-color',
  'd3-force',
  'd3-interpolate',
  'd3-scale-chromatic',
  'get-user-locale',
  'marked',
  'memoize',
  'mimic-function',
  'ol',
  'react-calendar',
  'react-colorful',
  'rxjs',
  'uuid',
];

// The same zone on every machine, and no advertisement of a translation service in the output.
process.env.TZ = 'UTC';
process.env.I18NEXT_NO_SUPPORT_NOTICE = '1';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'jsdom',
  // A busy machine takes its time over @grafana/ui's lists.
  testTimeout: 60_000,
  testMatch: ['<rootDir>/src/**/*.spec.{ts,tsx}'],
  setupFilesAfterEnv: ['<rootDir>/.config/jest/setup.ts'],
  moduleNameMapper: {
    '\\.css$': '<rootDir>/.config/jest/empty.ts',
    'react-inlinesvg': '<rootDir>/.config/jest/inlinesvg.tsx',
  },
  transform: {
    '^.+\\.(mjs|[jt]sx?)$': [
      '@swc/jest',
      { sourceMaps: 'inline', jsc: { target: 'es2022', parser: { syntax: 'typescript', tsx: true } } },
    ],
  },
  transformIgnorePatterns: [`node_modules/(?!.*(${esModules.join('|')})/.*)`],
};
