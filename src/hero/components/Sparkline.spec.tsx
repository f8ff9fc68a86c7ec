import { render, screen } from '@testing-library/react';
import React from 'react';
import { Sparkline } from './Sparkline';

describe('the sparkline', () => {
  it('says where it goes from and to', () => {
    render(<Sparkline values={[0.2, 30, 250]} unit="s" />);
    expect(screen.getByRole('img', { name: 'from 200 ms to 4 min 10 s' })).toBeVisible();
  });

  it.each([
    [[100, 90], '2.0,2.0 102.0,4.0'],
    [[0, 0], '2.0,22.0 102.0,22.0'],
  ])('starts at zero, so that a small change looks small: %j', (values, points) => {
    const { container } = render(<Sparkline values={values} />);
    expect(container.querySelector('polyline')).toHaveAttribute('points', points);
  });

  it.each([[[]], [[1]]])('is not drawn from %j', (values) => {
    const { container } = render(<Sparkline values={values} />);
    expect(container).toBeEmptyDOMElement();
  });
});
