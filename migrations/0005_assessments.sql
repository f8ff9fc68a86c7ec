-- The verdicts, each with all that it rests on. The columns beside payload are
-- for listings, which must not read megabytes.
CREATE TABLE IF NOT EXISTS assessments (
    cluster_id  text             NOT NULL,
    observed_at timestamptz      NOT NULL,
    id          uuid             NOT NULL, -- follows from the two above, see dsql.AssessmentID
    state       text             NOT NULL,
    raw_state   text             NOT NULL,
    since       timestamptz,
    confidence  double precision NOT NULL,
    coverage    double precision NOT NULL,
    blind       boolean          NOT NULL,
    bottleneck  text             NOT NULL,
    summary     text             NOT NULL,
    omitted     text             NOT NULL, -- what was left out of payload to fit
    payload     text             NOT NULL, -- health.Assessment as JSON
    PRIMARY KEY (cluster_id, observed_at)
);
