import { expect, test } from '@grafana/plugin-e2e';
import { plugin, source } from './provisioned';

test('the provisioned data source reaches its store', async ({ gotoDataSourceConfigPage }) => {
  const page = await gotoDataSourceConfigPage(source.uid);
  await expect(page.saveAndTest()).toBeOK();
  await expect(page).toHaveAlert('success');
});

test('a store that nobody answers for is said to be away', async ({ createDataSourceConfigPage, page }) => {
  const config = await createDataSourceConfigPage({ type: plugin.id });
  await page.getByRole('textbox', { name: /^Host/ }).fill('127.0.0.1');
  await page.getByRole('textbox', { name: /^User/ }).fill('nobody');
  await expect(config.saveAndTest()).not.toBeOK();
  await expect(config).toHaveAlert('error', { hasText: /Cannot connect to PostgreSQL/ });
});

test('settings that cannot be right are pointed out in the form', async ({ createDataSourceConfigPage, page }) => {
  await createDataSourceConfigPage({ type: plugin.id });
  const host = page.getByRole('textbox', { name: /^Host/ });
  await host.fill('db:5432');
  await host.blur();
  await expect(page.getByText(/name alone/)).toBeVisible();
});
