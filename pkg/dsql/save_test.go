package dsql

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestSaveAndReadBack(t *testing.T) {
	store := newStore(t)
	obs := observation("prod", start, 94)
	a := assessment("prod", start, health.Stressed)
	a.Transition = &health.Transition{From: health.Happy, To: health.Stressed, At: start, Gates: []string{"worker.pollers"}}
	if err := store.Save(t.Context(), obs, a); err != nil {
		t.Fatal(err)
	}

	latest, err := store.Latest(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(latest, a) {
		t.Errorf("latest:\n got %+v\nwant %+v", latest, a)
	}
	latestObs, err := store.LatestObservation(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(latestObs, obs) {
		t.Errorf("latest observation:\n got %+v\nwant %+v", latestObs, obs)
	}
	transitions, err := store.Transitions(t.Context(), "prod", instant.Instant{}, instant.Instant{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(transitions, []health.Transition{*a.Transition}) {
		t.Errorf("transitions = %+v", transitions)
	}
}

func TestSaveIsIdempotent(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	once := rowCounts(t, store)
	for range 3 {
		save(t, store, "prod", 0, health.Happy)
	}
	if again := rowCounts(t, store); !reflect.DeepEqual(again, once) {
		t.Errorf("rows after four saves: %v; after one: %v", again, once)
	}
	// 2 values of the cluster and 2 of task queues; the stale and the missing
	// signal have none.
	if once["signal_samples"] != 4 {
		t.Errorf("samples = %d, want 4", once["signal_samples"])
	}
}

func TestTheFirstSaveOfAnInstantStays(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	save(t, store, "prod", 0, health.Stressed)
	latest, err := store.Latest(t.Context(), "prod")
	if err != nil || latest.State != health.Happy {
		t.Errorf("state = %v (%v), want the happy that was saved first", latest.State, err)
	}
}

// A worker may be killed between the transactions of one save. What it wrote
// until then must neither show nor get in the way.
func TestSaveAfterACrashHalfway(t *testing.T) {
	store := newStore(t)
	store.cfg.MaxSamples = maxMaxSamples
	obs := observation("prod", start, 1)
	for i := range 5000 {
		obs.Measurements[0].Samples = append(obs.Measurements[0].Samples,
			health.Sample{Scope: health.TaskQueueScope("default", fmt.Sprintf("queue-%04d", i)), Value: float64(i)})
	}
	obs.Normalize()
	a := assessment("prod", start, health.Happy)

	prepared, err := store.prepare(obs, a)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := store.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := insertSamples(t.Context(), tx, "prod", start, prepared.samples[:2500]); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	var unknown *ErrUnknownCluster
	if _, err := store.Latest(t.Context(), "prod"); !errors.As(err, &unknown) {
		t.Errorf("half a save shows: %v", err)
	}

	if err := store.Save(t.Context(), obs, a); err != nil {
		t.Fatal(err)
	}
	if got, want := rowCounts(t, store)["signal_samples"], int64(5000+4); got != want {
		t.Errorf("samples = %d, want %d", got, want)
	}
}

func TestConcurrentSaves(t *testing.T) {
	store := newStore(t)
	const instants, repeats = 12, 3
	var wg sync.WaitGroup
	for i := range instants {
		for range repeats {
			wg.Go(func() {
				at := start.Add(time.Duration(i) * 30 * time.Second)
				state := health.Happy
				if i >= instants/2 {
					state = health.Stressed
				}
				if err := store.Save(t.Context(), observation("prod", at, 1), assessment("prod", at, state)); err != nil {
					t.Errorf("save %d: %v", i, err)
				}
			})
		}
	}
	wg.Wait()
	counts := rowCounts(t, store)
	if counts["assessments"] != instants || counts["observations"] != instants || counts["signal_samples"] != 4*instants {
		t.Errorf("rows = %v, want %d assessments and observations and four samples each", counts, instants)
	}
	if counts["state_spans"] != 2 {
		t.Errorf("turns of the timeline = %d, want 2 in whatever order the saves came", counts["state_spans"])
	}
	clusters, err := store.Clusters(t.Context())
	if err != nil || len(clusters) != 1 {
		t.Fatalf("clusters = %v, %v", clusters, err)
	}
	if c := clusters[0]; c.FirstSeen != start || c.LastSeen != start.Add((instants-1)*30*time.Second) || c.State != health.Stressed {
		t.Errorf("cluster = %+v", c)
	}
}

func TestALateSaveLeavesNewerFactsAlone(t *testing.T) {
	store := newStore(t)
	save(t, store, "prod", 0, health.Happy)
	save(t, store, "prod", time.Minute, health.Critical)
	save(t, store, "prod", 30*time.Second, health.Stressed)

	clusters, err := store.Clusters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c := clusters[0]; c.State != health.Critical || c.LastSeen != start.Add(time.Minute) {
		t.Errorf("cluster = %+v, want the newer critical", c)
	}
	latest, err := store.Latest(t.Context(), "prod")
	if err != nil || latest.State != health.Critical {
		t.Errorf("latest = %v, %v", latest.State, err)
	}
	timeline, err := store.Timeline(t.Context(), "prod", start, start.Add(2*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "timeline", inMinutes(timeline), []string{"happy 0-0.5", "stressed 0.5-1", "critical 1-2"})
}

func TestSaveRefuses(t *testing.T) {
	store := newStore(t)
	obs, a := observation("prod", start, 1), assessment("prod", start, health.Happy)
	other := a
	other.Cluster = "dev"
	nan := observation("prod", start, math.NaN())
	nameless, namelessA := obs, a
	nameless.Cluster, namelessA.Cluster = "", ""
	badIssue := a
	badIssue.Issues = []health.Issue{{ID: strings.Repeat("x", 300)}}
	for name, given := range map[string]struct {
		obs  health.Observation
		a    health.Assessment
		says string
	}{
		"another cluster's assessment": {obs, other, "is not of the observation"},
		"not a number":                 {nan, a, "cannot be written as JSON"},
		"no name":                      {nameless, namelessA, "cannot be the name of a cluster"},
		"issue without a usable id":    {obs, badIssue, "cannot be stored"},
	} {
		err := store.Save(t.Context(), given.obs, given.a)
		var bad *InvalidError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), given.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSaveMakesLargeThingsFit(t *testing.T) {
	store := newStore(t)
	obs, a := observation("prod", start, 1), assessment("prod", start, health.Happy)
	for i := range 20_000 {
		obs.Measurements[0].Samples = append(obs.Measurements[0].Samples,
			health.Sample{Scope: health.Scope{Kind: health.KindReplica, Service: "history", Name: fmt.Sprintf("10.0.%d.%d", i/250, i%250)}, Value: 1})
	}
	a.Gates = append(a.Gates, health.Gate{Rule: &health.Rule{ID: "worker.pollers"}, Outcome: health.Fire, Level: health.Critical})
	for i := range 4000 {
		gate := a.Gates[0]
		gate.Scope = health.TaskQueueScope("default", fmt.Sprintf("queue-%d", i))
		gate.Finding = strings.Repeat("all is well here. ", 10)
		a.Gates = append(a.Gates, gate)
	}
	before := len(a.Gates)
	if err := store.Save(t.Context(), obs, a); err != nil {
		t.Fatal(err)
	}
	if len(a.Gates) != before || len(a.Progress.Trend) == 0 || len(obs.Measurements[0].Samples) == 0 {
		t.Error("the caller's own assessment and observation were changed")
	}
	latest, err := store.Latest(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if len(latest.Gates) != 1 || latest.Gates[0].Outcome != health.Fire {
		t.Errorf("%d gates are left, want the one that fired", len(latest.Gates))
	}
	page, err := store.AssessmentSummaries(t.Context(), AssessmentQuery{Cluster: "prod"})
	if err != nil {
		t.Fatal(err)
	}
	if got := page.Summaries[0].Omitted; got != "trends, gates that passed" {
		t.Errorf("omitted = %q", got)
	}
	stored, err := store.LatestObservation(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if m := stored.Signal("backlog_age_sec"); len(m.Samples) != 2 {
		t.Errorf("samples of task queues left = %d, want 2", len(m.Samples))
	}

	a.At, obs.At = start.Add(time.Minute), start.Add(time.Minute)
	a.Explanation.Summary = strings.Repeat("too much ", 150_000)
	var large *TooLargeError
	if err := store.Save(t.Context(), obs, a); !errors.As(err, &large) || strings.Contains(err.Error(), "\n") {
		t.Errorf("an assessment that cannot be made to fit: %v", err)
	}
	if _, err := store.Assessment(t.Context(), "prod", a.At); !errors.Is(err, ErrNotFound) {
		t.Errorf("it was stored all the same: %v", err)
	}
}
