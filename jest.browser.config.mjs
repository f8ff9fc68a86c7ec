/** The tests of the built plugins in a real browser. They need dist/, and the host page that e2e/build.mjs makes. */
/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // A busy machine takes its time over a browser.
  testTimeout: 120_000,
  // Those in folders are for a real Grafana, and for another runner.
  testMatch: ['<rootDir>/e2e/*.spec.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { sourceMaps: 'inline', jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
};
