package dsql

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Limits of the database, with room to spare: DSQL takes 3,000 rows and 10 MiB
// a transaction, one MiB a column and one KiB a key.
const (
	rowsPerTransaction = 2500
	maxPayload         = 1<<20 - 1024
	maxClusterName     = 128
	maxIssueID         = 256
)

// reservedRows is what the last transaction of a save needs beside samples and
// the issues of the assessment: observation, assessment, transition, cluster,
// two turns of the timeline, and the issues that end. An issue takes two rows,
// itself and what happened to it.
const reservedRows = 500

// Save stores an observation and the assessment that was made of it: both
// whole, the signals as time series, the state transition, the issues, the lines
// counted in the logs, and the cluster's last state. It may be repeated, also by several callers at once:
// what is stored under a cluster and an instant stays as it was first written,
// and a save that comes after a newer one fills its place in the record
// without touching what is newer.
//
// All is written in one transaction, the assessment included, so that there is
// no assessment without what it rests on. Samples beyond the rows that a
// transaction may have go before it in transactions of their own.
func (s *Store) Save(ctx context.Context, obs health.Observation, a health.Assessment) error {
	prepared, err := s.prepare(obs, a)
	if err != nil {
		return err
	}
	what := "save the observation of " + a.Cluster + " at " + a.At.String()
	samples := prepared.samples
	room := max(0, rowsPerTransaction-reservedRows-2*len(a.Issues)-logLines(&a))
	for len(samples) > room {
		batch := samples[:min(len(samples), rowsPerTransaction)]
		samples = samples[len(batch):]
		err := s.write(ctx, what, func(ctx context.Context, tx pgx.Tx) error {
			return insertSamples(ctx, tx, a.Cluster, a.At, batch)
		})
		if err != nil {
			return err
		}
	}
	return s.write(ctx, what, func(ctx context.Context, tx pgx.Tx) error {
		last, err := lockCluster(ctx, tx, a.Cluster)
		if err != nil {
			return err
		}
		// Under the lock of the cluster's row, what is not there yet cannot
		// appear before this transaction ends.
		if saved, err := isAssessed(ctx, tx, a.Cluster, a.At); err != nil {
			return err
		} else if saved {
			return errNothingToDo
		}
		isNewest := last.LastSeen.IsZero() || a.At.After(last.LastSeen)
		if err := updateSpans(ctx, tx, &a); err != nil {
			return err
		}
		if err := saveIssues(ctx, tx, &a, isNewest); err != nil {
			return err
		}
		if err := insertObservation(ctx, tx, &prepared.observation); err != nil {
			return err
		}
		if err := insertSamples(ctx, tx, a.Cluster, a.At, samples); err != nil {
			return err
		}
		if err := insertAssessment(ctx, tx, &a, prepared.assessment); err != nil {
			return err
		}
		if err := insertTransition(ctx, tx, &a); err != nil {
			return err
		}
		if err := insertLogLines(ctx, tx, &a); err != nil {
			return err
		}
		return updateCluster(ctx, tx, &a, last, isNewest)
	})
}

// prepared is a save as rows: made once, however often it is tried.
type prepared struct {
	observation observationRow
	samples     []sampleRow
	assessment  payload
}

// payload is a JSON document that fits a column.
type payload struct {
	JSON string
	// Omitted says in words what was left out to make it fit; empty if
	// nothing was.
	Omitted string
}

func (s *Store) prepare(obs health.Observation, a health.Assessment) (*prepared, error) {
	switch {
	case a.Cluster != obs.Cluster || a.At != obs.At:
		return nil, invalid("the assessment (of %q at %s) is not of the observation (of %q at %s)", a.Cluster, a.At, obs.Cluster, obs.At)
	case a.At.IsZero():
		return nil, invalid("the assessment of cluster %q has no time", a.Cluster)
	}
	if err := checkClusterName(a.Cluster); err != nil {
		return nil, err
	}
	for i := range a.Issues {
		if id := a.Issues[i].ID; id == "" || len(id) > maxIssueID || !storable(id) {
			return nil, invalid("the issue id %q cannot be stored: 1 to %d bytes of text are allowed", id, maxIssueID)
		}
	}
	observation, err := newObservationRow(&obs)
	if err != nil {
		return nil, err
	}
	assessment, err := assessmentPayload(a)
	if err != nil {
		return nil, err
	}
	return &prepared{observation: observation, samples: sampleRows(&obs, s.cfg.MaxSamples), assessment: assessment}, nil
}

// checkClusterName reports a name that cannot be part of a key.
func checkClusterName(name string) error {
	if name == "" || len(name) > maxClusterName || !storable(name) {
		return invalid("%q cannot be the name of a cluster: 1 to %d bytes of text are allowed", name, maxClusterName)
	}
	return nil
}

// storable tells whether a text column can hold s as it is.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// text makes s fit a text column for people: what cannot be stored is dropped,
// what is too long is cut.
func text(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// reduction makes a document smaller by leaving something out.
type reduction struct {
	what  string // what is left out, in words
	apply func()
}

// fit writes v as JSON. While it is too large for a column, the reductions are
// applied in order; what was left out is told beside it.
func fit(what string, v any, reductions ...reduction) (payload, error) {
	var omitted []string
	for {
		document, err := json.Marshal(v)
		if err != nil {
			return payload{}, invalid("%s cannot be written as JSON: %v", what, err)
		}
		if len(document) <= maxPayload {
			return payload{JSON: string(document), Omitted: strings.Join(omitted, ", ")}, nil
		}
		if len(omitted) == len(reductions) {
			return payload{}, &TooLargeError{What: what, Bytes: len(document), Limit: maxPayload}
		}
		next := reductions[len(omitted)]
		next.apply()
		omitted = append(omitted, next.what)
	}
}

// nameOf says which row an error is about.
func nameOf(kind, cluster string, at instant.Instant) string {
	return "the " + kind + " of " + cluster + " at " + at.String()
}
