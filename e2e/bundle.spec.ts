import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './server';

interface Info {
  logos: Record<string, string>;
  screenshots: Array<{ path: string }>;
}

const dist = (name: string) => readFileSync(path.join(root, 'dist', name));

describe('the built plugins', () => {
  it.each([
    ['hero/module.js', 60],
    ['module.js', 60],
  ])('%s is smaller than %d KB on its way to the browser', (name, most) => {
    expect(gzipSync(dist(name)).length).toBeLessThan(most * 1024);
  });

  it.each(['plugin.json', 'hero/plugin.json'])('%s is filled in, and its pictures are there', (name) => {
    const manifest = JSON.parse(dist(name).toString());
    expect(JSON.stringify(manifest)).not.toContain('%');
    const { logos, screenshots } = manifest.info as Info;
    for (const picture of [...Object.values(logos), ...screenshots.map((screenshot) => screenshot.path)]) {
      expect([picture, existsSync(path.join(root, 'dist', path.dirname(name), picture))]).toEqual([picture, true]);
    }
  });
});
