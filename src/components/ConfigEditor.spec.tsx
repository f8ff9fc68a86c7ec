import { DataSourceSettings } from '@grafana/data';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import React, { useState } from 'react';
import { CopilotOptions, CopilotSecureOptions } from '../types';
import { ConfigEditor } from './ConfigEditor';

type Settings = DataSourceSettings<CopilotOptions, CopilotSecureOptions>;

/** Shows the editor as Grafana does, which hands every change back to it, and returns what it changed last. */
function show(jsonData: CopilotOptions = {}, rest: Partial<Settings> = {}) {
  const latest = { settings: { jsonData, secureJsonFields: {}, ...rest } as Settings };
  function Host() {
    const [options, setOptions] = useState(latest.settings);
    return (
      <ConfigEditor
        options={options}
        onOptionsChange={(changed) => {
          latest.settings = changed;
          setOptions(changed);
        }}
      />
    );
  }
  render(<Host />);
  return latest;
}

describe('the config editor', () => {
  it('starts with PostgreSQL, and without complaints', () => {
    show();
    expect(screen.getByRole('radio', { name: 'PostgreSQL' })).toBeChecked();
    expect(screen.getByLabelText(/^Host/)).toHaveValue('');
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  });

  it('writes what is typed into the settings', async () => {
    const latest = show();
    await userEvent.type(screen.getByLabelText(/^Host/), 'db.example.com');
    await userEvent.type(screen.getByLabelText('Port'), '6432');
    await userEvent.type(screen.getByLabelText('Database name'), 'sre');
    await userEvent.type(screen.getByLabelText(/^User/), 'reader');
    expect(latest.settings.jsonData).toEqual({ host: 'db.example.com', port: 6432, database: 'sre', user: 'reader' });
  });

  it('forgets a port that is deleted, so that the default holds again', async () => {
    const latest = show({ port: 6432 });
    await userEvent.clear(screen.getByLabelText('Port'));
    expect(latest.settings.jsonData.port).toBeUndefined();
  });

  it('says what is wrong with a setting once it was left', async () => {
    show();
    await userEvent.type(screen.getByLabelText(/^Host/), 'https://db');
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
    await userEvent.tab();
    expect(screen.getByRole('alert')).toHaveTextContent('Enter the name alone');
  });

  it('keeps the password out of the open settings', async () => {
    const latest = show();
    await userEvent.type(screen.getByLabelText(/^Password/), 'hunter2');
    expect(latest.settings.secureJsonData).toEqual({ password: 'hunter2' });
    expect(JSON.stringify(latest.settings.jsonData)).not.toContain('hunter2');
  });

  it('lets a stored password be replaced', async () => {
    const latest = show({}, { secureJsonFields: { password: true } });
    expect(screen.getByLabelText(/^Password/)).toBeDisabled();
    await userEvent.click(screen.getByRole('button', { name: 'Reset' }));
    expect(latest.settings.secureJsonFields.password).toBe(false);
    expect(screen.getByLabelText(/^Password/)).toBeEnabled();
  });

  it('asks for a certificate file when certificates are checked', async () => {
    const latest = show();
    await userEvent.type(screen.getByLabelText(/^Certificate authorities/), '/ca.pem');
    expect(latest.settings.jsonData.sslRootCertFile).toBe('/ca.pem');
  });

  it('does not ask for a certificate file otherwise', () => {
    show({ sslMode: 'require' });
    expect(screen.queryByLabelText(/^Certificate authorities/)).not.toBeInTheDocument();
  });

  it('lets the TLS mode be chosen', async () => {
    const latest = show();
    await userEvent.click(screen.getByRole('combobox', { name: /^TLS/ }));
    await userEvent.click(await screen.findByRole('option', { name: /^disable/ }));
    expect(latest.settings.jsonData.sslMode).toBe('disable');
    expect(screen.queryByLabelText(/^Certificate authorities/)).not.toBeInTheDocument();
  });

  it('asks Aurora DSQL for its endpoint, and for no password', async () => {
    const latest = show();
    await userEvent.click(screen.getByRole('radio', { name: 'Aurora DSQL' }));
    expect(latest.settings.jsonData.kind).toBe('dsql');
    await userEvent.type(screen.getByLabelText(/^Endpoint/), 'abc123.dsql.eu-west-1.on.aws');
    expect(latest.settings.jsonData.endpoint).toBe('abc123.dsql.eu-west-1.on.aws');
    expect(screen.getByLabelText(/^Region/)).toHaveAttribute('placeholder', 'eu-west-1');
    expect(screen.queryByLabelText(/^Password/)).not.toBeInTheDocument();
  });
});
