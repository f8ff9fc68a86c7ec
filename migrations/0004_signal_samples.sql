-- The values of the signals as time series. The key is laid out for "this
-- signal, all scopes of this kind, between two times". A signal that had no
-- value has no row: missing is not zero.
CREATE TABLE IF NOT EXISTS signal_samples (
    cluster_id  text             NOT NULL,
    signal      text             NOT NULL,
    kind        text             NOT NULL, -- health.ScopeKind; 'cluster' for the roll-up
    observed_at timestamptz      NOT NULL,
    scope_key   text             NOT NULL, -- the scope in one text, see dsql.scopeKey
    namespace   text             NOT NULL,
    name        text             NOT NULL,
    task_type   text             NOT NULL,
    service     text             NOT NULL,
    value       double precision NOT NULL,
    PRIMARY KEY (cluster_id, signal, kind, observed_at, scope_key)
);
