-- The changes of a cluster's state with the gates that had fired (R12.5).
CREATE TABLE IF NOT EXISTS state_transitions (
    cluster_id text        NOT NULL,
    at         timestamptz NOT NULL,
    from_state text        NOT NULL,
    to_state   text        NOT NULL,
    gates      text        NOT NULL, -- a JSON list of gate ids
    PRIMARY KEY (cluster_id, at)
);
