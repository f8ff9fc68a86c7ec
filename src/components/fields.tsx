// The fields that the editors of queries, annotations and variables share.
import { Combobox, ComboboxOption, InlineField, Input, MultiCombobox, Text } from '@grafana/ui';
import React, { useId } from 'react';
import { DataSource } from '../datasource';
import { Cluster } from '../types';
import { useList } from './useList';

export const labelWidth = 14;

interface ClusterFieldProps {
  datasource: DataSource;
  value?: string;
  onChange: (cluster?: string) => void;
}

/** Chooses from the clusters that there are. */
export function ClusterField({ datasource, value, onChange }: ClusterFieldProps) {
  const id = useId();
  const clusters = useList(() => datasource.clusters(), datasource);
  return (
    <>
      <InlineField
        label="Cluster"
        labelWidth={labelWidth}
        htmlFor={id}
        tooltip="Only needed when the copilot watches several. A variable such as $cluster works too."
      >
        <Combobox
          id={id}
          width={32}
          isClearable
          createCustomValue
          placeholder="The only one"
          options={withVariables(datasource, clusters.items.map(clusterOption))}
          value={value || null}
          onChange={(option) => onChange(option?.value || undefined)}
        />
      </InlineField>
      {clusters.problem && <Problem text={clusters.problem} />}
    </>
  );
}

const states: Array<ComboboxOption<string>> = [
  { value: 'happy', label: 'Happy' },
  { value: 'stressed', label: 'Stressed' },
  { value: 'critical', label: 'Critical' },
];

interface StatesFieldProps {
  datasource: DataSource;
  value?: string[];
  onChange: (states?: string[]) => void;
}

/** Leaves out what is in another state. */
export function StatesField({ datasource, value = [], onChange }: StatesFieldProps) {
  const id = useId();
  const options = withVariables(datasource, states);
  return (
    <InlineField
      label="States"
      labelWidth={labelWidth}
      htmlFor={id}
      tooltip="Shows only what is in one of these states. A variable such as $state lets the whole dashboard filter."
    >
      <MultiCombobox
        id={id}
        width={32}
        createCustomValue
        placeholder="All"
        options={options}
        value={chosenFrom(options, value)}
        onChange={(chosen) => onChange(chosen.length > 0 ? chosen.map((option) => option.value) : undefined)}
      />
    </InlineField>
  );
}

interface TextFieldProps {
  label: string;
  value?: string;
  placeholder?: string;
  tooltip?: string;
  width?: number;
  onChange: (value?: string) => void;
}

/** A text that is taken over when the field is left or Enter is pressed, so that no half a name is queried. */
export function TextField({ label, value, placeholder = 'All', tooltip, width = 24, onChange }: TextFieldProps) {
  const id = useId();
  return (
    <InlineField label={label} htmlFor={id} tooltip={tooltip}>
      <Input
        // A new value from outside replaces what was typed.
        key={value}
        id={id}
        width={width}
        defaultValue={value}
        placeholder={placeholder}
        onBlur={(event) =>
          event.currentTarget.value !== (value ?? '') && onChange(event.currentTarget.value || undefined)
        }
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
    </InlineField>
  );
}

/** Says why something cannot be chosen. */
export function Problem({ text }: { text: string }) {
  return (
    <Text variant="bodySmall" color="warning">
      {text}
    </Text>
  );
}

/** Explains a choice. */
export function Explanation({ text }: { text: string }) {
  return (
    <Text variant="bodySmall" color="secondary">
      {text}
    </Text>
  );
}

/** Adds the dashboard's variables to what there is to choose from. */
export function withVariables(
  datasource: DataSource,
  options: Array<ComboboxOption<string>>
): Array<ComboboxOption<string>> {
  return [...options, ...datasource.variableNames().map((name) => ({ value: name, label: name, group: 'Variables' }))];
}

/** The options that are chosen, with those that the list does not have. */
export function chosenFrom(options: Array<ComboboxOption<string>>, values: string[]): Array<ComboboxOption<string>> {
  return values.map((name) => options.find(({ value }) => value === name) ?? { value: name, label: name });
}

function clusterOption({ id, display }: Cluster): ComboboxOption<string> {
  return display === id ? { value: id, label: id } : { value: id, label: display, description: id };
}
