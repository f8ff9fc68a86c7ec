import { applyFieldOverrides, DataFrame, Field, formattedValueToString, PanelData } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import React from 'react';
import { PanelModel } from './model';

interface Props {
  panel: PanelModel;
  data: PanelData;
  height: number;
}

/** Stands in for Grafana's own panels, which no package holds: what the frames say, as their field config shows it. */
export function Plain({ panel, data, height }: Props) {
  const theme = useTheme2();
  const frames = applyFieldOverrides({
    data: data.series,
    fieldConfig: { defaults: {}, overrides: [] },
    replaceVariables: (text, variables) =>
      text.replace('${__value.raw}', () => rawValue(variables?.__dataContext?.value)),
    theme,
    timeZone: 'utc',
  });
  return (
    <div
      role="group"
      style={{ height, overflow: 'auto' }}
      tabIndex={0}
      aria-label={panel.title}
      data-state={data.state}
      data-testid={`panel ${panel.title}`}
    >
      {data.errors?.map(({ message }) => (
        <p key={message} role="alert">
          {message}
        </p>
      ))}
      {frames
        .flatMap((frame) => frame.meta?.notices ?? [])
        .map(({ text }) => (
          <p key={text}>{text}</p>
        ))}
      {panel.type === 'stat' ? (
        <Numbers frames={frames} />
      ) : (
        frames.map((frame, i) => <Table key={i} frame={frame} panel={panel} />)
      )}
    </div>
  );
}

interface Pointed {
  field: Field;
  rowIndex?: number;
}

/** What a link's variable stands for: the value that it is on. */
const rawValue = (on?: Pointed) => (on?.rowIndex === undefined ? '' : String(on.field.values[on.rowIndex]));

function Numbers({ frames }: { frames: DataFrame[] }) {
  return (
    <dl>
      {frames
        .flatMap(({ fields }) => fields.filter(({ type }) => type === 'number'))
        .map((field) => (
          <div key={field.name} data-testid="number">
            <dt>{field.config.displayName ?? field.config.displayNameFromDS ?? field.name}</dt>
            <dd>{shown(field, field.values.length - 1)}</dd>
          </div>
        ))}
    </dl>
  );
}

function Table({ frame, panel }: { frame: DataFrame; panel: PanelModel }) {
  const hidden = panel.transformations?.find(({ id }) => id === 'organize')?.options.excludeByName ?? {};
  const fields = frame.fields.filter(({ name }) => !hidden[name]);
  return (
    <table>
      <thead>
        <tr>
          {fields.map((field) => (
            <th key={field.name} style={{ textAlign: 'left' }}>
              {field.config.displayNameFromDS ?? field.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {Array.from({ length: frame.length }, (_, row) => (
          <tr key={row}>
            {fields.map((field) => (
              <td key={field.name} data-field={field.name}>
                <Cell field={field} row={row} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell({ field, row }: { field: Field; row: number }) {
  const text = shown(field, row);
  const [link] = field.values[row] == null ? [] : (field.getLinks?.({ valueRowIndex: row }) ?? []);
  return link ? (
    <a href={link.href} target="_blank" rel="noreferrer">
      {link.title}: {text}
    </a>
  ) : (
    <>{text}</>
  );
}

function shown(field: Field, row: number): string {
  const value: unknown = field.values[row];
  return field.display ? formattedValueToString(field.display(value)) : String(value);
}
