import { QueryEditorProps } from '@grafana/data';
import { Combobox, ComboboxOption, InlineField, InlineFieldRow, InlineSwitch, Stack } from '@grafana/ui';
import React, { useId } from 'react';
import { DataSource } from '../datasource';
import { has, panelQueries } from '../queryTypes';
import { CopilotOptions, CopilotQuery } from '../types';
import { ClusterField, Explanation, labelWidth, StatesField, TextField } from './fields';
import { SignalsEditor } from './SignalsEditor';

type Props = QueryEditorProps<DataSource, CopilotQuery, CopilotOptions>;

const measures: Array<ComboboxOption<string>> = [
  { value: 'state', label: 'State', description: '1 happy, 2 stressed, 3 critical' },
  { value: 'blind', label: 'Blind', description: '1 when the copilot cannot see the cluster' },
  { value: 'stale', label: 'Stale', description: '1 when nobody judges the cluster any more' },
  { value: 'age_sec', label: 'Age of the verdict', description: 'In seconds' },
  { value: 'confidence', label: 'Confidence', description: 'From 0 to 1' },
  { value: 'coverage', label: 'Coverage', description: 'How much of the evidence was there, from 0 to 1' },
  { value: 'impaired_count', label: 'Impaired parts' },
  { value: 'asked_per_sec', label: 'Asked', description: 'Tasks a second' },
  { value: 'served_per_sec', label: 'Served', description: 'Tasks a second' },
  { value: 'waiting', label: 'Waiting', description: 'Tasks' },
  { value: 'oldest_sec', label: 'Oldest waiting', description: 'In seconds' },
];

/** Builds a query by choosing from what there is. */
export function QueryEditor({ datasource, query, onChange, onRunQuery }: Props) {
  const id = useId();
  const queryType = query.queryType ?? 'status';

  const change = (part: Partial<CopilotQuery>) => {
    onChange({ ...query, queryType, ...part });
    onRunQuery();
  };

  return (
    <Stack direction="column" gap={1}>
      <InlineFieldRow>
        <InlineField label="Show" labelWidth={labelWidth} htmlFor={`${id}-type`}>
          <Combobox
            id={`${id}-type`}
            width={26}
            options={panelQueries.map(({ value, label }) => ({ value, label }))}
            value={queryType}
            onChange={({ value }) => change({ queryType: value })}
          />
        </InlineField>
        {queryType !== 'clusters' && (
          <ClusterField datasource={datasource} value={query.cluster} onChange={(cluster) => change({ cluster })} />
        )}
        {has(queryType, 'states') && (
          <StatesField datasource={datasource} value={query.states} onChange={(states) => change({ states })} />
        )}
        {has(queryType, 'history') && (
          <InlineField
            label="Resolved, too"
            htmlFor={`${id}-history`}
            tooltip="The issues of the whole time range, instead of those that are open now."
          >
            <InlineSwitch
              id={`${id}-history`}
              value={query.history ?? false}
              onChange={(event) => change({ history: event.currentTarget.checked || undefined })}
            />
          </InlineField>
        )}
        {has(queryType, 'measure') && (
          <InlineField
            label="In alert rules"
            htmlFor={`${id}-measure`}
            tooltip="The number that an alert rule or an expression gets in place of the row."
          >
            <Combobox
              id={`${id}-measure`}
              width={24}
              options={measures}
              value={query.measure ?? 'state'}
              onChange={({ value }) => change({ measure: value === 'state' ? undefined : value })}
            />
          </InlineField>
        )}
        {has(queryType, 'live') && (
          <InlineField
            label="Live"
            htmlFor={`${id}-live`}
            tooltip="Shows a new verdict as soon as it is there, without waiting for the dashboard to refresh."
          >
            <InlineSwitch
              id={`${id}-live`}
              value={query.live ?? false}
              onChange={(event) => change({ live: event.currentTarget.checked || undefined })}
            />
          </InlineField>
        )}
        {has(queryType, 'assessment') && (
          <TextField
            label="Assessment"
            value={query.assessment}
            placeholder="The newest"
            tooltip="The id of an assessment, as annotations and the status name it."
            width={42}
            onChange={(assessment) => change({ assessment })}
          />
        )}
      </InlineFieldRow>
      {has(queryType, 'signals') && <SignalsEditor datasource={datasource} query={query} change={change} />}
      <Explanation text={panelQueries.find(({ value }) => value === queryType)?.explanation ?? ''} />
    </Stack>
  );
}
