import { defaults } from '../options';
import { layoutFor } from './layout';

it.each([
  ['a phone', 320, 700, { beside: false, columns: 1, roomy: false, strip: false, scale: 1 }],
  ['half a dashboard', 700, 560, { beside: true, columns: 1, roomy: true }],
  ['a dashboard', 1000, 560, { beside: true, columns: 2, roomy: false }],
  ['a wide dashboard', 1400, 560, { beside: true, columns: 2, roomy: true, wide: true }],
  ['a low panel', 1400, 240, { strip: false, columns: 0 }],
  ['a strip', 900, 80, { strip: true, columns: 0 }],
  ['a low panel on a phone', 320, 80, { strip: false, columns: 0 }],
])('fits %s', (_name, width, height, layout) => {
  expect(layoutFor(width, height, defaults)).toMatchObject(layout);
});

it('writes larger on a screen on the wall', () => {
  expect(layoutFor(1880, 930, defaults).scale).toBeCloseTo(1.45, 1);
  expect(layoutFor(3800, 2000, defaults).scale).toBe(2.5);
});

it('does as the options say', () => {
  expect(layoutFor(1400, 560, { ...defaults, columns: 'never' }).columns).toBe(0);
  expect(layoutFor(1400, 200, { ...defaults, columns: 'always' }).columns).toBe(2);
  expect(layoutFor(1400, 560, { ...defaults, density: 'compact' }).scale).toBeLessThan(1);
});
