import { locationUtil } from '@grafana/data';
import { guideLink } from './guide';

it.each([
  ['workers-gone', 'https://wiki.example.com/runbooks', 'https://wiki.example.com/runbooks/workers-gone'],
  ['workers-gone', 'https://wiki.example.com/runbooks/', 'https://wiki.example.com/runbooks/workers-gone'],
  ['a b', ' https://wiki.example.com/{guide}.html ', 'https://wiki.example.com/a%20b.html'],
  ['https://docs.example.com/x', '', 'https://docs.example.com/x'],
  ['/d/runbooks', 'https://wiki.example.com', '/d/runbooks'],
  ['workers-gone', '', undefined],
  [undefined, 'https://wiki.example.com', undefined],
])('leads from %s and %j to %s', (guide, base, link) => expect(guideLink(guide, base)).toBe(link));

it('is led by the backend where no base is chosen', () => {
  expect(guideLink('workers-gone', '', 'https://docs.example.com/w.md')).toBe('https://docs.example.com/w.md');
  expect(guideLink('workers-gone', 'https://wiki.example.com', 'https://docs.example.com/w.md')).toBe(
    'https://wiki.example.com/workers-gone'
  );
});

it('leads to where Grafana is served from', () => {
  locationUtil.initialize({
    config: { appSubUrl: '/grafana' } as never,
    getVariablesUrlParams: () => ({}),
    getTimeRangeForUrl: () => ({ from: 'now-6h', to: 'now' }),
  });
  expect(guideLink('/d/runbooks', '')).toBe('/grafana/d/runbooks');
});

it('does not run scripts', () => {
  expect(guideLink('x', '', 'javascript:alert(1)')).toBe('about:blank');
  expect(guideLink('x', 'javascript:alert(1)//')).toBe('about:blank');
});
