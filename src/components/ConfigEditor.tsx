import { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { Combobox, Field, FieldSet, Input, RadioButtonGroup, SecretInput, Text } from '@grafana/ui';
import React, { ReactElement, useState } from 'react';
import { defaults, findProblems, regionOf, SettingName } from '../settings';
import { CopilotOptions, CopilotSecureOptions, SSLMode, StoreKind } from '../types';

type Props = DataSourcePluginOptionsEditorProps<CopilotOptions, CopilotSecureOptions>;

const width = 50;

const kinds: Array<{ value: StoreKind; label: string; description: string }> = [
  { value: 'postgres', label: 'PostgreSQL', description: 'A PostgreSQL server, reached with a password' },
  { value: 'dsql', label: 'Aurora DSQL', description: 'Amazon Aurora DSQL, reached with AWS credentials' },
];

const sslModes: Array<{ value: SSLMode; label: string; description: string }> = [
  {
    value: 'verify-full',
    label: 'verify-full',
    description: 'Encrypt, and check that the certificate is for this host',
  },
  { value: 'verify-ca', label: 'verify-ca', description: 'Encrypt, and check who issued the certificate' },
  { value: 'require', label: 'require', description: 'Encrypt, without checking whom with' },
  { value: 'disable', label: 'disable', description: 'Do not encrypt; only on a network that you trust' },
];

/** Where the copilot's store is and how to get in. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const { jsonData } = options;
  // A provisioning file may have left a setting empty; that means the default, too.
  const kind = jsonData.kind || defaults.kind;
  const sslMode = jsonData.sslMode || defaults.sslMode;
  // A form that is red before anything was typed helps nobody: a setting is judged once it was left.
  const [left, setLeft] = useState<ReadonlySet<SettingName>>(new Set());
  const problems = findProblems(jsonData);

  const change = (part: Partial<CopilotOptions>) => onOptionsChange({ ...options, jsonData: { ...jsonData, ...part } });

  const judge = (name: SettingName) => ({
    error: problems[name],
    invalid: problems[name] !== undefined && left.has(name),
  });

  const input = (name: Exclude<SettingName, 'port'>, placeholder: string): ReactElement<Record<string, unknown>> => (
    <Input
      id={`copilot-${name}`}
      width={width}
      value={jsonData[name] ?? ''}
      placeholder={placeholder}
      onChange={(event) => change({ [name]: event.currentTarget.value })}
      onBlur={() => setLeft(new Set([...left, name]))}
    />
  );

  return (
    <>
      <FieldSet label="Store">
        <Field
          label="Database"
          description="The copilot's worker writes its verdicts here; this data source reads them. It never connects to the Temporal cluster itself."
        >
          <RadioButtonGroup
            aria-label="Database"
            options={kinds}
            value={kind}
            onChange={(chosen) => change({ kind: chosen })}
          />
        </Field>
      </FieldSet>

      {kind === 'postgres' ? (
        <FieldSet label="Connection">
          <Field label="Host" required {...judge('host')}>
            {input('host', 'copilot-db.example.com')}
          </Field>
          <Field label="Port" {...judge('port')}>
            <Input
              id="copilot-port"
              width={width}
              type="number"
              min={1}
              max={65535}
              value={jsonData.port ?? ''}
              placeholder={String(defaults.port)}
              onChange={(event) =>
                change({ port: event.currentTarget.value === '' ? undefined : Number(event.currentTarget.value) })
              }
              onBlur={() => setLeft(new Set([...left, 'port']))}
            />
          </Field>
          <Field label="Database name">{input('database', defaults.database)}</Field>
          <Field label="TLS" htmlFor="copilot-sslMode" description="How the connection is protected.">
            <Combobox
              id="copilot-sslMode"
              width={width}
              options={sslModes}
              value={sslMode}
              onChange={({ value }) => change({ sslMode: value })}
            />
          </Field>
          {sslMode.startsWith('verify') && (
            <Field
              label="Certificate authorities"
              description="A file on the Grafana server. Leave it empty to trust what that system trusts."
            >
              <Input
                id="copilot-sslRootCertFile"
                width={width}
                value={jsonData.sslRootCertFile ?? ''}
                placeholder="/etc/ssl/certs/copilot-db.pem"
                onChange={(event) => change({ sslRootCertFile: event.currentTarget.value })}
              />
            </Field>
          )}
        </FieldSet>
      ) : (
        <FieldSet label="Connection">
          <Field label="Endpoint" required {...judge('endpoint')}>
            {input('endpoint', 'abc123.dsql.us-east-1.on.aws')}
          </Field>
          <Field label="Region" description="Only needed when the endpoint does not name it." {...judge('region')}>
            {input('region', regionOf(jsonData.endpoint) ?? 'us-east-1')}
          </Field>
        </FieldSet>
      )}

      <FieldSet label="Authentication">
        {kind === 'dsql' && (
          <Text element="p" color="secondary">
            Grafana mints a short-lived token from the AWS credentials of the server that it runs on: an instance or
            task role, a web identity, or environment variables. Nothing is stored here.
          </Text>
        )}
        <Field
          label="User"
          required={kind === 'postgres'}
          description="A role that may only read is enough, and safest."
          {...judge('user')}
        >
          {input('user', kind === 'postgres' ? 'copilot_reader' : 'admin')}
        </Field>
        {kind === 'postgres' && (
          <Field
            label="Password"
            htmlFor="copilot-password"
            description="Kept encrypted by Grafana; it never returns to the browser."
          >
            <SecretInput
              id="copilot-password"
              width={width}
              isConfigured={options.secureJsonFields?.password ?? false}
              value={options.secureJsonData?.password ?? ''}
              onChange={(event) =>
                onOptionsChange({
                  ...options,
                  secureJsonData: { ...options.secureJsonData, password: event.currentTarget.value },
                })
              }
              onReset={() =>
                onOptionsChange({
                  ...options,
                  secureJsonFields: { ...options.secureJsonFields, password: false },
                  secureJsonData: { ...options.secureJsonData, password: '' },
                })
              }
            />
          </Field>
        )}
      </FieldSet>
    </>
  );
}
