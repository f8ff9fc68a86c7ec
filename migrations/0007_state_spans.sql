-- Where the timeline turns: a row for each assessment that differs from the
-- one before it in state or in sight, or that comes after a hole. It follows
-- from the assessments; with it a month's timeline is some dozen rows to read.
CREATE TABLE IF NOT EXISTS state_spans (
    cluster_id  text        NOT NULL,
    started_at  timestamptz NOT NULL,
    state       text        NOT NULL,
    blind       boolean     NOT NULL,
    hole_from   timestamptz,         -- set when nobody had looked just before
    PRIMARY KEY (cluster_id, started_at)
);
