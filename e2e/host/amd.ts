// What Grafana shares with plugins. A plugin that asks for anything else would not load there either.
const shared: Record<string, () => unknown> = {
  react: () => require('react'),
  'react-dom': () => require('react-dom'),
  lodash: () => require('lodash'),
  moment: () => require('moment'),
  rxjs: () => require('rxjs'),
  '@emotion/css': () => require('@emotion/css'),
  '@emotion/react': () => require('@emotion/react'),
  '@grafana/data': () => require('@grafana/data'),
  '@grafana/runtime': () => require('@grafana/runtime'),
  '@grafana/ui': () => require('@grafana/ui'),
};

type Factory = (...dependencies: unknown[]) => unknown;

/** Loads an AMD module, one at a time. What is loaded by other means must not find a loader and use it. */
export function load<T>(url: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const define = Object.assign(
      (dependencies: string[], factory: Factory) => {
        const unknown = dependencies.filter((name) => !shared[name]);
        if (unknown.length > 0) {
          reject(new Error(`${url} asks for what Grafana does not share: ${unknown.join(', ')}`));
          return;
        }
        Object.assign(window, { define: undefined });
        resolve(factory(...dependencies.map((name) => shared[name]!())) as T);
      },
      { amd: {} }
    );
    Object.assign(window, { define });
    const script = document.createElement('script');
    script.src = url;
    script.onerror = () => reject(new Error(`${url} could not be loaded`));
    document.head.append(script);
  });
}
