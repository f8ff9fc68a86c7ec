// What the host page reads of a provisioned dashboard.
import { CopilotQuery } from '../../src/types';

export interface PanelModel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: CopilotQuery[];
  options: Record<string, unknown>;
  /** A time range of its own, counted back from now. */
  timeFrom?: string;
  transformations?: Array<{ id: string; options: { excludeByName: Record<string, boolean> } }>;
}

export interface VariableModel {
  name: string;
  type: 'datasource' | 'query' | 'custom';
  query: CopilotQuery | string;
  allValue?: string;
  current?: { value: string };
}

export interface DashboardModel {
  title: string;
  time: { from: string; to: string };
  panels: PanelModel[];
  templating: { list: VariableModel[] };
}
