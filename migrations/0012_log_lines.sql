-- How many lines of each pattern the logs held, by window. A window that is read
-- again for late lines has its rows replaced.
CREATE TABLE IF NOT EXISTS log_lines (
    cluster_id  text        NOT NULL,
    window_end  timestamptz NOT NULL,
    pattern_key text        NOT NULL, -- pattern, service and task queue in one text, see dsql.patternKey
    pattern_id  text        NOT NULL, -- narrative.Pattern.ID
    pattern     text        NOT NULL, -- the same in words
    service     text        NOT NULL,
    namespace   text        NOT NULL,
    task_queue  text        NOT NULL,
    severity    text        NOT NULL, -- health.LogSeverity
    news        text        NOT NULL, -- health.News as it was then
    lines       bigint      NOT NULL,
    PRIMARY KEY (cluster_id, window_end, pattern_key)
);
