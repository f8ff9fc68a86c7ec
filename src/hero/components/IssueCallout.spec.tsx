import { render, screen } from '@testing-library/react';
import React from 'react';
import { heroFrom } from '../model/hero';
import { critical, dayBefore } from '../testing/fixtures';
import { now } from '../testing/now';
import { IssueCallout } from './IssueCallout';

const { issues } = heroFrom(critical, dayBefore, now)!;

describe('the callout', () => {
  it('says the gravest, and the others on demand', () => {
    render(<IssueCallout issues={issues} timeZone="utc" />);
    expect(screen.getByText(/none makes progress/)).toHaveTextContent(/^Critical: 94 workflows/);
    expect(screen.getByText(/State transitions fell/)).toBeVisible();
    expect(screen.getByText('2 more issues').closest('details')).not.toHaveAttribute('open');
    expect(screen.getByText(/Persistence takes 4.8 s/)).toBeInTheDocument();
  });

  it('calls a remark a remark', () => {
    render(<IssueCallout issues={issues.slice(-1)} timeZone="utc" />);
    expect(screen.getByText(/fail in business code/)).toHaveTextContent(/^Remark: /);
    expect(screen.queryByText(/more issue/)).not.toBeInTheDocument();
  });

  it('is not there without an issue', () => {
    const { container } = render(<IssueCallout issues={[]} timeZone="utc" />);
    expect(container).toBeEmptyDOMElement();
  });
});
