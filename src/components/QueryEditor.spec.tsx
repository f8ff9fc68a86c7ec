import { fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React, { useState } from 'react';
import { DataSource } from '../datasource';
import { Cluster, CopilotQuery, Signal } from '../types';
import { QueryEditor } from './QueryEditor';

const catalogue: Signal[] = [
  {
    id: 'backlog_age_sec',
    title: 'Backlog age',
    meaning: 'Age of the oldest waiting task.',
    class: 'primary',
    unit: 's',
    scope: 'task_queue',
  },
  {
    id: 'pollers',
    title: 'Pollers',
    meaning: 'Polls open at a task queue.',
    class: 'worker',
    unit: '1',
    scope: 'task_queue',
  },
];

interface Lists {
  clusters?: () => Promise<Cluster[]>;
  signals?: () => Promise<Signal[]>;
}

/** Shows the editor as Grafana does, which hands every change back to it, and returns what it changed last. */
async function show(part: Partial<CopilotQuery> = {}, lists: Lists = {}) {
  const latest = { query: { refId: 'A', ...part } as CopilotQuery, runs: 0 };
  const datasource = {
    clusters:
      lists.clusters ??
      (() =>
        Promise.resolve([
          { id: 'prod', display: 'Production' },
          { id: 'staging', display: 'staging' },
        ])),
    signals: lists.signals ?? (() => Promise.resolve(catalogue)),
    variableNames: () => ['$cluster'],
  } as unknown as DataSource;
  function Host() {
    const [query, setQuery] = useState(latest.query);
    return (
      <QueryEditor
        datasource={datasource}
        query={query}
        onChange={(changed) => {
          latest.query = changed;
          setQuery(changed);
        }}
        onRunQuery={() => latest.runs++}
      />
    );
  }
  render(<Host />);
  // The lists arrive after the first rendering.
  await waitFor(() => expect(screen.getByRole('combobox', { name: 'Show' })).toBeEnabled());
  await Promise.resolve();
  return latest;
}

async function choose(field: string, option: RegExp | string) {
  await userEvent.click(screen.getByRole('combobox', { name: field }));
  await userEvent.click(await screen.findByRole('option', { name: option }));
}

describe('the query editor', () => {
  it('starts with the status, and explains it', async () => {
    await show();
    expect(screen.getByRole('combobox', { name: 'Show' })).toHaveValue('Status');
    expect(screen.getByText(/How the cluster is now/)).toBeVisible();
    expect(screen.queryByRole('combobox', { name: 'Signals' })).not.toBeInTheDocument();
  });

  it('changes the type, explains it, and runs', async () => {
    const latest = await show();
    await choose('Show', 'Timeline');
    expect(latest.query).toEqual({ refId: 'A', queryType: 'timeline' });
    expect(latest.runs).toBe(1);
    expect(screen.getByText(/states that the cluster went through/)).toBeVisible();
  });

  it.each([
    ['Summary', 'summary', /ranked, with the numbers/],
    ['Issues', 'issues', /What is wrong/],
    ['Actions', 'actions', /Nothing is ever carried out/],
    ['Parts of the cluster', 'scopes', /how work flows through each/],
    ['Services', 'services', /own state/],
    ['Transitions', 'transitions', /brought it about/],
    ['Log patterns', 'log_patterns', /What the logs repeat/],
    ['Assessment', 'assessment', /every rule that was asked/],
  ])('offers and explains %s', async (label, queryType, explanation) => {
    const latest = await show();
    await choose('Show', label);
    expect(latest.query.queryType).toBe(queryType);
    expect(screen.getByText(explanation)).toBeVisible();
  });

  it('asks for no cluster where all are shown', async () => {
    await show({ queryType: 'clusters' });
    expect(screen.queryByRole('combobox', { name: 'Cluster' })).not.toBeInTheDocument();
  });

  it('narrows issues down to states, and takes in those that are over', async () => {
    const latest = await show({ queryType: 'issues' });
    await choose('States', 'Critical');
    expect(latest.query.states).toEqual(['critical']);
    await userEvent.click(screen.getByRole('switch', { name: 'Resolved, too' }));
    expect(latest.query.history).toBe(true);
    await userEvent.click(screen.getByRole('switch', { name: 'Resolved, too' }));
    expect(latest.query.history).toBeUndefined();
  });

  it('chooses the number for alert rules, and live answers', async () => {
    const latest = await show();
    await choose('In alert rules', /Oldest waiting/);
    expect(latest.query.measure).toBe('oldest_sec');
    await choose('In alert rules', /State/);
    expect(latest.query.measure).toBeUndefined();
    await userEvent.click(screen.getByRole('switch', { name: 'Live' }));
    expect(latest.query.live).toBe(true);
  });

  it('takes the id of an assessment', async () => {
    const latest = await show({ queryType: 'assessment' });
    await userEvent.type(screen.getByLabelText('Assessment'), '01a2{Enter}');
    expect(latest.query.assessment).toBe('01a2');
  });

  it('offers the clusters that there are, and variables', async () => {
    const latest = await show();
    await choose('Cluster', 'staging');
    expect(latest.query.cluster).toBe('staging');
    await choose('Cluster', /Production/);
    expect(latest.query.cluster).toBe('prod');
    await choose('Cluster', '$cluster');
    expect(latest.query.cluster).toBe('$cluster');
  });

  it('takes a cluster that it does not know', async () => {
    const latest = await show();
    await userEvent.type(screen.getByRole('combobox', { name: 'Cluster' }), 'tomorrow');
    await userEvent.click(await screen.findByRole('option', { name: /tomorrow/ }));
    expect(latest.query.cluster).toBe('tomorrow');
  });

  it('goes back to the only cluster', async () => {
    const latest = await show({ cluster: 'prod' });
    // The icon lies in a corner that lets clicks pass, but for itself; styles are not computed here.
    fireEvent.click(screen.getByTitle('Clear value'));
    expect(latest.query.cluster).toBeUndefined();
  });

  it('offers the signals of the catalogue with their meaning', async () => {
    const latest = await show({ queryType: 'signals' });
    await userEvent.click(screen.getByRole('combobox', { name: 'Signals' }));
    const option = await screen.findByRole('option', { name: /Backlog age/ });
    expect(within(option).getByText('Age of the oldest waiting task.')).toBeVisible();
    await userEvent.click(option);
    expect(latest.query.signals).toEqual(['backlog_age_sec']);
    await userEvent.click(await screen.findByRole('option', { name: /Pollers/ }));
    expect(latest.query.signals).toEqual(['backlog_age_sec', 'pollers']);
  });

  it('keeps signals that the catalogue does not have', async () => {
    const latest = await show({ queryType: 'signals', signals: ['$signal'] });
    await userEvent.click(screen.getByRole('combobox', { name: 'Signals' }));
    await userEvent.click(await screen.findByRole('option', { name: /Pollers/ }));
    expect(latest.query.signals).toEqual(['$signal', 'pollers']);
  });

  it('narrows signals down to one task queue', async () => {
    const latest = await show({ queryType: 'signals' });
    await choose('Measured at', 'Task queues');
    expect(latest.query.scope).toEqual({ kind: 'task_queue' });
    await userEvent.type(screen.getByLabelText('Namespace'), 'default');
    await userEvent.type(screen.getByLabelText('Name'), 'billing{Enter}');
    await choose('Tasks', 'Activity tasks');
    expect(latest.query.scope).toEqual({
      kind: 'task_queue',
      namespace: 'default',
      name: 'billing',
      task_type: 'activity',
    });
  });

  it('does not query half a name', async () => {
    const latest = await show({ queryType: 'signals', scope: { kind: 'service' } });
    await userEvent.type(screen.getByLabelText('Name'), 'hist');
    expect(latest.runs).toBe(0);
    await userEvent.type(screen.getByLabelText('Name'), 'ory{Enter}');
    expect(latest.runs).toBe(1);
    expect(latest.query.scope).toEqual({ kind: 'service', name: 'history' });
  });

  it('goes back to the whole cluster', async () => {
    const latest = await show({ queryType: 'signals', scope: { kind: 'service', name: 'history' } });
    await choose('Measured at', 'Whole cluster');
    expect(latest.query.scope).toBeUndefined();
  });

  it('says why there is nothing to choose from, and still works', async () => {
    const latest = await show(
      {},
      { clusters: () => Promise.reject({ data: { message: 'the store has no schema; run: copilot db setup-schema' } }) }
    );
    expect(await screen.findByText(/copilot db setup-schema/)).toBeVisible();
    await choose('Show', 'Timeline');
    expect(latest.query.queryType).toBe('timeline');
  });
});
