import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, IncomingMessage, request as ask, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import path from 'node:path';

export const root = path.resolve(__dirname, '..');

// What the host page needs, by the beginning of its address.
const places: Array<[address: string, folder: string]> = [
  ['/dist/', 'dist'],
  ['/provisioning/', 'provisioning/dashboards'],
  ['/host/', 'e2e/host'],
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
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export interface Server {
  url: string;
  stop: () => Promise<void>;
}

/** Where everything is served a second time, as a Grafana behind a proxy that shares its address is. */
export const subPath = '/grafana';

// Stricter than what Grafana recommends: no script but those that are served, and nothing that makes text a program.
const policy = "script-src 'self'; object-src 'none'; base-uri 'self'; frame-src 'none'; worker-src 'none'";

/**
 * Serves the host page and the built plugin on a free port of the loopback address.
 *
 * @param backend the address of the bridge to the backend; without one nothing answers queries
 */
export async function serve(backend?: string): Promise<Server> {
  const server = createServer((request, response) => {
    const url = (request.url ?? '/').replace(new RegExp(`^${subPath}(?=/|$)`), '') || '/';
    if (backend && /^\/(api|stage)\//.test(url)) {
      passOn(request, response, backend + url);
      return;
    }
    void answer(url).then(({ status, type, body }) => {
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Security-Policy': policy,
        'Cache-Control': 'max-age=3600',
      });
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

/** Has the bridge answer a request. */
function passOn(request: IncomingMessage, response: ServerResponse, url: string) {
  const { method, headers } = request;
  const asked = ask(url, { method, headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(response);
  });
  asked.on('error', ({ message }) => {
    if (response.headersSent) {
      response.destroy();
    } else {
      response.writeHead(502, { 'Content-Type': 'text/plain' }).end(message);
    }
  });
  response.on('close', () => asked.destroy());
  request.pipe(asked);
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
