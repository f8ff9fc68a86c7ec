import { DataSourceInstanceSettings, DataSourcePlugin, PluginType } from '@grafana/data';
import { BackendSrv, setBackendSrv } from '@grafana/runtime';
import React, { ComponentType, useState } from 'react';
import { of } from 'rxjs';
import type { DataSource } from '../../src/datasource';
import { CopilotOptions, CopilotQuery } from '../../src/types';
import { load } from './amd';
import { setting } from './setting';

// What the backend lists.
const resources: Record<string, unknown> = {
  clusters: [
    { id: 'prod-eu-west-1', display: 'Production Europe' },
    { id: 'staging', display: 'staging' },
  ],
  signals: [
    {
      id: 'backlog_age_sec',
      title: 'Backlog age',
      meaning: 'Age of the oldest waiting task.',
      class: 'primary',
      unit: 's',
      scope: 'task_queue',
    },
  ],
};

interface EditorProps {
  datasource: DataSource;
  query: CopilotQuery;
  onChange: (query: CopilotQuery) => void;
  onRunQuery: () => void;
}

/** One of the built data source's editors: of a query, of an annotation or of a variable. */
export async function editor() {
  setBackendSrv({
    fetch: ({ url }: { url: string }) => of({ data: resources[url.split('/').pop() ?? ''], status: 200 }),
  } as unknown as BackendSrv);
  const { plugin } = await load<{ plugin: DataSourcePlugin<DataSource, CopilotQuery, CopilotOptions> }>(
    '/dist/module.js'
  );
  const settings = {
    id: 1,
    uid: 'copilot',
    name: 'Copilot',
    type: 'temporalsre-copilot-datasource',
    meta: { type: PluginType.datasource },
    jsonData: {},
  } as unknown as DataSourceInstanceSettings<CopilotOptions>;
  const datasource = new plugin.DataSourceClass(settings);
  const editors: Record<string, unknown> = {
    query: plugin.components.QueryEditor,
    annotation: datasource.annotations?.QueryEditor,
    variable: (datasource.variables as unknown as { editor: unknown }).editor,
  };
  return (
    <Editor
      Shown={editors[setting('editor', 'query')] as ComponentType<EditorProps>}
      datasource={datasource}
      first={JSON.parse(setting('query', '{}')) as CopilotQuery}
    />
  );
}

interface Props {
  Shown: ComponentType<EditorProps>;
  datasource: DataSource;
  first: CopilotQuery;
}

function Editor({ Shown, datasource, first }: Props) {
  const [query, setQuery] = useState({ ...first, refId: 'A' });
  return (
    <main data-testid="editor">
      <h1 className="for-readers">Editor</h1>
      <Shown datasource={datasource} query={query} onChange={setQuery} onRunQuery={() => {}} />
      <output hidden>{JSON.stringify(query)}</output>
    </main>
  );
}
