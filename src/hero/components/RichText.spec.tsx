import { split } from './RichText';

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
