import { findProblems, regionOf } from './settings';

describe('the settings of PostgreSQL', () => {
  const good = { host: 'db.example.com', user: 'reader' };

  it('need a host and a user', () => {
    expect(Object.keys(findProblems({}))).toEqual(['host', 'user']);
    expect(findProblems(good)).toEqual({});
    expect(findProblems({ kind: 'postgres', ...good })).toEqual({});
  });

  it.each(['https://db', 'db:5432', 'db/copilot', 'reader@db', 'a b'])('do not take %p for a host', (host) => {
    expect(findProblems({ ...good, host }).host).toBeDefined();
  });

  it.each(['localhost', '10.0.0.7', '::1', '[::1]'])('take %p for a host', (host) => {
    expect(findProblems({ ...good, host })).toEqual({});
  });

  it.each([-1, 65536, 1.5, 'default'])('do not take %p for a port', (port) => {
    expect(findProblems({ ...good, port }).port).toBeDefined();
  });
});

describe('settings that a provisioning file took from the environment', () => {
  it('are texts, and empty where a variable is not set', () => {
    const provisioned = { kind: '' as never, host: 'db', port: '6432', user: 'reader', sslMode: '' as never };
    expect(findProblems(provisioned)).toEqual({});
    expect(findProblems({ ...provisioned, port: '' })).toEqual({});
  });
});

describe('the settings of Aurora DSQL', () => {
  it('need an endpoint', () => {
    expect(Object.keys(findProblems({ kind: 'dsql' }))).toEqual(['endpoint']);
    expect(findProblems({ kind: 'dsql', endpoint: 'https://x' }).endpoint).toBeDefined();
  });

  it('take the region from the endpoint', () => {
    expect(regionOf('abc123.dsql.eu-west-1.on.aws')).toBe('eu-west-1');
    expect(findProblems({ kind: 'dsql', endpoint: 'abc123.dsql.eu-west-1.on.aws' })).toEqual({});
  });

  it('need a region when the endpoint does not name it', () => {
    expect(regionOf('dsql.internal')).toBeUndefined();
    expect(findProblems({ kind: 'dsql', endpoint: 'dsql.internal' }).region).toBeDefined();
    expect(findProblems({ kind: 'dsql', endpoint: 'dsql.internal', region: 'eu-west-1' })).toEqual({});
  });
});
