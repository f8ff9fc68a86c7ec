import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { heroFrom } from '../model/hero';
import { dayBefore, stressed } from '../testing/fixtures';
import { now } from '../testing/now';
import { Chips } from './Chips';

const hero = heroFrom(stressed, dayBefore, now)!;

describe('the chips', () => {
  it('name what is impaired first, what kind it is, and its state in words', () => {
    render(<Chips hero={hero} />);
    const chips = screen.getAllByRole('listitem').map(({ textContent }) => textContent);
    expect(chips[0]).toBe('billing · task queue, Critical');
    expect(chips[1]).toBe('orders, Happy');
    expect(chips[chips.length - 1]).toBe('Worker-limited');
  });

  it('tell what is known of a place', async () => {
    render(<Chips hero={hero} />);
    await userEvent.hover(screen.getByText(/^billing/));
    expect(
      await screen.findByText(
        /^Task queue billing of default: Critical for 11 min · 41\/s asked · 0\/s served · 1,284 waiting · oldest 4 min 10 s · 0 pollers · 31 % of the demand$/
      )
    ).toBeVisible();
  });

  it('count what has no room', () => {
    const places = hero.places.map((place) => ({ ...place, state: 'critical' as const }));
    render(<Chips hero={{ places }} most={2} />);
    expect(screen.getByText('4 more, 4 of them impaired')).toBeVisible();
  });

  it('are not there when there is nothing to name', () => {
    const { container } = render(<Chips hero={{ places: [], bottleneck: 'healthy' }} />);
    expect(container).toBeEmptyDOMElement();
  });
});
