import { useEffect, useState } from 'react';

interface List<T> {
  items: T[];
  /** Why there is nothing to choose from. */
  problem?: string;
}

/**
 * Loads what there is to choose from. When that fails one can still type, so the problem is told, not thrown.
 *
 * @param load asks for the list
 * @param source what the list belongs to: another one has another list
 */
export function useList<T>(load: () => Promise<T[]>, source: unknown): List<T> {
  const [list, setList] = useState<List<T>>({ items: [] });
  useEffect(() => {
    let current = true;
    load().then(
      (items) => current && setList({ items }),
      (error: unknown) => current && setList({ items: [], problem: messageOf(error) })
    );
    return () => {
      current = false;
    };
    // The function is made anew with each rendering.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [source]);
  return list;
}

/** What went wrong, in the words of the backend when it answered. */
function messageOf(error: unknown): string {
  const { data, message } = (error ?? {}) as { data?: { message?: string }; message?: string };
  return `The list of choices could not be loaded: ${data?.message ?? message ?? 'the backend did not answer'}`;
}
