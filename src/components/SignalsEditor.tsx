import { Combobox, ComboboxOption, InlineField, InlineFieldRow, MultiCombobox } from '@grafana/ui';
import React, { useId } from 'react';
import { DataSource } from '../datasource';
import { CopilotQuery, Scope, ScopeKind, Signal } from '../types';
import { chosenFrom, labelWidth, Problem, TextField, withVariables } from './fields';
import { useList } from './useList';

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

interface Props {
  datasource: DataSource;
  query: CopilotQuery;
  change: (part: Partial<CopilotQuery>) => void;
}

/** The part of the editor that only the query type "signals" has. */
export function SignalsEditor({ datasource, query, change }: Props) {
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
          value={chosenFrom(options, query.signals ?? [])}
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

function signalOption({ id, title, meaning, class: group }: Signal): ComboboxOption<string> {
  return { value: id, label: title, description: meaning, group };
}
