import { Page } from 'playwright-core';
import { violations } from './axe';
import { Browser, eventually, open, start, View, withBrowser } from './browser';
import { compare } from './compare';
import { serve, Server } from './server';

const views: Record<string, View> = {
  happy: { situation: 'happy', width: 1200, height: 300 },
  'happy-flow': { situation: 'happy', width: 1200, height: 560 },
  'happy-phone': { situation: 'happy', width: 320, height: 900, theme: 'light' },
  'happy-light': { situation: 'happy', width: 1200, height: 300, theme: 'light' },
  stressed: { situation: 'stressed', width: 1400, height: 640 },
  'stressed-light': { situation: 'stressed', width: 1200, height: 640, theme: 'light' },
  'stressed-phone': { situation: 'stressed', width: 320, height: 1480 },
  'stressed-tablet': { situation: 'stressed', width: 768, height: 960, theme: 'light' },
  critical: { situation: 'critical', width: 1400, height: 700 },
  'critical-light': { situation: 'critical', width: 1400, height: 700, theme: 'light' },
  'critical-wall': { situation: 'critical', width: 1904, height: 980 },
  'critical-strip': { situation: 'critical', width: 900, height: 104 },
  compact: { situation: 'stressed', width: 1000, height: 600, options: { density: 'compact' } },
  blind: { situation: 'blind', width: 1200, height: 300 },
  stale: { situation: 'stale', width: 1400, height: 660 },
  degraded: { situation: 'degraded', width: 1000, height: 340 },
  early: { situation: 'early', width: 900, height: 260 },
  'status-only': { situation: 'status-only', width: 900, height: 290 },
  loading: { situation: 'loading', width: 900, height: 260 },
  'no-data': { situation: 'no-data', width: 900, height: 200 },
  error: { situation: 'error', width: 900, height: 200 },
  'error-in-part': { situation: 'error-in-part', width: 1200, height: 600, theme: 'light' },
};

/** How high the panel is for each situation, on a phone and on a screen. */
const heights: Record<string, [narrow: number, wide: number]> = {
  happy: [900, 300],
  stressed: [1480, 640],
  critical: [1700, 700],
  blind: [640, 300],
  stale: [1600, 660],
  degraded: [1000, 340],
  early: [560, 260],
  'status-only': [640, 290],
  loading: [500, 260],
  'no-data': [300, 200],
  error: [300, 200],
  'error-in-part': [1480, 600],
};

/** Every situation in either theme, on a phone and on a screen: those that are not among the views above. */
function others(): Record<string, View> {
  const narrow = (view: View) => view.width < 480;
  const all: Record<string, View> = {};
  for (const [situation, [onPhone, onScreen]] of Object.entries(heights)) {
    for (const theme of ['dark', 'light'] as const) {
      for (const [size, width, height] of [['phone', 320, onPhone] as const, ['screen', 1200, onScreen] as const]) {
        const view: View = { situation, theme, width, height };
        const shown = Object.values(views).some(
          (one) =>
            one.situation === situation &&
            (one.theme ?? 'dark') === theme &&
            narrow(one) === narrow(view) &&
            !one.options
        );
        if (!shown) {
          all[`${situation}-${theme}-${size}`] = view;
        }
      }
    }
  }
  return all;
}

withBrowser('the hero panel in a browser', () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await serve();
    browser = await start();
    page = await browser.context.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  });
  afterAll(async () => {
    await browser?.stop();
    await server?.stop();
  });
  beforeEach(() => complaints.splice(0));

  const expectToLookAs = async (name: string) => {
    const { differs, tolerance } = await compare(page, name);
    expect(differs).toBeLessThanOrEqual(tolerance);
  };

  it.each(Object.entries({ ...views, ...others() }))(
    'shows %s, for everybody, as it should look',
    async (name, view) => {
      await open(page, server.url, view);
      expect(await violations(page)).toEqual([]);
      await expectToLookAs(name);
      expect(complaints).toEqual([]);
    }
  );

  it.each([320, 480, 640, 859, 1000, 1400])('needs no scrolling aside at a width of %d', async (width) => {
    await open(page, server.url, { situation: 'critical', width, height: 1400 });
    const hero = page.getByTestId('copilot-hero');
    const [needed, has] = await hero.evaluate((panel) => {
      const ends = [...panel.querySelectorAll('*')].map((part) => part.getBoundingClientRect().right);
      return [Math.max(...ends), panel.getBoundingClientRect().right];
    });
    expect(needed).toBeLessThanOrEqual(has! + 1);
  });

  it('sets the dashboard variable with the mouse and with the keyboard', async () => {
    await open(page, server.url, views.stressed!);
    const expectState = (state: string) =>
      eventually(
        () => new URL(page.url()).searchParams.get('var-state'),
        (variable) => expect(variable).toBe(state)
      );
    await page.getByText('Critical', { exact: true }).last().click();
    await expectState('critical');
    await page.keyboard.press('ArrowLeft');
    await expectState('stressed');
    await eventually(
      () => page.getByRole('radio', { name: 'Stressed' }).isChecked(),
      (checked) => expect(checked).toBe(true)
    );
    await page.getByText('All', { exact: true }).click();
    await expectState('$__all');
  });

  it('tells of the stretch of the ribbon that is pointed at', async () => {
    await open(page, server.url, views.stressed!);
    const ribbon = page.getByRole('slider');
    const { x, y, width, height } = (await ribbon.boundingBox())!;
    await page.mouse.move(x + width * 0.74, y + height - 3);
    await page.getByText('11/23 20:55 – 11/23 21:43').waitFor();
    expect(await ribbon.getAttribute('aria-valuetext')).toBe('Critical for 48 min, 11/23 20:55 – 11/23 21:43');
    await expectToLookAs('ribbon-pointed-at');
    await page.mouse.move(x + width - 1, y + height - 3);
    await page.getByText('03:21:30 – now').waitFor();
    await page.mouse.move(0, 0);
    await page.getByText('03:21:30 – now').waitFor({ state: 'detached' });
  });

  it('lets the keyboard reach everything, in the order of reading', async () => {
    await open(page, server.url, views.stressed!);
    const reached: string[] = [];
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      const name = await page.evaluate(
        () =>
          document.activeElement?.getAttribute('aria-label') ??
          document.activeElement?.getAttribute('value') ??
          document.activeElement?.textContent ??
          ''
      );
      if (name && !reached.includes(name)) {
        reached.push(name);
      }
    }
    const order = ['1 more issue', 'billing · task queue', 'all', 'States of the last', 'View guide', 'Execute'];
    const places = order.map((name) => reached.findIndex((text) => text.startsWith(name)));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('says of a place what is known, and why nothing is executed', async () => {
    await open(page, server.url, views.stressed!);
    await page.getByText('billing · task queue').hover();
    await page.getByText(/1,284 waiting/).waitFor();
    await page.getByRole('button', { name: 'Execute' }).first().hover();
    await page.getByText(/the copilot never changes the cluster/).waitFor();
    expect(await page.getByRole('button', { name: 'Execute' }).first().getAttribute('aria-disabled')).toBe('true');
  });

  it("shows times in the dashboard's time zone, not in the browser's", async () => {
    await open(page, server.url, { ...views.stressed!, zone: 'Asia/Tokyo' });
    await page.getByText('since 12:21:30 · was Happy').waitFor();
    await page.getByText('Stressed since 12:21:30; the pollers').waitFor();
  });

  it('does not move where people asked for that', async () => {
    await open(page, server.url, views.loading!);
    const moving = await page.evaluate(() => document.getAnimations().length);
    expect(moving).toBe(0);
  });
});
