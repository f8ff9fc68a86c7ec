import { Locator, Page } from 'playwright-core';
import { violations } from './axe';
import { Backend, canServe, startBackend, Stored } from './backend';
import { Browser, eventually, start, withBrowser } from './browser';
import { serve, Server, subPath } from './server';

const withBackend = canServe ? withBrowser : describe.skip;

// The dashboard as it is provisioned, in a browser; its queries answered by the built backend over gRPC, from a
// PostgreSQL that holds the verdicts on two recorded hours of a real cluster. Grafana's part is played, below a path.
withBackend('Copilot Insights, answered by the built backend', () => {
  let backend: Backend;
  let server: Server;
  let browser: Browser;
  let page: Page;
  const uids = new Map<string, string>();
  const complaints: string[] = [];

  beforeAll(async () => {
    backend = await startBackend();
    server = await serve(backend.url);
    browser = await start();
    page = await browser.context.newPage();
    await page.setViewportSize({ width: 1440, height: 1000 });
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    for (const { name, uid } of await backend.sources()) {
      uids.set(name, uid);
    }
  }, 300_000);
  afterAll(async () => {
    await browser?.stop();
    await server?.stop();
    await backend?.stop();
  });
  beforeEach(() => complaints.splice(0));

  const show = async (variables: Record<string, string>) => {
    const search = new URLSearchParams({ page: 'insights' });
    for (const [name, value] of Object.entries(variables)) {
      search.set(`var-${name}`, value);
    }
    await page.goto(`${server.url}${subPath}/?${search}`);
    await page.getByTestId('copilot-hero').waitFor();
  };
  const hero = () => page.getByTestId('copilot-hero');
  const panel = (title: string) => page.getByTestId(`panel ${title}`);
  const expectText = (part: Locator, ...texts: Array<string | RegExp>) =>
    eventually(
      () => part.innerText(),
      (text) =>
        texts.forEach((words) => expect(plain(text)).toMatch(typeof words === 'string' ? literally(words) : words))
    );
  const column = (title: string, field: string) => panel(title).locator(`td[data-field="${field}"]`).allInnerTexts();
  const open = ({ issues }: Stored) => issues.filter(({ status }) => status === 'open');

  describe('of a cluster in trouble', () => {
    let stored: Stored;

    beforeEach(async () => {
      stored ??= await backend.play({ cluster: 'prod', state: 'critical', steps: 6, offset: 5 });
      await show({ cluster: 'prod' });
    });

    it('shows in the hero what the store holds', async () => {
      expect(stored.health_state).toBe('critical');
      await expectText(hero(), 'prod: Critical', open(stored)[0]!.title, stored.explanation.factors[0]!.text);
      const links = await hero()
        .getByRole('link', { name: /View guide/ })
        .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
      expect(links).toEqual(
        stored.actions.map(({ guide }) => `https://github.com/temporal-sre/copilot/blob/main/runbooks/${guide}.md`)
      );
      expect(complaints).toEqual([]);
    });

    it('answers every panel', async () => {
      const titles = [
        'Forward progress',
        'Pressure',
        'Workers',
        'Services',
        'Namespaces and task queues',
        'Open issues',
      ];
      for (const title of [...titles, 'Suggested actions', 'Timeline', 'Log pattern alerts', 'State changes']) {
        await eventually(
          () => panel(title).getAttribute('data-state'),
          (state) => expect([title, state]).toEqual([title, 'Done'])
        );
        expect(await panel(title).getByRole('alert').allInnerTexts()).toEqual([]);
      }
      expect(await column('Open issues', 'title')).toEqual(open(stored).map(({ title }) => title));
      expect(await column('Suggested actions', 'action')).toEqual(stored.actions.map(({ action }) => action));
      expect(await column('Services', 'name')).not.toEqual([]);
      expect(await column('Namespaces and task queues', 'name')).toContain('billing');
      expect(await column('Timeline', 'state')).toContain('Stressed');
      expect(await column('State changes', 'to')).toContain('Critical');
      expect(await panel('Forward progress').getByTestId('number').count()).toBe(6);
      expect(await panel('Suggested actions').getByRole('link').first().getAttribute('href')).toBe(
        `https://github.com/temporal-sre/copilot/blob/main/runbooks/${stored.actions[0]!.guide}.md`
      );
    });

    it('keeps nobody from using it', async () => {
      await expectText(hero(), open(stored)[0]!.title);
      expect(await violations(page)).toEqual([]);
    });
  });

  it('narrows the dashboard down to a state, also below a path', async () => {
    await backend.play({ cluster: 'part', state: 'stressed', steps: 8, offset: 7 });
    await show({ cluster: 'part' });
    const states = () => column('Namespaces and task queues', 'state');
    await eventually(states, (all) => expect(new Set(all).size).toBeGreaterThan(1));
    await hero().getByText('Happy', { exact: true }).last().click();
    await eventually(states, (all) => expect(new Set(all)).toEqual(new Set(['Happy'])));
    const { pathname, searchParams } = new URL(page.url());
    expect([pathname, searchParams.get('var-state')]).toEqual([`${subPath}/`, 'happy']);
  });

  it('offers the clusters of the store, and shows the one that is chosen', async () => {
    await backend.play({ cluster: 'calm', state: 'happy', steps: 20, offset: 19 });
    await backend.play({ cluster: 'prod', state: 'critical', steps: 6, offset: 5 });
    // The backend knows the list of clusters for a second, and the page asks once.
    await eventually(
      async () => {
        await show({ cluster: 'prod' });
        await expectText(hero(), 'prod: Critical');
        return page.getByRole('combobox', { name: 'cluster' }).locator('option').allInnerTexts();
      },
      (clusters) => expect(clusters).toEqual(expect.arrayContaining(['calm', 'prod']))
    );
    await page.getByRole('combobox', { name: 'cluster' }).selectOption('calm');
    await expectText(hero(), 'calm: Happy', /How work flows|Nothing to do/);
    await eventually(
      () => column('Open issues', 'title'),
      (titles) => expect(titles).toEqual([])
    );
  });

  it('shows a new verdict by itself, within seconds, and the rest with the next refresh', async () => {
    const before = await backend.play({ cluster: 'live', state: 'critical', steps: 6, offset: -1, ageSec: 20 });
    expect(before.health_state).not.toBe('critical');
    await show({ cluster: 'live' });
    await expectText(hero(), `live: ${before.health_state}`);
    const after = await backend.next('live');
    expect(after.health_state).toBe('critical');
    await expectText(hero(), 'live: Critical', open(after)[0]!.title);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await eventually(
      () => column('Open issues', 'title'),
      (titles) => expect(titles).toEqual(open(after).map(({ title }) => title))
    );
  });

  it.each([
    ['away', /Cannot connect to PostgreSQL at 127\.0\.0\.1:\d+.*nothing listens there/],
    ['empty', /The store has no schema/],
  ])('says in every panel why a store that is %s does not answer', async (name, words) => {
    await show({ copilot: uids.get(name)!, cluster: 'prod' });
    await expectText(hero(), /The verdict could not be loaded/, words);
    await expectText(panel('Services').getByRole('alert'), new RegExp(words, 'i'));
    expect(await page.content()).not.toContain('secret');
    expect(await violations(page)).toEqual([]);
  });

  // The last of the tests: nothing brings the store back.
  it('holds the last verdict, and says so, when the store goes away', async () => {
    const stored = await backend.play({ cluster: 'last', state: 'critical', steps: 6, offset: 5 });
    await show({ cluster: 'last' });
    await expectText(hero(), 'last: Critical');
    await backend.stopStore();
    await expectText(hero(), /Degraded: .*PostgreSQL/, open(stored)[0]!.title);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await expectText(hero(), 'last: Critical', /Degraded: .*PostgreSQL/);
  });
});

/** Text on one line, without the marks that the hero draws around names. */
const plain = (text: string) => text.replace(/\s+/g, ' ');

const literally = (text: string) => new RegExp(plain(text).replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
