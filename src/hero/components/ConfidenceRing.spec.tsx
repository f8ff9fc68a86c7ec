import { render, screen } from '@testing-library/react';
import React from 'react';
import { ConfidenceRing } from './ConfidenceRing';

describe('the confidence', () => {
  it('comes with the signals that it rests on', () => {
    render(<ConfidenceRing hero={{ confidence: 0.914, coverage: 0.5, signalsUsable: 41, signalsAsked: 43 }} />);
    expect(screen.getByRole('img', { name: 'Confidence 91 %' })).toBeVisible();
    expect(screen.getByText('41 of 43 signals fresh')).toBeVisible();
  });

  it('comes with the coverage where the signals were not counted', () => {
    render(<ConfidenceRing hero={{ confidence: 0, coverage: 0.95 }} />);
    expect(screen.getByRole('img', { name: 'Confidence 0 %' })).toBeVisible();
    expect(screen.getByText('95 % of the evidence fresh')).toBeVisible();
  });

  it('is left out when it is not known', () => {
    const { container } = render(<ConfidenceRing hero={{}} />);
    expect(container).toBeEmptyDOMElement();
  });
});
