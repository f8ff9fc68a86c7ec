import { render, screen, within } from '@testing-library/react';
import React from 'react';
import { heroFrom } from '../model/hero';
import { dayBefore, happy } from '../testing/fixtures';
import { now } from '../testing/now';
import { Flow, flowing } from './Flow';

const { places } = heroFrom(happy, dayBefore, now)!;

describe('how work flows', () => {
  it('is told of the busiest first, in numbers', () => {
    render(<Flow places={places} roomy />);
    const [, first, second] = screen.getAllByRole('row');
    expect(first).toHaveTextContent(/Happy orders · task queue94\/s94\/s200 ms8/);
    expect(within(first!).getByRole('img', { name: 'from 94/s to 94/s' })).toBeVisible();
    // Nobody measured how old its tasks are.
    expect(second).toHaveTextContent(/billing · task queue41\/s41\/s––/);
  });

  it('leaves out what has no room, and says so', () => {
    render(<Flow places={places} roomy={false} most={1} />);
    expect(screen.getAllByRole('row')).toHaveLength(2);
    expect(screen.getByText('the busiest 1 of 2')).toBeVisible();
    expect(screen.queryByText('Pollers')).not.toBeInTheDocument();
  });

  it('is not known of parts that nothing is asked of', () => {
    expect(flowing(places).map(({ name }) => name)).toEqual(['orders', 'billing']);
  });
});
