import { Page } from 'playwright-core';
import { violations } from './axe';
import { Browser, eventually, open, start, View, withBrowser } from './browser';
import { compare } from './compare';
import { serve, Server } from './server';

const views: Record<string, View> = {
  'editor-query': { editor: 'query', width: 1000, height: 96, query: { queryType: 'issues', states: ['$state'] } },
  'editor-signals': {
    editor: 'query',
    width: 1000,
    height: 190,
    theme: 'light',
    query: { queryType: 'signals', signals: ['backlog_age_sec'], scope: { kind: 'task_queue' } },
  },
  'editor-annotation': { editor: 'annotation', width: 1100, height: 96 },
  'editor-variable': { editor: 'variable', width: 1000, height: 96, query: { list: 'task_queues' } },
};

withBrowser("the data source's editors in a browser", () => {
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    server = await serve();
    browser = await start();
    page = await browser.context.newPage();
  });
  afterAll(async () => {
    await browser?.stop();
    await server?.stop();
  });

  it.each(Object.entries(views))('shows %s as it should look', async (name, view) => {
    await open(page, server.url, view);
    expect(await violations(page)).toEqual([]);
    const { differs, tolerance } = await compare(page, name);
    expect(differs).toBeLessThanOrEqual(tolerance);
  });

  it('builds a query by choosing', async () => {
    await open(page, server.url, { editor: 'query', width: 1000, height: 400 });
    await page.getByRole('combobox', { name: 'Show' }).click();
    await page.getByRole('option', { name: 'Issues' }).click();
    await page.getByRole('combobox', { name: 'Cluster' }).click();
    await page.getByRole('option', { name: /Production Europe/ }).click();
    await eventually(
      async () => JSON.parse((await page.locator('output').textContent())!) as Record<string, unknown>,
      (query) => expect(query).toMatchObject({ queryType: 'issues', cluster: 'prod-eu-west-1' })
    );
  });
});
