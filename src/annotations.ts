import { AnnotationSupport } from '@grafana/data';
import { AnnotationEditor } from './components/AnnotationEditor';
import { CopilotQuery } from './types';

/** Marks what happened on the charts of a dashboard. The backend's fields have the names that Grafana looks for. */
export const annotations: AnnotationSupport<CopilotQuery> = {
  QueryEditor: AnnotationEditor,
  getDefaultQuery: () => ({ queryType: 'annotations', events: 'transitions' }),
  // An annotation that was written by hand may have left its type out.
  prepareQuery: ({ target }) => target && { ...target, queryType: 'annotations' },
};
