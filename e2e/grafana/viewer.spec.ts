import { expect, test } from '@grafana/plugin-e2e';
import { insights, source } from './provisioned';

test('a viewer sees the whole dashboard', async ({ gotoDashboardPage, page }) => {
  const dashboard = await gotoDashboardPage(insights);
  await dashboard.waitForPanelsQueriesToComplete({ scrollAll: true });
  await expect(page.getByTestId('data-testid Panel status error')).toHaveCount(0);
});

test('a viewer may use the filter', async ({ gotoDashboardPage, page }) => {
  await gotoDashboardPage(insights);
  await page.getByTestId('copilot-hero').getByText('Stressed', { exact: true }).last().click();
  await expect(page).toHaveURL(/var-state=stressed/);
});

test('a viewer may read the resources, and not the settings', async ({ request }) => {
  expect((await request.get(`/api/datasources/uid/${source.uid}/resources/clusters`)).status()).toBe(200);
  expect((await request.get(`/api/datasources/uid/${source.uid}`)).status()).toBe(403);
});
