import { expect, test } from '@grafana/plugin-e2e';
import { source } from './provisioned';

test('a new panel shows something at once', async ({ panelEditPage }) => {
  await panelEditPage.datasource.set(source.name);
  await panelEditPage.setVisualization('Table');
  await expect(panelEditPage.refreshPanel()).toBeOK();
  await expect(panelEditPage.panel.fieldNames).toContainText(['Cluster', 'State']);
});

for (const [label, column] of [
  ['Issues', 'Issue'],
  ['Parts of the cluster', 'State'],
  ['Actions', 'Suggestion'],
  ['Clusters', 'Cluster'],
] as const) {
  test(`the query type "${label}" is chosen and answered`, async ({ panelEditPage, page }) => {
    await panelEditPage.datasource.set(source.name);
    await panelEditPage.setVisualization('Table');
    const row = panelEditPage.getQueryEditorRow('A');
    await row.getByRole('combobox', { name: 'Show' }).click();
    await page.getByRole('option', { name: label }).click();
    await expect(panelEditPage.refreshPanel()).toBeOK();
    await expect(panelEditPage.panel.getErrorIcon()).toBeHidden();
    await expect(panelEditPage.panel.fieldNames).toContainText([column]);
  });
}

test('a variable of the clusters previews what the store holds', async ({ variableEditPage }) => {
  await variableEditPage.setVariableType('Query');
  await variableEditPage.datasource.set(source.name);
  await variableEditPage.runQuery();
  await expect(variableEditPage).toDisplayPreviews([/.+/]);
});

test('an annotation of state changes is answered', async ({ annotationEditPage }) => {
  await annotationEditPage.datasource.set(source.name);
  await expect(annotationEditPage.runQuery()).toBeOK();
});
