import { localised, split } from './RichText';

const marked = (text: string, names: string[] = []) =>
  split(text, names)
    .map(({ code, words }) => (code ? `[${words}]` : words))
    .join('');

it.each([
  ['Queue billing waits', ['billing'], 'Queue [billing] waits'],
  ['billing-eu and billing', ['billing', 'billing-eu'], '[billing-eu] and [billing]'],
  ['subbilling waits', ['billing'], 'subbilling waits'],
  ['Log: `a billing error` ×4', ['billing'], 'Log: [a billing error] ×4'],
  ['a+b (c)', ['a+b'], '[a+b] (c)'],
  ['nothing to see', [], 'nothing to see'],
  ['', [], ''],
])('sets names apart in %j', (text, names, expected) => expect(marked(text, names)).toBe(expected));

it('writes instants as the viewer reads them', () => {
  const clock = (at: number) => `<${new Date(at).toISOString().slice(11, 16)}>`;
  expect(localised('since 2026-11-24T03:20:56Z, first seen at 2026-11-23T23:59:59.5Z.', clock)).toBe(
    'since <03:20>, first seen at <23:59>.'
  );
  expect(localised('nothing since 12:00:00', clock)).toBe('nothing since 12:00:00');
});
