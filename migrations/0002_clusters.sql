-- The monitored clusters, with the last verdict on each for listings. Every
-- save locks its cluster's row, which puts the saves of one cluster in a line.
CREATE TABLE IF NOT EXISTS clusters (
    cluster_id text        NOT NULL,
    display    text        NOT NULL,
    first_seen timestamptz,          -- null: registered, not assessed yet
    last_seen  timestamptz,          -- the newest assessment
    state      text        NOT NULL,
    since      timestamptz,
    blind      boolean     NOT NULL,
    version    bigint      NOT NULL, -- one up with every write
    PRIMARY KEY (cluster_id)
);
