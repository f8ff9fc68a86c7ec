import { expect, test } from '@grafana/plugin-e2e';
import { dashboards, insights, plugin, rules } from './provisioned';

test('both plugins are listed', async ({ request }) => {
  for (const id of [plugin.id, plugin.hero]) {
    const response = await request.get(`/api/plugins/${id}/settings`);
    expect([id, response.status()]).toEqual([id, 200]);
  }
});

for (const uid of dashboards) {
  test(`no panel of ${uid} fails`, async ({ gotoDashboardPage, page }) => {
    const dashboard = await gotoDashboardPage({ uid });
    await dashboard.waitForPanelsQueriesToComplete({ scrollAll: true });
    await expect(page.getByTestId('data-testid Panel status error')).toHaveCount(0);
  });
}

test('the hero renders, and its filter sets the variable', async ({ gotoDashboardPage, page }) => {
  await gotoDashboardPage(insights);
  const hero = page.getByTestId('copilot-hero');
  await expect(hero.getByRole('status')).toContainText(/Happy|Stressed|Critical|Unknown|Blind|Stale/);
  await hero.getByText('Critical', { exact: true }).last().click();
  await expect(page).toHaveURL(/var-state=critical/);
});

test('the filter narrows the tables down', async ({ gotoDashboardPage, page }) => {
  const dashboard = await gotoDashboardPage({
    ...insights,
    queryParams: new URLSearchParams({ 'var-state': 'happy' }),
  });
  const panel = dashboard.getPanelByTitle('Services');
  await panel.scrollIntoView();
  await expect(panel.locator.getByText(/^(Stressed|Critical)$/)).toHaveCount(0);
  await expect(page.getByTestId('copilot-hero')).toBeVisible();
});

test('the dashboard offers the clusters', async ({ gotoDashboardPage, page }) => {
  await gotoDashboardPage(insights);
  await expect(page.getByText('Cluster', { exact: true }).first()).toBeVisible();
  await expect(page).toHaveURL(/var-cluster=[^&]+/);
});

test('guides lead to runbooks', async ({ gotoDashboardPage, page }) => {
  await gotoDashboardPage(insights);
  await expect(page.getByTestId('copilot-hero')).toBeVisible();
  for (const link of await page.getByRole('link', { name: /View guide/ }).all()) {
    await expect(link).toHaveAttribute('href', /^https:.*\/runbooks\/[a-z-]+\.md$/);
  }
});

test('the alert rules are provisioned', async ({ request }) => {
  for (const uid of rules) {
    const response = await request.get(`/api/v1/provisioning/alert-rules/${uid}`);
    expect([uid, response.status()]).toEqual([uid, 200]);
  }
});
