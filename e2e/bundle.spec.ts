import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './server';

interface Manifest {
  id: string;
  type: string;
  executable?: string;
  routes?: unknown;
  includes?: unknown;
  info: { logos: Record<string, string>; screenshots: Array<{ path: string }>; version: string };
  dependencies: { grafanaDependency: string; plugins: unknown[] };
}

const dist = (name: string) => readFileSync(path.join(root, 'dist', name));
const manifest = (name: string) => JSON.parse(dist(name).toString()) as Manifest;

const bundles = ['module.js', 'hero/module.js'];

// What every Grafana that plugin.json admits shares with plugins. A bundle that asks for more does not load.
const shared = [
  '@emotion/css',
  '@emotion/react',
  '@grafana/data',
  '@grafana/runtime',
  '@grafana/ui',
  'lodash',
  'moment',
  'react',
  'react-dom',
  'rxjs',
];

// What a strict content security policy or the front end's sandbox takes away, and addresses that only hold where Grafana
// is served at the root: Grafana's own services know where it is.
const forbidden = [
  'eval(',
  'new Function',
  'document.write',
  'document.cookie',
  'innerHTML',
  'outerHTML',
  'localStorage',
  'sessionStorage',
  'importScripts',
  'new Worker',
  'XMLHttpRequest',
  'fetch(',
  'window.open',
  'window.location',
  'postMessage',
  '"/api/',
  '"/public/',
  '"/d/',
];

describe('the built plugins', () => {
  it.each([
    ['hero/module.js', 60],
    ['module.js', 60],
  ])('%s is smaller than %d KB on its way to the browser', (name, most) => {
    const size = gzipSync(dist(name)).length;
    if (process.env.SHOW_FIGURES) {
      process.stdout.write(`${name}: ${(size / 1024).toFixed(1)} KB gzipped, at most ${most}\n`);
    }
    expect(size).toBeLessThan(most * 1024);
  });

  it.each(['plugin.json', 'hero/plugin.json'])('%s is filled in, and its pictures are there', (name) => {
    expect(dist(name).toString()).not.toContain('%');
    const { logos, screenshots } = manifest(name).info;
    for (const picture of [...Object.values(logos), ...screenshots.map((screenshot) => screenshot.path)]) {
      expect([picture, existsSync(path.join(root, 'dist', path.dirname(name), picture))]).toEqual([picture, true]);
    }
  });

  it.each(bundles)('%s asks for nothing but what Grafana shares', (name) => {
    const asked = /^define\((\[[^\]]*\])/.exec(dist(name).toString())?.[1];
    expect((JSON.parse(asked!) as string[]).filter((module) => !shared.includes(module))).toEqual([]);
  });

  it.each(bundles)('%s needs nothing that a policy, the sandbox or a path takes away', (name) => {
    const code = dist(name).toString();
    expect(forbidden.filter((words) => code.includes(words))).toEqual([]);
  });

  it('are of one organisation and version, and admit the same Grafana', () => {
    const source = manifest('plugin.json');
    const hero = manifest('hero/plugin.json');
    expect([source.type, hero.type]).toEqual(['datasource', 'panel']);
    expect(hero.id.split('-')[0]).toBe(source.id.split('-')[0]!);
    expect(hero.info.version).toBe(source.info.version);
    expect(hero.dependencies).toEqual(source.dependencies);
    expect(source.dependencies).toEqual({ grafanaDependency: '>=12.3.0', plugins: [] });
  });

  it('open no way past the backend, whose name is that of its binaries', () => {
    const { executable, routes, includes } = manifest('plugin.json');
    expect([executable, routes, includes]).toEqual(['gpx_temporalsre-copilot', undefined, undefined]);
  });
});
