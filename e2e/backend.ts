import { ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { root } from './server';

const go = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
const system = process.platform === 'win32' ? 'windows' : process.platform;

const needed = {
  plugin: path.join(root, 'dist', `gpx_temporalsre-copilot_${system}_${go}`),
  lab: path.join(root, 'bin', 'lab'),
  prometheus: path.join(root, 'bin', 'prometheus'),
};

const missing = Object.values(needed).filter((file) => !existsSync(file));

if (missing.length > 0) {
  console.warn(
    `The tests with the built backend are skipped, for lack of ${missing.join(', ')}. "go tool mage build" makes them.`
  );
}

/** Whether everything is there that the backend's tests need. */
export const canServe = missing.length === 0;

/** What the store holds of a cluster, as far as the tests compare it. */
export interface Stored {
  health_state: string;
  observed_at: string;
  actions: Array<{ action: string; guide?: string }>;
  issues: Array<{ title: string; status: string; severity: string }>;
  scopes: Array<{ state: string; kind: string; name: string }>;
  explanation: { summary: string; factors: Array<{ text: string }>; avoid?: string[] };
}

/** How far a recorded play is stored as a cluster: until a state has begun that holds for some steps. */
export interface Play {
  cluster: string;
  state: 'happy' | 'stressed' | 'critical';
  steps: number;
  /** Ends so many steps after the state began; before, if negative. */
  offset: number;
  /** How old the last verdict is. */
  ageSec?: number;
}

export interface Backend {
  url: string;
  /** Stores a play, and returns the last verdict. */
  play: (play: Play) => Promise<Stored>;
  /** Stores one more verdict of a play. */
  next: (cluster: string) => Promise<Stored>;
  /** The data sources by name. */
  sources: () => Promise<Array<{ name: string; uid: string }>>;
  /** Ends PostgreSQL. */
  stopStore: () => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts the built backend and a PostgreSQL, by way of the bridge. */
export async function startBackend(): Promise<Backend> {
  const binary = path.join(root, 'test-results', 'bridge');
  await promisify(execFile)('go', ['build', '-o', binary, './e2e/bridge'], {
    cwd: root,
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  const recording = path.join(root, 'lab', 'recordings', 'game-day');
  const bridge = spawn(binary, ['-plugin', needed.plugin, '-lab', needed.lab, '-recording', recording], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const url = await addressOf(bridge);
  const call = async <T>(method: string, address: string, body?: unknown): Promise<T> => {
    const response = await fetch(url + address, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${address}: ${text}`);
    }
    return JSON.parse(text) as T;
  };
  return {
    url,
    play: (play) => call('POST', '/stage/play', play),
    next: (cluster) => call('POST', `/stage/next?cluster=${cluster}`),
    sources: () => call('GET', '/stage/sources'),
    stopStore: () => call('POST', '/stage/stop-store'),
    stop: () =>
      new Promise((resolve) => {
        bridge.once('exit', () => resolve());
        bridge.stdin.end();
      }),
  };
}

/** The first line that the bridge says. */
function addressOf(bridge: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    bridge.once('exit', (code) => reject(new Error(`the bridge ended with ${code}; it said why above`)));
    createInterface(bridge.stdout!).once('line', (line) => resolve((JSON.parse(line) as { url: string }).url));
  });
}
