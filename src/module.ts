import { DataSourcePlugin } from '@grafana/data';
import { ConfigEditor } from './components/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { DataSource } from './datasource';
import { CopilotOptions, CopilotQuery, CopilotSecureOptions } from './types';

export const plugin = new DataSourcePlugin<DataSource, CopilotQuery, CopilotOptions, CopilotSecureOptions>(DataSource)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
