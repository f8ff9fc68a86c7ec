import { textUtil } from '@grafana/data';

/**
 * Where a guide is read.
 *
 * @param guide a URL, or the name of a runbook
 * @param base what the name of a runbook is appended to; {guide} in it says where, if not at the end
 * @returns nothing when there is no place to go to
 */
export function guideLink(guide: string | undefined, base: string): string | undefined {
  if (!guide) {
    return undefined;
  }
  if (/^https?:\/\//.test(guide) || guide.startsWith('/')) {
    return textUtil.sanitizeUrl(guide);
  }
  const trimmed = base.trim();
  if (!trimmed) {
    return undefined;
  }
  const name = encodeURIComponent(guide);
  const link = trimmed.includes('{guide}') ? trimmed.replaceAll('{guide}', name) : trimmed.replace(/\/?$/, '/') + name;
  return textUtil.sanitizeUrl(link);
}
