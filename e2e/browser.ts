import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BrowserContext, chromium, Page } from 'playwright-core';
import { now } from '../src/hero/testing/now';

/** Where a Chromium is installed, as a package of the system. */
const executable = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (file) => file && existsSync(file)
);

if (!executable) {
  console.warn(
    'The browser tests are skipped: there is no Chromium. Install the package "chromium", or set CHROMIUM_PATH.'
  );
}

/** Describes tests that need a browser. */
export const withBrowser = executable ? describe : describe.skip;

// No sandbox: tests often run as root, where it does not work, and the only page is ours. No calls home.
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
  '--force-color-profile=srgb',
];

export interface Browser {
  context: BrowserContext;
  stop: () => Promise<void>;
}

export async function start(): Promise<Browser> {
  const profile = mkdtempSync(path.join(tmpdir(), 'copilot-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executable,
    args: flags,
    reducedMotion: 'reduce',
    locale: 'en-US',
    timezoneId: 'America/New_York',
  });
  return {
    context,
    stop: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** What the host page shows, and how large. */
export interface View {
  width: number;
  height: number;
  theme?: 'dark' | 'light';
  /** The hero panel's situation, options and time zone. */
  situation?: string;
  options?: Record<string, unknown>;
  zone?: string;
  /** An editor instead of the hero panel, and the query that it shows. */
  editor?: 'query' | 'annotation' | 'variable';
  query?: Record<string, unknown>;
}

/** Opens the host page, at the time of the fixtures. */
export async function open(page: Page, url: string, view: View) {
  await page.clock.setFixedTime(now);
  await page.setViewportSize({ width: view.width + 16, height: view.height + 16 });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    search.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  await page.goto(`${url}/?${search}`);
  await page.getByTestId(view.editor ? 'editor' : 'copilot-hero').waitFor();
  await page.evaluate('document.fonts.ready');
}

/**
 * Reads until what is read passes, as a person looks again at a page that has not caught up with the last click. The
 * expectation's own error says what was wrong at the end.
 */
export async function eventually<T>(read: () => Promise<T> | T, expectation: (value: T) => void) {
  const end = Date.now() + 30_000;
  for (;;) {
    const value = await read();
    try {
      expectation(value);
      return;
    } catch (error) {
      if (Date.now() > end) {
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
