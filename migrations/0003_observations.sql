-- What was seen, whole: one row for each look at a cluster.
CREATE TABLE IF NOT EXISTS observations (
    cluster_id   text        NOT NULL,
    observed_at  timestamptz NOT NULL,
    measurements integer     NOT NULL, -- how many signals were asked for
    usable       integer     NOT NULL, -- how many of them had a fresh value
    requests     integer     NOT NULL, -- HTTP requests that the look cost
    omitted      text        NOT NULL, -- what was left out of payload to fit
    payload      text        NOT NULL, -- health.Observation as JSON
    PRIMARY KEY (cluster_id, observed_at)
);
