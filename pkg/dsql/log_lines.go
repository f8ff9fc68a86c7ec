package dsql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// maxLogLines bounds the rows of log lines that one assessment stores, which is
// more than an observation carries (narrative.Feed). What is beyond is left out.
const maxLogLines = 1000

// LogPatternSum is what the store holds of a pattern over a time range.
type LogPatternSum struct {
	ID       string             `json:"id"`
	Pattern  string             `json:"pattern"`
	Service  string             `json:"service"`
	Queue    health.Scope       `json:"queue,omitzero"`
	Severity health.LogSeverity `json:"severity"`
	Lines    int64              `json:"lines"`
	// FirstAt and LastAt are the ends of the first and the last window with a
	// line of it.
	FirstAt instant.Instant `json:"first_at"`
	LastAt  instant.Instant `json:"last_at"`
}

// patternKey is the key of a pattern at a service and a task queue.
func patternKey(c *health.LogPatternCount) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{c.ID, c.Service, c.Queue.Namespace, c.Queue.Name}, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// logLines is how many rows insertLogLines writes.
func logLines(a *health.Assessment) int {
	if a.Logs == nil {
		return 0
	}
	return min(len(a.Logs.Counts), maxLogLines)
}

// insertLogLines stores what an assessment counted in the logs. A window that
// was counted before has what is counted now: it was read again for lines that
// came late, and is told as a whole.
func insertLogLines(ctx context.Context, tx pgx.Tx, a *health.Assessment) error {
	n := logLines(a)
	if n == 0 {
		return nil
	}
	counts := a.Logs.Counts[:n]
	ends, lines := make([]time.Time, n), make([]int64, n)
	keys, ids, patterns, services := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	namespaces, queues, severities, news := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i := range counts {
		c := &counts[i]
		ends[i], lines[i], keys[i] = c.At.Time(), c.Lines, patternKey(c)
		ids[i], patterns[i], services[i] = text(c.ID, 256), text(c.Pattern, 1024), text(c.Service, 256)
		namespaces[i], queues[i] = text(c.Queue.Namespace, 1024), text(c.Queue.Name, 1024)
		severities[i], news[i] = string(c.Severity), string(c.News)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO log_lines (cluster_id, window_end, pattern_key, pattern_id, pattern, service, namespace, task_queue, severity, news, lines)
		SELECT $1, r.window_end, r.pattern_key, r.pattern_id, r.pattern, r.service, r.namespace, r.task_queue, r.severity, r.news, r.lines
		FROM unnest($2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[])
			AS r (window_end, pattern_key, pattern_id, pattern, service, namespace, task_queue, severity, news, lines)
		ON CONFLICT (cluster_id, window_end, pattern_key)
		DO UPDATE SET lines = excluded.lines, pattern = excluded.pattern`,
		a.Cluster, ends, keys, ids, patterns, services, namespaces, queues, severities, news, lines)
	return err
}

// LogPatterns returns the patterns that were found in the logs of query.Cluster
// in windows that end in the time range, the most frequent first: 50 if Limit
// is 0, 500 at most. There are no further pages. The error is ErrUnknownCluster,
// or InvalidError.
func (s *Store) LogPatterns(ctx context.Context, query RangeQuery) ([]LogPatternSum, error) {
	from, to, limit, err := query.bounds(500)
	if err != nil {
		return nil, err
	}
	var sums []LogPatternSum
	err = s.read(ctx, "read the log patterns of "+query.Cluster, func(ctx context.Context, q querier) error {
		rows, err := q.Query(ctx, `
			SELECT pattern_id, service, namespace, task_queue, severity,
				max(pattern), sum(lines)::bigint, min(window_end), max(window_end)
			FROM log_lines
			WHERE cluster_id = $1 AND window_end >= $2 AND window_end < $3
			GROUP BY pattern_key, pattern_id, service, namespace, task_queue, severity
			HAVING sum(lines) > 0
			ORDER BY sum(lines) DESC, pattern_key LIMIT $4`, query.Cluster, from, to, limit)
		if err != nil {
			return err
		}
		if sums, err = pgx.CollectRows(rows, scanLogPattern); err != nil {
			return err
		}
		return requireKnown(ctx, q, query.Cluster, len(sums))
	})
	return sums, err
}

func scanLogPattern(row pgx.CollectableRow) (LogPatternSum, error) {
	var p LogPatternSum
	var namespace, queue, severity string
	err := row.Scan(&p.ID, &p.Service, &namespace, &queue, &severity, &p.Pattern, &p.Lines, &p.FirstAt, &p.LastAt)
	p.Severity = health.LogSeverity(severity)
	if queue != "" {
		p.Queue = health.TaskQueueScope(namespace, queue)
	}
	return p, err
}
