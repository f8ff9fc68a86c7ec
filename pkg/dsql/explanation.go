package dsql

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// SaveExplanation replaces the explanation of an assessment that is stored
// already, for an explainer that answers after the verdict was kept. Nothing
// else of the assessment changes. It may be repeated; of several callers at once
// one is the last and its words stay. The error is ErrNotFound when the cluster
// has no assessment of that id, InvalidError for a text that is no such id, or
// TooLargeError.
func (s *Store) SaveExplanation(ctx context.Context, cluster, assessmentID string, e health.Explanation) error {
	at, err := timeOfID(assessmentID)
	if err != nil {
		return err
	}
	if err := checkClusterName(cluster); err != nil {
		return err
	}
	return s.write(ctx, "save the explanation of assessment "+assessmentID, func(ctx context.Context, tx pgx.Tx) error {
		stored, err := findAssessment(ctx, tx, cluster, assessmentID, at)
		if err != nil {
			return err
		}
		a := stored.assessment
		if same, err := sameJSON(a.Explanation, e); err != nil || same {
			return cmp.Or(err, errNothingToDo)
		}
		a.Explanation = e
		document, err := assessmentPayload(a)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE assessments SET summary = $4, omitted = $5, payload = $6, version = $3 + 1
			WHERE cluster_id = $1 AND observed_at = $2 AND coalesce(version, 0) = $3`,
			cluster, a.At, stored.version, text(e.Summary, maxSummaryBytes), longer(stored.omitted, document.Omitted), document.JSON)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return errConflict
		}
		return nil
	})
}

// storedAssessment is an assessment with what the store keeps beside it.
type storedAssessment struct {
	assessment health.Assessment
	omitted    string
	version    int64
}

// findAssessment reads an assessment to be changed. The instant is that of its
// id, which tells milliseconds.
func findAssessment(ctx context.Context, tx pgx.Tx, cluster, id string, at instant.Instant) (storedAssessment, error) {
	var stored storedAssessment
	var document string
	err := tx.QueryRow(ctx, `
		SELECT payload, omitted, coalesce(version, 0) FROM assessments
		WHERE cluster_id = $1 AND observed_at >= $2 AND observed_at < $3 AND id = $4::text::uuid`,
		cluster, at, at.Add(time.Millisecond), id).Scan(&document, &stored.omitted, &stored.version)
	if errors.Is(err, pgx.ErrNoRows) {
		return stored, fmt.Errorf("assessment %s of cluster %s: %w", id, cluster, ErrNotFound)
	}
	if err != nil {
		return stored, err
	}
	stored.assessment, err = decode[health.Assessment](document)
	return stored, err
}

// sameJSON tells whether two values are stored as the same document.
func sameJSON(a, b any) (bool, error) {
	first, err := json.Marshal(a)
	if err != nil {
		return false, err
	}
	second, err := json.Marshal(b)
	return bytes.Equal(first, second), err
}

// longer returns the longer of two lists of what was left out. What is left out
// of an assessment goes in a fixed order, so the longer one holds the other.
func longer(before, now string) string {
	if len(now) > len(before) {
		return now
	}
	return before
}
