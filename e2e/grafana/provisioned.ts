/** What provisioning/ brings, by the names that tests and dashboards use. */
export const plugin = { id: 'temporalsre-copilot-datasource', hero: 'temporalsre-copilothero-panel' };
export const source = { uid: 'temporal-sre-copilot', name: 'Temporal SRE Copilot' };
export const insights = { uid: 'copilot-insights' };
export const dashboards = ['copilot-insights', 'copilot-server-health', 'copilot-dsql-persistence', 'copilot-workers'];
export const rules = ['copilot-cluster-critical', 'copilot-cluster-stressed', 'copilot-blind', 'copilot-silent'];
