import { QueryEditorProps } from '@grafana/data';
import { Combobox, InlineField, InlineFieldRow, Stack } from '@grafana/ui';
import React, { useId } from 'react';
import { DataSource } from '../datasource';
import { CopilotOptions, CopilotQuery, VariableList } from '../types';
import { ClusterField, Explanation, labelWidth, TextField } from './fields';

type Props = QueryEditorProps<DataSource, CopilotQuery, CopilotOptions>;

const lists: Array<{ value: VariableList; label: string; explanation: string }> = [
  { value: 'clusters', label: 'Clusters', explanation: 'All clusters that the copilot watches.' },
  { value: 'namespaces', label: 'Namespaces', explanation: 'The namespaces of a cluster that the last verdict knew.' },
  { value: 'task_queues', label: 'Task queues', explanation: 'The task queues of a cluster, or of one namespace.' },
  { value: 'services', label: 'Services', explanation: "The server's services: frontend, history, matching, worker." },
  {
    value: 'states',
    label: 'States',
    explanation: 'Happy, Stressed and Critical, for the filter of the Copilot Insights panel. Include All.',
  },
];

/** Chooses what a dashboard variable offers. */
export function VariableEditor({ datasource, query, onChange, onRunQuery }: Props) {
  const id = useId();
  const list = query.list ?? 'clusters';
  const change = (part: Partial<CopilotQuery>) => {
    onChange({ ...query, refId: query.refId || 'variable', queryType: 'variables', list, ...part });
    onRunQuery();
  };
  return (
    <Stack direction="column" gap={1}>
      <InlineFieldRow>
        <InlineField label="Choice of" labelWidth={labelWidth} htmlFor={`${id}-list`}>
          <Combobox
            id={`${id}-list`}
            width={26}
            options={lists.map(({ value, label }) => ({ value, label }))}
            value={list}
            // Another list has other places.
            onChange={({ value }) => change({ list: value, scope: undefined })}
          />
        </InlineField>
        {list !== 'clusters' && list !== 'states' && (
          <ClusterField datasource={datasource} value={query.cluster} onChange={(cluster) => change({ cluster })} />
        )}
        {list === 'task_queues' && (
          <TextField
            label="Namespace"
            value={query.scope?.namespace}
            onChange={(namespace) => change({ scope: namespace ? { kind: 'task_queue', namespace } : undefined })}
          />
        )}
      </InlineFieldRow>
      <Explanation text={lists.find(({ value }) => value === list)?.explanation ?? ''} />
    </Stack>
  );
}
