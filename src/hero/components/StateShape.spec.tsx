import { render } from '@testing-library/react';
import React from 'react';
import { Shape, StateShape } from './StateShape';

// Who cannot tell colours apart, tells these apart.
it.each([true, false])('draws every state in a shape of its own (filled: %s)', (filled) => {
  const drawings = (['happy', 'stressed', 'critical', 'unknown'] satisfies Shape[]).map((shape) => {
    const { container } = render(<StateShape shape={shape} filled={filled} />);
    return [...container.querySelectorAll('path, circle, rect')]
      .map((part) => `${part.tagName} ${part.getAttribute('d') ?? ''}`)
      .join();
  });
  expect(new Set(drawings).size).toBe(4);
});

it('is not read out', () => {
  const { container } = render(<StateShape shape="critical" />);
  expect(container.querySelector('svg')).toHaveAttribute('aria-hidden', 'true');
});
