import { render, screen } from '@testing-library/react';
import React from 'react';
import { Sparkline } from './Sparkline';

describe('the sparkline', () => {
  it('says where it goes from and to', () => {
    render(<Sparkline values={[0.2, 30, 250]} unit="s" />);
    expect(screen.getByRole('img', { name: 'from 200 ms to 4 min 10 s' })).toBeVisible();
  });

  it('is a line in the middle when nothing changes', () => {
    const { container } = render(<Sparkline values={[3, 3]} />);
    expect(container.querySelector('polyline')).toHaveAttribute('points', '2.0,12.0 102.0,12.0');
  });

  it.each([[[]], [[1]]])('is not drawn from %j', (values) => {
    const { container } = render(<Sparkline values={values} />);
    expect(container).toBeEmptyDOMElement();
  });
});
