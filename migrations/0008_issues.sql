-- What is or was wrong, one row an issue, followed through its life.
CREATE TABLE IF NOT EXISTS issues (
    cluster_id  text        NOT NULL,
    id          text        NOT NULL,
    severity    text        NOT NULL,
    status      text        NOT NULL,
    kind        text        NOT NULL,
    scope       text        NOT NULL,
    title       text        NOT NULL,
    opened_at   timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    resolved_at timestamptz,
    openings    integer     NOT NULL, -- how often it was opened
    version     bigint      NOT NULL, -- one up with every write
    payload     text        NOT NULL, -- health.Issue as JSON
    PRIMARY KEY (cluster_id, id)
);
