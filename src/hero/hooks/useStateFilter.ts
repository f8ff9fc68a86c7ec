import { getTemplateSrv, locationService } from '@grafana/runtime';
import { useCallback, useEffect, useState } from 'react';

/** The states that the dashboard can be narrowed down to. */
export type Filter = 'all' | 'happy' | 'stressed' | 'critical';

// What Grafana writes into the URL for a variable's "All".
const allValue = '$__all';

interface StateFilter {
  value: Filter;
  /** False when the dashboard has no such variable. */
  exists: boolean;
  set: (value: Filter) => void;
}

/** Reads and sets the dashboard variable that filters by state. It lives in the URL, as all variables do. */
export function useStateFilter(variable: string): StateFilter {
  const [value, setValue] = useState<Filter>(() => current(variable));

  useEffect(() => {
    const read = () => setValue(current(variable));
    read();
    const subscription = locationService.getLocationObservable().subscribe(read);
    return () => subscription.unsubscribe();
  }, [variable]);

  const set = useCallback(
    (chosen: Filter) => locationService.partial({ [`var-${variable}`]: chosen === 'all' ? allValue : chosen }),
    [variable]
  );
  return { value, set, exists: find(variable) !== undefined };
}

function find(variable: string): { current?: { value?: unknown } } | undefined {
  return getTemplateSrv()
    .getVariables()
    .find(({ name }) => name === variable) as { current?: { value?: unknown } } | undefined;
}

function current(variable: string): Filter {
  const inURL: unknown = locationService.getSearchObject()[`var-${variable}`];
  const value = inURL ?? find(variable)?.current?.value;
  const chosen: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return chosen === 'happy' || chosen === 'stressed' || chosen === 'critical' ? chosen : 'all';
}
