import { QueryEditorProps } from '@grafana/data';
import { Combobox, ComboboxOption, InlineField, InlineFieldRow, Input, MultiCombobox, Stack, Text } from '@grafana/ui';
import React, { useEffect, useId, useState } from 'react';
import { DataSource } from '../datasource';
import { Cluster, CopilotOptions, CopilotQuery, QueryType, Scope, ScopeKind, Signal } from '../types';

type Props = QueryEditorProps<DataSource, CopilotQuery, CopilotOptions>;

const labelWidth = 14;

const queryTypes: Array<{ value: QueryType; label: string; explanation: string }> = [
  {
    value: 'status',
    label: 'Status',
    explanation:
      'How the cluster is now: its state, since when, how sure the copilot is, and what holds it up. One row.',
  },
  {
    value: 'timeline',
    label: 'Timeline',
    explanation: 'The states that the cluster went through in the time range, for a state timeline panel.',
  },
  {
    value: 'signals',
    label: 'Signals',
    explanation: 'The measurements that the verdicts rest on, as time series that can also raise alerts.',
  },
];

const scopeKinds: Array<ComboboxOption<ScopeKind>> = [
  { value: 'cluster', label: 'Whole cluster' },
  { value: 'service', label: 'Services', description: 'frontend, history, matching, worker' },
  { value: 'namespace', label: 'Namespaces' },
  { value: 'task_queue', label: 'Task queues' },
  { value: 'replica', label: 'Replicas', description: 'Single server processes' },
];

const taskTypes: Array<ComboboxOption<NonNullable<Scope['task_type']>>> = [
  { value: 'workflow', label: 'Workflow tasks' },
  { value: 'activity', label: 'Activity tasks' },
];

/** Builds a query by choosing from what there is. */
export function QueryEditor({ datasource, query, onChange, onRunQuery }: Props) {
  const id = useId();
  const queryType = query.queryType ?? 'status';
  const clusters = useList(() => datasource.clusters(), datasource);

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
            width={24}
            options={queryTypes}
            value={queryType}
            onChange={({ value }) => change({ queryType: value })}
          />
        </InlineField>
        <InlineField
          label="Cluster"
          labelWidth={labelWidth}
          htmlFor={`${id}-cluster`}
          tooltip="Only needed when the copilot watches several. A variable such as $cluster works too."
        >
          <Combobox
            id={`${id}-cluster`}
            width={32}
            isClearable
            createCustomValue
            placeholder="The only one"
            options={withVariables(datasource, clusters.items.map(clusterOption))}
            value={query.cluster || null}
            onChange={(option) => change({ cluster: option?.value || undefined })}
          />
        </InlineField>
      </InlineFieldRow>
      <Text variant="bodySmall" color="secondary">
        {queryTypes.find(({ value }) => value === queryType)?.explanation ?? ''}
      </Text>
      {queryType === 'signals' && <SignalsEditor datasource={datasource} query={query} change={change} />}
      {clusters.problem && <Problem text={clusters.problem} />}
    </Stack>
  );
}

interface SignalsEditorProps {
  datasource: DataSource;
  query: CopilotQuery;
  change: (part: Partial<CopilotQuery>) => void;
}

/** The part of the editor that only the query type "signals" has. */
function SignalsEditor({ datasource, query, change }: SignalsEditorProps) {
  const id = useId();
  const signals = useList(() => datasource.signals(), datasource);
  const options = withVariables(datasource, signals.items.map(signalOption));
  const kind = query.scope?.kind ?? 'cluster';

  const changeScope = (part: Scope) => {
    const scope = { ...query.scope, ...part };
    change({ scope: scope.kind && scope.kind !== 'cluster' ? scope : undefined });
  };

  return (
    <>
      <InlineField
        label="Signals"
        labelWidth={labelWidth}
        htmlFor={`${id}-signals`}
        grow
        tooltip="What to draw. With none chosen, the primary signals, which decide the state."
      >
        <MultiCombobox
          id={`${id}-signals`}
          createCustomValue
          placeholder="The primary signals"
          options={options}
          value={(query.signals ?? []).map(
            (name) => options.find(({ value }) => value === name) ?? { value: name, label: name }
          )}
          onChange={(chosen) => change({ signals: chosen.length > 0 ? chosen.map(({ value }) => value) : undefined })}
        />
      </InlineField>
      <InlineFieldRow>
        <InlineField label="Measured at" labelWidth={labelWidth} htmlFor={`${id}-kind`}>
          <Combobox
            id={`${id}-kind`}
            width={24}
            options={scopeKinds}
            value={kind}
            // Another kind of place has other names.
            onChange={({ value }) => change({ scope: value === 'cluster' ? undefined : { kind: value } })}
          />
        </InlineField>
        {kind === 'task_queue' && (
          <TextField
            label="Namespace"
            value={query.scope?.namespace}
            onChange={(namespace) => changeScope({ namespace })}
          />
        )}
        {kind !== 'cluster' && (
          <TextField
            label="Name"
            value={query.scope?.name}
            onChange={(name) => changeScope(kind === 'namespace' ? { name, namespace: name } : { name })}
          />
        )}
        {kind === 'task_queue' && (
          <InlineField label="Tasks" htmlFor={`${id}-tasks`}>
            <Combobox
              id={`${id}-tasks`}
              width={24}
              isClearable
              placeholder="Both kinds"
              options={taskTypes}
              value={query.scope?.task_type ?? null}
              onChange={(option) => changeScope({ task_type: option?.value })}
            />
          </InlineField>
        )}
      </InlineFieldRow>
      {signals.problem && <Problem text={signals.problem} />}
    </>
  );
}

interface TextFieldProps {
  label: string;
  value?: string;
  onChange: (value?: string) => void;
}

/** A text that is taken over when the field is left or Enter is pressed, so that no half a name is queried. */
function TextField({ label, value, onChange }: TextFieldProps) {
  const id = useId();
  return (
    <InlineField label={label} htmlFor={id}>
      <Input
        // A new value from outside replaces what was typed.
        key={value}
        id={id}
        width={24}
        defaultValue={value}
        placeholder="All"
        onBlur={(event) =>
          event.currentTarget.value !== (value ?? '') && onChange(event.currentTarget.value || undefined)
        }
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
    </InlineField>
  );
}

function Problem({ text }: { text: string }) {
  return (
    <Text variant="bodySmall" color="warning">
      {text}
    </Text>
  );
}

function clusterOption({ id, display }: Cluster): ComboboxOption<string> {
  return display === id ? { value: id, label: id } : { value: id, label: display, description: id };
}

function signalOption({ id, title, meaning, class: group }: Signal): ComboboxOption<string> {
  return { value: id, label: title, description: meaning, group };
}

function withVariables(datasource: DataSource, options: Array<ComboboxOption<string>>): Array<ComboboxOption<string>> {
  return [...options, ...datasource.variableNames().map((name) => ({ value: name, label: name, group: 'Variables' }))];
}

/** Loads what there is to choose from. When that fails one can still type, so the problem is told, not thrown. */
function useList<T>(load: () => Promise<T[]>, source: DataSource): { items: T[]; problem?: string } {
  const [list, setList] = useState<{ items: T[]; problem?: string }>({ items: [] });
  useEffect(() => {
    let current = true;
    load().then(
      (items) => current && setList({ items }),
      (error: unknown) => current && setList({ items: [], problem: messageOf(error) })
    );
    return () => {
      current = false;
    };
    // Another data source has another list; load is made anew with each rendering.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [source]);
  return list;
}

/** What went wrong, in the words of the backend when it answered. */
function messageOf(error: unknown): string {
  const { data, message } = (error ?? {}) as { data?: { message?: string }; message?: string };
  return `The list of choices could not be loaded: ${data?.message ?? message ?? 'the backend did not answer'}`;
}
