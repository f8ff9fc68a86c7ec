package dsql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Page sizes of lists of assessments. A whole assessment is some 10 to 100 KB,
// a summary some hundred bytes.
const (
	defaultPage     = 50
	maxPage         = 200
	maxSummaryPage  = 5000
	maxSummaryBytes = 4096
)

// AssessmentID returns the id of the assessment of a cluster at an instant, a
// UUID of version 8 (RFC 9562): the Unix time in milliseconds, then a digest of
// the cluster's name and the instant. The same assessment therefore has the
// same id whoever stores it, ids sort by time, and one can be found by its id
// without an index of ids.
func AssessmentID(cluster string, at instant.Instant) string {
	digest := sha256.Sum256([]byte(at.String() + "\x00" + cluster))
	id := digest[:16]
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (8 * (5 - i)))
	}
	id[6] = id[6]&0x0f | 0x80 // version 8
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	return formatUUID(id)
}

func formatUUID(id []byte) string {
	text := hex.EncodeToString(id)
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// timeOfID reads the millisecond out of an id made by AssessmentID.
func timeOfID(id string) (instant.Instant, error) {
	bad := invalid("%q is not the id of an assessment; ids look like %s", id, AssessmentID("example", instant.FromUnix(0)))
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(raw) != 16 || raw[6]>>4 != 8 || formatUUID(raw) != strings.ToLower(id) {
		return instant.Instant{}, bad
	}
	var ms int64
	for _, b := range raw[:6] {
		ms = ms<<8 | int64(b)
	}
	return instant.FromUnixMilli(ms), nil
}

// assessmentPayload writes an assessment as JSON, without the lines of patterns by
// window, which are rows of their own. One that is too large loses first the
// trends, then the gates that passed, then the gates that could not
// decide; state, evidence, scopes and issues stay.
func assessmentPayload(a health.Assessment) (payload, error) {
	if a.Logs != nil {
		logs := *a.Logs
		logs.Counts, a.Logs = nil, &logs
	}
	return fit(nameOf("assessment", a.Cluster, a.At), &a,
		reduction{"trends", func() {
			a.Progress.Trend = nil
			a.Scopes = slices.Clone(a.Scopes)
			for i := range a.Scopes {
				a.Scopes[i].Progress.Trend = nil
			}
		}},
		reduction{"gates that passed", func() { a.Gates = withoutGates(a.Gates, health.Pass) }},
		reduction{"gates without an answer", func() { a.Gates = withoutGates(a.Gates, health.Undecided) }},
	)
}

func withoutGates(gates []health.Gate, outcome health.Outcome) []health.Gate {
	return slices.DeleteFunc(slices.Clone(gates), func(g health.Gate) bool { return g.Outcome == outcome })
}

func isAssessed(ctx context.Context, tx pgx.Tx, cluster string, at instant.Instant) (bool, error) {
	var found bool
	err := tx.QueryRow(ctx, `SELECT true FROM assessments WHERE cluster_id = $1 AND observed_at = $2`, cluster, at).Scan(&found)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return found, err
}

func insertAssessment(ctx context.Context, tx pgx.Tx, a *health.Assessment, document payload) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO assessments (cluster_id, observed_at, id, state, raw_state, since, confidence, coverage,
			blind, bottleneck, summary, omitted, payload)
		VALUES ($1, $2, $3::text::uuid, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		a.Cluster, a.At, AssessmentID(a.Cluster, a.At), a.State.String(), a.Raw.String(), a.Since, a.Confidence, a.Coverage,
		a.Blind, string(a.Bottleneck), text(a.Explanation.Summary, maxSummaryBytes), document.Omitted, document.JSON)
	return err
}

// Latest returns the newest assessment of a cluster. Its error is
// ErrUnknownCluster, or ErrNotFound when there is none yet.
func (s *Store) Latest(ctx context.Context, cluster string) (health.Assessment, error) {
	return s.assessment(ctx, cluster, `
		SELECT payload FROM assessments
		WHERE cluster_id = $1
		ORDER BY observed_at DESC LIMIT 1`, cluster)
}

// Assessment returns the assessment of a cluster at exactly that instant. Its
// error is ErrUnknownCluster or ErrNotFound.
func (s *Store) Assessment(ctx context.Context, cluster string, at instant.Instant) (health.Assessment, error) {
	return s.assessment(ctx, cluster, `
		SELECT payload FROM assessments
		WHERE cluster_id = $1 AND observed_at = $2`, cluster, at)
}

func (s *Store) assessment(ctx context.Context, cluster, sql string, args ...any) (health.Assessment, error) {
	var a health.Assessment
	err := s.read(ctx, "read an assessment of "+cluster, func(ctx context.Context, q querier) (err error) {
		a, err = decodeOne[health.Assessment](ctx, q, cluster, sql, args...)
		return err
	})
	return a, err
}

// AssessmentByID returns the assessment with that id, of whichever cluster. Its
// error is ErrNotFound, or InvalidError for a text that is no such id.
func (s *Store) AssessmentByID(ctx context.Context, id string) (health.Assessment, error) {
	at, err := timeOfID(id)
	if err != nil {
		return health.Assessment{}, err
	}
	var a health.Assessment
	err = s.read(ctx, "read assessment "+id, func(ctx context.Context, q querier) error {
		var document string
		// One look at the key of each cluster, at the millisecond of the id.
		err := q.QueryRow(ctx, `
			SELECT a.payload
			FROM clusters c
			JOIN assessments a ON a.cluster_id = c.cluster_id AND a.observed_at >= $2 AND a.observed_at < $3
			WHERE a.id = $1::text::uuid`, id, at, at.Add(time.Millisecond)).Scan(&document)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("assessment %s: %w", id, ErrNotFound)
		}
		if err != nil {
			return err
		}
		a, err = decode[health.Assessment](document)
		return err
	})
	return a, err
}

// AssessmentQuery asks for the assessments of a cluster. A page has 50 if Limit
// is 0, and at most 200 assessments or 5,000 summaries.
type AssessmentQuery = RangeQuery

// AssessmentPage is a part of a list of assessments, newest first.
type AssessmentPage struct {
	Assessments []health.Assessment
	// Next is the cursor of the page after this one; empty on the last.
	Next string
}

// AssessmentSummary is an assessment without what it rests on.
type AssessmentSummary struct {
	ID         string            `json:"id"`
	Cluster    string            `json:"cluster"`
	At         instant.Instant   `json:"observed_at"`
	State      health.State      `json:"health_state"`
	Raw        health.State      `json:"raw_state"`
	Since      instant.Instant   `json:"since"`
	Confidence float64           `json:"confidence"`
	Coverage   float64           `json:"coverage"`
	Blind      bool              `json:"blind"`
	Bottleneck health.Bottleneck `json:"bottleneck"`
	Summary    string            `json:"summary"`
	// Omitted says what was left out of the stored assessment because it was
	// too large, such as "trends"; empty if it is whole.
	Omitted string `json:"omitted,omitempty"`
}

// SummaryPage is a part of a list of summaries, newest first.
type SummaryPage struct {
	Summaries []AssessmentSummary
	// Next is the cursor of the page after this one; empty on the last.
	Next string
}

// Assessments returns whole assessments, newest first. Its error is
// ErrUnknownCluster, or InvalidError for a cursor that is not one.
func (s *Store) Assessments(ctx context.Context, query AssessmentQuery) (AssessmentPage, error) {
	from, to, limit, err := query.bounds(maxPage)
	if err != nil {
		return AssessmentPage{}, err
	}
	var page AssessmentPage
	err = s.read(ctx, "list assessments of "+query.Cluster, func(ctx context.Context, q querier) error {
		page = AssessmentPage{}
		rows, err := q.Query(ctx, `
			SELECT payload FROM assessments
			WHERE cluster_id = $1 AND observed_at >= $2 AND observed_at < $3
			ORDER BY observed_at DESC LIMIT $4`, query.Cluster, from, to, limit+1)
		if err != nil {
			return err
		}
		page.Assessments, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (health.Assessment, error) {
			var document string
			if err := row.Scan(&document); err != nil {
				return health.Assessment{}, err
			}
			return decode[health.Assessment](document)
		})
		if err != nil {
			return err
		}
		return requireKnown(ctx, q, query.Cluster, len(page.Assessments))
	})
	if err != nil {
		return AssessmentPage{}, err
	}
	page.Assessments, page.Next = cut(page.Assessments, limit, func(a *health.Assessment) instant.Instant { return a.At })
	return page, nil
}

// AssessmentSummaries returns the same list without what the assessments rest
// on, which is what a listing needs. Its errors are those of Assessments.
func (s *Store) AssessmentSummaries(ctx context.Context, query AssessmentQuery) (SummaryPage, error) {
	from, to, limit, err := query.bounds(maxSummaryPage)
	if err != nil {
		return SummaryPage{}, err
	}
	var page SummaryPage
	err = s.read(ctx, "list assessments of "+query.Cluster, func(ctx context.Context, q querier) error {
		page = SummaryPage{}
		rows, err := q.Query(ctx, `
			SELECT id::text, cluster_id, observed_at, state, raw_state, since, confidence, coverage, blind, bottleneck, summary, omitted
			FROM assessments
			WHERE cluster_id = $1 AND observed_at >= $2 AND observed_at < $3
			ORDER BY observed_at DESC LIMIT $4`, query.Cluster, from, to, limit+1)
		if err != nil {
			return err
		}
		page.Summaries, err = pgx.CollectRows(rows, scanSummary)
		if err != nil {
			return err
		}
		return requireKnown(ctx, q, query.Cluster, len(page.Summaries))
	})
	if err != nil {
		return SummaryPage{}, err
	}
	page.Summaries, page.Next = cut(page.Summaries, limit, func(a *AssessmentSummary) instant.Instant { return a.At })
	return page, nil
}

func scanSummary(row pgx.CollectableRow) (AssessmentSummary, error) {
	var a AssessmentSummary
	var state, raw, bottleneck string
	err := row.Scan(&a.ID, &a.Cluster, &a.At, &state, &raw, &a.Since, &a.Confidence, &a.Coverage, &a.Blind, &bottleneck, &a.Summary, &a.Omitted)
	if err != nil {
		return a, err
	}
	a.Bottleneck = health.Bottleneck(bottleneck)
	if a.State, err = health.ParseState(state); err != nil {
		return a, err
	}
	a.Raw, err = health.ParseState(raw)
	return a, err
}
