import { CopilotOptions } from './types';

/** What the backend takes when a setting is left empty. */
export const defaults = { kind: 'postgres', port: 5432, database: 'copilot', sslMode: 'verify-full' } as const;

/** A setting that can be wrong. */
export type SettingName = 'host' | 'port' | 'database' | 'user' | 'endpoint' | 'region';

/** What is wrong with each setting, in words that say what to do. A setting that is right is absent. */
export type Problems = Partial<Record<SettingName, string>>;

// <id>.dsql.<region>.on.aws
const dsqlEndpoint = /^[a-z0-9-]+\.dsql(?:-[a-z0-9]+)?\.([a-z0-9-]+)\.on\.aws$/;

/** Reads the region out of an Aurora DSQL endpoint, which names it. */
export function regionOf(endpoint = ''): string | undefined {
  return dsqlEndpoint.exec(endpoint.trim())?.[1];
}

/** Looks for mistakes while the settings are typed. The backend checks them again and has the last word. */
export function findProblems(options: CopilotOptions): Problems {
  return options.kind === 'dsql' ? dsqlProblems(options) : postgresProblems(options);
}

function postgresProblems({ host = '', port, user = '' }: CopilotOptions): Problems {
  const problems: Problems = {};
  if (host.trim() === '') {
    problems.host = 'Enter the name or address of the PostgreSQL server.';
  } else if (/[\s/@]|:\/\//.test(host) || /^[^:[\]]+:\d+$/.test(host)) {
    problems.host = 'Enter the name alone, without scheme, port or path.';
  }
  const number = Number(port || defaults.port);
  if (!Number.isInteger(number) || number < 1 || number > 65535) {
    problems.port = 'Enter a port from 1 to 65535.';
  }
  if (user.trim() === '') {
    problems.user = 'Enter the role to read as.';
  }
  return problems;
}

function dsqlProblems({ endpoint = '', region = '' }: CopilotOptions): Problems {
  const problems: Problems = {};
  if (endpoint.trim() === '') {
    problems.endpoint = 'Enter the endpoint that the Aurora DSQL console shows for the cluster.';
  } else if (/[\s/:]/.test(endpoint)) {
    problems.endpoint = 'Enter the host name alone, without scheme, port or path.';
  }
  if (region.trim() === '' && endpoint.trim() !== '' && regionOf(endpoint) === undefined) {
    problems.region = 'This endpoint does not name its region; enter it here.';
  }
  return problems;
}
