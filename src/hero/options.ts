/** What the person who builds the dashboard chooses. */
export interface HeroOptions {
  /** The dashboard variable that the filter sets; empty hides the filter. */
  filterVariable: string;
  ribbon: boolean;
  /** Whether Analysis and Suggested remediations show; "auto" leaves them out where the panel is too low for them. */
  columns: 'auto' | 'always' | 'never';
  /** Where runbooks are read, a guide that is no URL itself is appended to it; empty leaves that to the backend. */
  guideBaseUrl: string;
  density: 'comfortable' | 'compact';
}

export const defaults: HeroOptions = {
  filterVariable: 'state',
  ribbon: true,
  columns: 'auto',
  guideBaseUrl: '',
  density: 'comfortable',
};
