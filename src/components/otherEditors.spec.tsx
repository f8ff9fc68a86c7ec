import { QueryEditorProps } from '@grafana/data';
import { act, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React, { ComponentType, useState } from 'react';
import { DataSource } from '../datasource';
import { CopilotOptions, CopilotQuery } from '../types';
import { AnnotationEditor } from './AnnotationEditor';
import { VariableEditor } from './VariableEditor';

type Editor = ComponentType<QueryEditorProps<DataSource, CopilotQuery, CopilotOptions>>;

/** Shows an editor as Grafana does, and returns what it changed last. */
async function show(Editor: Editor, part: Partial<CopilotQuery> = {}) {
  const latest = { query: part as CopilotQuery };
  const datasource = {
    clusters: () => Promise.resolve([{ id: 'prod', display: 'Production' }]),
    variableNames: () => ['$cluster', '$state'],
  } as unknown as DataSource;
  function Host() {
    const [query, setQuery] = useState(latest.query);
    const onChange = (changed: CopilotQuery) => {
      latest.query = changed;
      setQuery(changed);
    };
    return <Editor datasource={datasource} query={query} onChange={onChange} onRunQuery={() => {}} />;
  }
  // The lists arrive after the first rendering.
  await act(async () => {
    render(<Host />);
  });
  return latest;
}

async function choose(field: string, option: RegExp | string) {
  await userEvent.click(screen.getByRole('combobox', { name: field }));
  await userEvent.click(await screen.findByRole('option', { name: option }));
}

describe('the editor of annotations', () => {
  it('marks changes of state, and explains it', async () => {
    await show(AnnotationEditor);
    expect(screen.getByRole('combobox', { name: 'Mark' })).toHaveValue('Changes of state');
    expect(screen.getByText(/took another state/)).toBeVisible();
  });

  it('marks other events, of one cluster, in some states', async () => {
    const latest = await show(AnnotationEditor);
    await choose('Mark', 'Issues');
    await choose('Cluster', /Production/);
    await choose('States', '$state');
    expect(latest.query).toEqual({ queryType: 'annotations', events: 'issues', cluster: 'prod', states: ['$state'] });
  });
});

describe('the editor of variables', () => {
  it('offers clusters, and explains it', async () => {
    await show(VariableEditor);
    expect(screen.getByRole('combobox', { name: 'Choice of' })).toHaveValue('Clusters');
    expect(screen.getByText(/that the copilot watches/)).toBeVisible();
    expect(screen.queryByRole('combobox', { name: 'Cluster' })).not.toBeInTheDocument();
  });

  it('offers the task queues of a namespace', async () => {
    const latest = await show(VariableEditor);
    await choose('Choice of', 'Task queues');
    await choose('Cluster', '$cluster');
    await userEvent.type(screen.getByLabelText('Namespace'), 'default{Enter}');
    expect(latest.query).toEqual({
      refId: 'variable',
      queryType: 'variables',
      list: 'task_queues',
      cluster: '$cluster',
      scope: { kind: 'task_queue', namespace: 'default' },
    });
    await choose('Choice of', 'States');
    expect(latest.query.scope).toBeUndefined();
    expect(screen.getByText(/Include All/)).toBeVisible();
  });
});
