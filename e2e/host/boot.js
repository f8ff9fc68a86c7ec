// What Grafana's page knows before its scripts run. A file, since the page's policy forbids scripts in the page itself.
const base = window.location.pathname.replace(/\/$/, '');
window.grafanaBootData = { settings: { appSubUrl: base, featureToggles: {} }, user: {}, navTree: [] };
window.__grafana_public_path__ = `${base}/public/`;
