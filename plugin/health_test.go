package main

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestCheckHealthTellsWhatToDo(t *testing.T) {
	const target = "PostgreSQL at db:5432 (database copilot, user reader)"
	seen := func(id string, before time.Duration, state health.State, blind bool) dsql.Cluster {
		return dsql.Cluster{ID: id, Display: id, LastSeen: noon.Add(-before), State: state, Blind: blind}
	}
	for _, test := range []struct {
		name    string
		change  func(*fakeStore)
		status  backend.HealthStatus
		reason  reason
		message string
	}{
		{
			"the store is away",
			func(f *fakeStore) { f.pingErr = errStoreAway },
			backend.HealthStatusError, reasonStore,
			"Cannot connect to PostgreSQL at db:5432: nothing listens there.",
		},
		{
			"the schema cannot be read",
			func(f *fakeStore) { f.schemaErr = errors.New("the role reader may not") },
			backend.HealthStatusError, reasonStore,
			"The role reader may not.",
		},
		{
			"no schema",
			func(f *fakeStore) { f.schema = dsql.SchemaStatus{Wanted: 8, Known: true} },
			backend.HealthStatusError, reasonSchema,
			target + " answers, but holds no copilot schema: check the database's name, or run: copilot db setup-schema.",
		},
		{
			"half a schema",
			func(f *fakeStore) { f.schema.Current = 3 },
			backend.HealthStatusError, reasonSchema,
			target + " has an incomplete schema, version 3 of 8: run: copilot db setup-schema.",
		},
		{
			"a newer schema",
			func(f *fakeStore) { f.schema.Known = false },
			backend.HealthStatusError, reasonSchema,
			target + " has a newer schema than this plugin knows (version 8): update the plugin.",
		},
		{
			"a session that may write",
			func(f *fakeStore) { f.writable = true },
			backend.HealthStatusError, reasonWritable,
			target + " does not hold this data source to reading; perhaps a connection pooler drops the setting, then run: ALTER ROLE … SET default_transaction_read_only = on.",
		},
		{
			"the clusters cannot be read",
			func(f *fakeStore) { f.err = errStoreAway },
			backend.HealthStatusError, reasonStore,
			"Cannot connect to PostgreSQL at db:5432: nothing listens there.",
		},
		{
			"no cluster yet",
			func(f *fakeStore) { f.clusters = nil },
			backend.HealthStatusError, reasonEmpty,
			target + ` is ready, but no cluster has been observed yet: start "copilot worker" with this store.`,
		},
		{
			"a cluster that is registered only",
			func(f *fakeStore) { f.clusters = []dsql.Cluster{{ID: "prod"}} },
			backend.HealthStatusError, reasonEmpty,
			target + ` is ready, but no cluster has been observed yet: start "copilot worker" with this store.`,
		},
		{
			"nobody observes any more",
			func(f *fakeStore) {
				f.clusters = []dsql.Cluster{seen("prod", 3*time.Hour, health.Happy, false), {ID: "test"}}
			},
			backend.HealthStatusError, reasonStale,
			target + ` is ready, but nobody observes any more (prod not assessed for 3 h; test not assessed yet): check that "copilot worker" runs.`,
		},
		{
			"all is well",
			func(*fakeStore) {},
			backend.HealthStatusOk, reasonOK,
			"Connected to " + target + "; prod is stressed, assessed 30 s ago.",
		},
		{
			"one of two is observed",
			func(f *fakeStore) {
				f.clusters = []dsql.Cluster{seen("a", 6*time.Minute, health.Happy, false), seen("b", -time.Second, health.Critical, true)}
			},
			backend.HealthStatusOk, reasonOK,
			"Connected to " + target + "; a not assessed for 6 min; b is critical (blind), assessed 0 s ago.",
		},
		{
			"more clusters than fit on a line",
			func(f *fakeStore) {
				f.clusters = nil
				for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
					f.clusters = append(f.clusters, seen(id, 30*time.Second, health.Unknown, false))
				}
			},
			backend.HealthStatusOk, reasonOK,
			"Connected to " + target + "; a is not known, assessed 30 s ago; b is not known, assessed 30 s ago; c is not known, assessed 30 s ago; d is not known, assessed 30 s ago; e is not known, assessed 30 s ago; and 2 more.",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			st := goodStore()
			test.change(st)
			result, err := sourceOf(st).CheckHealth(t.Context(), &backend.CheckHealthRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if result.Status != test.status || result.Message != test.message {
				t.Errorf("got  %s %q\nwant %s %q", result.Status, result.Message, test.status, test.message)
			}
			var details struct{ Reason reason }
			if err := json.Unmarshal(result.JSONDetails, &details); err != nil || details.Reason != test.reason {
				t.Errorf("reason %q (%v), expected %q", details.Reason, err, test.reason)
			}
		})
	}
}

func TestCheckHealthLooksAtTheSettingsFirst(t *testing.T) {
	_, wrong := load(`{"host":"db"}`, "")
	s := newSource(wrong, instant.Fixed(noon), func(context.Context) (store, error) {
		t.Error("the store was opened")
		return nil, errStoreAway
	})
	result, err := s.CheckHealth(t.Context(), &backend.CheckHealthRequest{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `The data source's settings are wrong: setting "user" is empty: enter the database role to read as.`
	if result.Status != backend.HealthStatusError || result.Message != want {
		t.Errorf("got %s %q", result.Status, result.Message)
	}
	// Queries say the same, and do not call it the plugin's fault.
	wantFailure(t, ask(t, s, query(t, "status", nil)), backend.StatusBadRequest,
		`the data source's settings are wrong: setting "user" is empty: enter the database role to read as`)
}

func TestCheckHealthSaysWhyTheStoreCannotBeOpened(t *testing.T) {
	s := newSource(nil, instant.Fixed(noon), func(context.Context) (store, error) {
		return nil, errors.New("the region of the DSQL endpoint is not known")
	})
	result, err := s.CheckHealth(t.Context(), &backend.CheckHealthRequest{})
	if err != nil || result.Message != "The region of the DSQL endpoint is not known." {
		t.Errorf("got %v, %v", result, err)
	}
}
