import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import path from 'node:path';

export const root = path.resolve(__dirname, '..');

// What the host page needs, by the beginning of its address.
const places: Array<[address: string, folder: string]> = [
  ['/dist/', 'dist'],
  ['/public/build/img/', 'node_modules/@grafana/ui/dist/public/img'],
  ['/', 'test-results/host'],
];

// Grafana's fonts, under the names that its styles use; the same on every machine, so that screenshots are, too.
const fonts: Array<[name: RegExp, file: string]> = [
  [/^\/public\/fonts\/inter\/Inter-Regular/, 'inter/files/inter-latin-400-normal.woff2'],
  [/^\/public\/fonts\/inter\/Inter-Medium/, 'inter/files/inter-latin-500-normal.woff2'],
  [/^\/public\/fonts\/roboto\//, 'roboto-mono/files/roboto-mono-latin-400-normal.woff2'],
];

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export interface Server {
  url: string;
  stop: () => Promise<void>;
}

/** Serves the host page and the built plugin on a free port of the loopback address. */
export async function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '/').then(({ status, type, body }) => {
      response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'max-age=3600' });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(url: string): Promise<{ status: number; type: string; body?: Buffer }> {
  const { pathname } = new URL(url, 'http://host');
  const file = pathname === '/' ? path.join(root, 'e2e/host/index.html') : fileOf(pathname);
  if (!file || !existsSync(file)) {
    return { status: 404, type: 'text/plain' };
  }
  return { status: 200, type: types[path.extname(file)] ?? 'application/octet-stream', body: await readFile(file) };
}

function fileOf(pathname: string): string | undefined {
  const font = fonts.find(([name]) => name.test(pathname));
  if (font) {
    return path.join(root, 'node_modules/@fontsource', font[1]);
  }
  const [address, folder] = places.find(([beginning]) => pathname.startsWith(beginning)) ?? [];
  if (address === undefined || folder === undefined) {
    return undefined;
  }
  const base = path.join(root, folder);
  const file = path.join(base, pathname.slice(address.length));
  return file.startsWith(base + path.sep) ? file : undefined;
}
