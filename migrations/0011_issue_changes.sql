-- The life of the issues: a row for each time that one was opened, got graver or
-- milder, came to rest on other gates, or was resolved.
CREATE TABLE IF NOT EXISTS issue_changes (
    cluster_id text        NOT NULL,
    issue_id   text        NOT NULL,
    at         timestamptz NOT NULL, -- of the assessment that told of it
    change     text        NOT NULL, -- opened, changed, resolved or reopened
    severity   text        NOT NULL,
    title      text        NOT NULL,
    gates      text        NOT NULL, -- a JSON list of gate ids
    PRIMARY KEY (cluster_id, issue_id, at)
);
