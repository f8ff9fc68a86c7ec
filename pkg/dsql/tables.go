package dsql

import (
	"context"
)

// TableCount says how full a table is.
type TableCount struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	// Estimated means that Rows is the database's own guess, for a table that
	// is too large to be counted.
	Estimated bool `json:"estimated"`
}

// countUpTo is the size beyond which a table is not counted: on DSQL counting a
// big table may take longer than a transaction is allowed to.
const countUpTo = 100_000

// tables are the tables of the schema with the statement that counts their
// rows, which stops where counting becomes slow.
var tables = []struct{ name, count string }{
	{"schema_migrations", `SELECT count(*) FROM (SELECT 1 FROM schema_migrations LIMIT $1) AS counted`},
	{"clusters", `SELECT count(*) FROM (SELECT 1 FROM clusters LIMIT $1) AS counted`},
	{"observations", `SELECT count(*) FROM (SELECT 1 FROM observations LIMIT $1) AS counted`},
	{"signal_samples", `SELECT count(*) FROM (SELECT 1 FROM signal_samples LIMIT $1) AS counted`},
	{"assessments", `SELECT count(*) FROM (SELECT 1 FROM assessments LIMIT $1) AS counted`},
	{"state_transitions", `SELECT count(*) FROM (SELECT 1 FROM state_transitions LIMIT $1) AS counted`},
	{"state_spans", `SELECT count(*) FROM (SELECT 1 FROM state_spans LIMIT $1) AS counted`},
	{"issues", `SELECT count(*) FROM (SELECT 1 FROM issues LIMIT $1) AS counted`},
	{"log_lines", `SELECT count(*) FROM (SELECT 1 FROM log_lines LIMIT $1) AS counted`},
	{"issue_changes", `SELECT count(*) FROM (SELECT 1 FROM issue_changes LIMIT $1) AS counted`},
}

// TableCounts returns the tables with their numbers of rows: exact up to
// 100,000, beyond that as the database estimates them.
func (s *Store) TableCounts(ctx context.Context) ([]TableCount, error) {
	counts := make([]TableCount, 0, len(tables))
	for _, table := range tables {
		count := TableCount{Name: table.name}
		err := s.read(ctx, "count the rows of "+table.name, func(ctx context.Context, q querier) error {
			if err := q.QueryRow(ctx, table.count, countUpTo+1).Scan(&count.Rows); err != nil {
				return err
			}
			if count.Estimated = count.Rows > countUpTo; !count.Estimated {
				return nil
			}
			// The estimate is of the last ANALYZE, or none (-1); what was
			// counted so far is a better guess than that.
			return q.QueryRow(ctx, `
				SELECT greatest(max(reltuples)::bigint, $2::bigint)
				FROM pg_class WHERE relname = $1 AND relkind = 'r' AND pg_table_is_visible(oid)`,
				table.name, countUpTo).Scan(&count.Rows)
		})
		if err != nil {
			return nil, err
		}
		counts = append(counts, count)
	}
	return counts, nil
}
