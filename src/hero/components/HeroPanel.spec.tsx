import { dateTime, LoadingState, PanelData } from '@grafana/data';
import { locationService, setTemplateSrv } from '@grafana/runtime';
import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React from 'react';
import { defaults, HeroOptions } from '../options';
import { dayBefore, happy, panelData, situations, stressed } from '../testing/fixtures';
import { now } from '../testing/now';
import { HeroPanel } from './HeroPanel';

interface View {
  options?: Partial<HeroOptions>;
  width?: number;
  height?: number;
}

const panel = (data: PanelData, { options, width = 1400, height = 600 }: View = {}) => (
  <HeroPanel data={data} options={{ ...defaults, ...options }} width={width} height={height} timeZone="utc" />
);

beforeEach(() => {
  jest.useFakeTimers({ now, doNotFake: ['performance'] });
  locationService.push('/d/copilot');
  setTemplateSrv({
    replace: (text = '') => text,
    containsTemplate: () => false,
    updateTimeRange: () => {},
    getVariables: () => [{ name: 'state', current: { value: '$__all' } }] as never,
  });
});
afterEach(() => jest.useRealTimers());

const user = userEvent.setup({ advanceTimers: jest.advanceTimersByTime });
const badge = () => screen.getByRole('heading', { level: 3 });

describe('the hero panel', () => {
  it('shows the verdict with all that is known of it', () => {
    render(panel(situations.stressed!));
    expect(badge()).toHaveTextContent('Stressed');
    expect(screen.getByText('for 12 min')).toBeVisible();
    expect(screen.getByText(/since 03:21:30 · was Happy for 5 h 14 min/)).toBeVisible();
    expect(screen.getByRole('img', { name: 'Confidence 91 %' })).toBeVisible();
    expect(screen.getByText('41 of 43 signals fresh')).toBeVisible();
    expect(screen.getByText('prod-eu-west-1')).toBeVisible();
    expect(screen.getByRole('region', { name: 'Analysis' })).toBeVisible();
    expect(screen.getByRole('region', { name: 'Suggested remediations' })).toBeVisible();
    expect(screen.getByRole('slider', { name: 'States of the last 24 h' })).toBeVisible();
  });

  it('tells readers the state, and nothing of the clock that ticks', () => {
    render(panel(situations.critical!));
    expect(screen.getByRole('status')).toHaveTextContent(/^prod-eu-west-1: Critical$/);
  });

  it('counts the age, and calls old what grows old', () => {
    render(panel(situations.stressed!));
    expect(screen.getByText('analysed 18 s ago')).toBeVisible();
    act(() => jest.advanceTimersByTime(5000));
    expect(screen.getByText('analysed 23 s ago')).toBeVisible();
    act(() => jest.advanceTimersByTime(120_000));
    expect(badge()).toHaveTextContent('Stale');
    expect(screen.getByText(/was true at 03:33:12/)).toBeVisible();
  });

  it.each([
    ['happy', 'Happy'],
    ['critical', 'Critical'],
    ['blind', 'Blind'],
    ['stale', 'Stale'],
    ['early', 'Unknown'],
    ['status-only', 'Stressed'],
  ])('shows the situation "%s"', (situation, word) => {
    render(panel(situations[situation]!));
    expect(badge()).toHaveTextContent(word);
  });

  it('says what the copilot last knew while it is blind, and how to see again', () => {
    render(panel(situations.blind!, { options: { guideBaseUrl: 'https://wiki.example.com' } }));
    expect(screen.getByText(/^was/)).toHaveTextContent('was Happy');
    expect(screen.getByText(/has not answered since 03:29/)).toBeVisible();
    expect(screen.getByRole('link', { name: 'How to restore sight' })).toHaveAttribute(
      'href',
      'https://wiki.example.com/telemetry-lost'
    );
  });

  it('says that an answer is degraded', () => {
    render(panel(situations.degraded!));
    expect(screen.getByText(/Degraded: the store did not answer in time/)).toBeVisible();
  });

  it('shows an outline until the first answer', () => {
    const { rerender } = render(panel(situations.loading!));
    expect(screen.getByRole('status', { name: 'Loading the verdict' })).toBeVisible();
    rerender(panel(situations.happy!));
    expect(badge()).toHaveTextContent('Happy');
  });

  it('keeps what it has while it loads again', () => {
    const { rerender } = render(panel(panelData(happy)));
    rerender(panel(panelData([], { state: LoadingState.Loading })));
    expect(badge()).toHaveTextContent('Happy');
    rerender(panel(panelData(stressed)));
    expect(badge()).toHaveTextContent('Stressed');
    rerender(panel(panelData([])));
    expect(badge()).toHaveTextContent('No verdict');
  });

  it('says what went wrong, and why there is nothing', () => {
    const { unmount } = render(panel(situations.error!));
    expect(screen.getByRole('alert')).toHaveTextContent(/could not be loaded.*The store at copilot-db:5432 refuses/);
    unmount();
    render(panel(situations['no-data']!));
    expect(screen.getByText(/Add a query of type Status/)).toBeVisible();
  });

  it('shows what did load', () => {
    render(panel(situations['error-in-part']!));
    expect(screen.getByText('A part could not be loaded: Query type "issues" is not known.')).toBeVisible();
    expect(badge()).toHaveTextContent('Stressed');
    expect(screen.getByText('No query of type Actions was answered.')).toBeVisible();
  });

  it('words an error without a message', () => {
    render(panel(panelData([], { state: LoadingState.Error })));
    expect(screen.getByRole('alert')).toHaveTextContent('The query failed.');
  });

  it('fits into two lines', () => {
    render(panel(situations.critical!, { height: 80 }));
    expect(badge()).toHaveTextContent('Critical');
    expect(screen.getByText('94 workflows a second arrive, and none makes progress')).toBeVisible();
    expect(screen.getByText(/for 4 min · 94 % confidence ·/)).toBeVisible();
    expect(screen.queryByRole('slider')).not.toBeInTheDocument();
  });

  it('says what would change the verdict where there are no columns', () => {
    render(panel(situations.happy!));
    expect(screen.queryByRole('region', { name: 'Analysis' })).not.toBeInTheDocument();
    expect(screen.getByText(/Would change the verdict/)).toBeVisible();
  });

  it('leaves out what the options say', () => {
    render(panel(situations.stressed!, { options: { ribbon: false, columns: 'never', filterVariable: '' } }));
    expect(screen.queryByRole('slider')).not.toBeInTheDocument();
    expect(screen.queryByRole('region', { name: 'Analysis' })).not.toBeInTheDocument();
    expect(screen.queryByRole('radio')).not.toBeInTheDocument();
  });
});

describe('the filter', () => {
  it('sets the variable of the dashboard, and follows it', async () => {
    render(panel(situations.stressed!));
    expect(screen.getByRole('radio', { name: 'All' })).toBeChecked();
    await user.click(screen.getByRole('radio', { name: 'Critical' }));
    expect(locationService.getSearchObject()).toMatchObject({ 'var-state': 'critical' });
    expect(screen.getByRole('radio', { name: 'Critical' })).toBeChecked();
    await user.click(screen.getByRole('radio', { name: 'All' }));
    expect(locationService.getSearchObject()).toMatchObject({ 'var-state': '$__all' });
    act(() => locationService.partial({ 'var-state': ['happy'] }));
    expect(screen.getByRole('radio', { name: 'Happy' })).toBeChecked();
  });

  it('is out of use where the dashboard has no such variable', () => {
    render(panel(situations.stressed!, { options: { filterVariable: 'health' } }));
    expect(screen.getByRole('radio', { name: 'Critical' })).toBeDisabled();
  });
});

describe('the ribbon', () => {
  it('tells of each stretch by keyboard', async () => {
    render(panel(situations.stressed!));
    const ribbon = screen.getByRole('slider');
    expect(ribbon).toHaveAttribute('aria-valuetext', 'Stressed for 12 min, 03:21:30 – now');
    act(() => ribbon.focus());
    await user.keyboard('{ArrowLeft}');
    expect(ribbon).toHaveAttribute('aria-valuetext', expect.stringMatching(/^Happy for 5 h 14 min, /));
    await user.keyboard('{Home}{ArrowRight}');
    expect(ribbon).toHaveAttribute('aria-valuenow', '2');
    expect(screen.getByText('Stressed', { selector: 'strong' })).toBeVisible();
    await user.keyboard('{Escape}');
    expect(screen.queryByText('Stressed', { selector: 'strong' })).not.toBeInTheDocument();
    await user.keyboard('{End}');
    expect(ribbon).toHaveAttribute('aria-valuenow', ribbon.getAttribute('aria-valuemax')!);
  });

  it('names its ends when it does not end now', () => {
    const earlier = { ...dayBefore, to: dateTime(now - 3600_000) };
    render(panel(panelData(stressed, { timeRange: earlier })));
    expect(screen.queryByText('now')).not.toBeInTheDocument();
    expect(screen.getByText('02:33:30')).toBeVisible();
  });
});

describe('the columns', () => {
  it('rank the factors, with their numbers', () => {
    render(panel(situations.stressed!));
    const [first, second] = within(screen.getByRole('region', { name: 'Analysis' })).getAllByRole('listitem');
    expect(first).toHaveTextContent(/No pollers on billing/);
    expect(within(first!).getByRole('meter')).toHaveAttribute('aria-valuenow', '92');
    expect(within(first!).getByRole('img', { name: 'from 4 to 0' })).toBeVisible();
    expect(second).toHaveTextContent('4 min 10 s');
    expect(second).toHaveTextContent('limit 60 s');
  });

  it('suggest, and cannot execute', async () => {
    render(panel(situations.stressed!, { options: { guideBaseUrl: 'https://wiki.example.com/runbooks' } }));
    const column = within(screen.getByRole('region', { name: 'Suggested remediations' }));
    expect(column.getByText(/Restart the/)).toBeVisible();
    expect(column.getByText('low risk')).toBeVisible();
    expect(column.getByText('no risk')).toBeVisible();
    expect(column.getByText('86 %')).toBeVisible();
    expect(column.getAllByRole('link').map((link) => link.getAttribute('href'))).toEqual([
      'https://wiki.example.com/runbooks/workers-gone',
      'https://docs.example.com/guides/queue-name',
    ]);
    const [execute] = column.getAllByRole('button', { name: /Execute/ });
    expect(execute).toHaveAttribute('aria-disabled', 'true');
    await user.hover(execute!);
    expect(await screen.findByText(/the copilot never changes the cluster/)).toBeVisible();
  });

  it('name a guide that is nowhere to be read', () => {
    render(panel(situations.stressed!));
    expect(screen.getByText('guide: workers-gone')).toBeVisible();
  });

  it('say what not to do, and why', async () => {
    render(panel(situations.stressed!));
    const box = within(screen.getByRole('list', { name: 'Do not' }));
    expect(box.getByText(/Do not/)).toHaveTextContent('Do not scale down any worker: tasks wait on billing');
  });
});
