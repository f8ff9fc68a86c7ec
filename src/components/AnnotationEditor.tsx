import { QueryEditorProps } from '@grafana/data';
import { Combobox, InlineField, InlineFieldRow, Stack } from '@grafana/ui';
import React, { useId } from 'react';
import { DataSource } from '../datasource';
import { AnnotatedEvents, CopilotOptions, CopilotQuery } from '../types';
import { ClusterField, Explanation, labelWidth, StatesField } from './fields';

type Props = QueryEditorProps<DataSource, CopilotQuery, CopilotOptions>;

const kinds: Array<{ value: AnnotatedEvents; label: string; explanation: string }> = [
  {
    value: 'transitions',
    label: 'Changes of state',
    explanation: 'A mark where the cluster took another state, with what brought it about.',
  },
  { value: 'issues', label: 'Issues', explanation: 'A stretch from the beginning of each issue to its end.' },
  {
    value: 'assessments',
    label: 'Assessments',
    explanation: 'A mark for each single verdict; for short time ranges.',
  },
];

/** Chooses what is marked on the charts of a dashboard. */
export function AnnotationEditor({ datasource, query, onChange, onRunQuery }: Props) {
  const id = useId();
  const events = query.events ?? 'transitions';
  const change = (part: Partial<CopilotQuery>) => {
    onChange({ ...query, queryType: 'annotations', events, ...part });
    onRunQuery();
  };
  return (
    <Stack direction="column" gap={1}>
      <InlineFieldRow>
        <InlineField label="Mark" labelWidth={labelWidth} htmlFor={`${id}-events`}>
          <Combobox
            id={`${id}-events`}
            width={26}
            options={kinds.map(({ value, label }) => ({ value, label }))}
            value={events}
            onChange={({ value }) => change({ events: value })}
          />
        </InlineField>
        <ClusterField datasource={datasource} value={query.cluster} onChange={(cluster) => change({ cluster })} />
        <StatesField datasource={datasource} value={query.states} onChange={(states) => change({ states })} />
      </InlineFieldRow>
      <Explanation text={kinds.find(({ value }) => value === events)?.explanation ?? ''} />
    </Stack>
  );
}
