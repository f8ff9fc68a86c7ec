import { locationUtil, textUtil } from '@grafana/data';

/**
 * Where a guide is read.
 *
 * @param guide a URL, or the name of a runbook
 * @param base what the name of a runbook is appended to; {guide} in it says where, if not at the end
 * @param served where the backend says that it is read, which counts where there is no base
 * @returns nothing when there is no place to go to
 */
export function guideLink(guide: string | undefined, base: string, served?: string): string | undefined {
  if (!guide) {
    return undefined;
  }
  if (/^https?:\/\//.test(guide) || guide.startsWith('/')) {
    return textUtil.sanitizeUrl(locationUtil.assureBaseUrl(guide));
  }
  const trimmed = base.trim();
  if (!trimmed) {
    return served && textUtil.sanitizeUrl(served);
  }
  const name = encodeURIComponent(guide);
  const link = trimmed.includes('{guide}') ? trimmed.replaceAll('{guide}', name) : trimmed.replace(/\/?$/, '/') + name;
  return textUtil.sanitizeUrl(link);
}
