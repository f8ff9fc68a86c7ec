package dsql

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

func TestClusters(t *testing.T) {
	store := newStore(t)
	if err := store.RegisterCluster(t.Context(), "prod", ""); err != nil {
		t.Fatal(err)
	}
	save(t, store, "prod", time.Minute, health.Critical, blind)
	save(t, store, "dev", 0, health.Happy)
	if err := store.RegisterCluster(t.Context(), "prod", "Production, EU"); err != nil {
		t.Fatal(err)
	}
	clusters, err := store.Clusters(t.Context())
	if err != nil || len(clusters) != 2 {
		t.Fatalf("clusters = %v, %v", clusters, err)
	}
	dev, prod := clusters[0], clusters[1]
	if dev.ID != "dev" || dev.Display != "dev" || dev.State != health.Happy || dev.FirstSeen != start {
		t.Errorf("dev = %+v", dev)
	}
	if prod.Display != "Production, EU" || prod.State != health.Critical || !prod.Blind || prod.LastSeen != start.Add(time.Minute) || prod.Since != prod.LastSeen {
		t.Errorf("prod = %+v", prod)
	}
}

func TestRegisterCluster(t *testing.T) {
	store := newStore(t)
	if err := store.RegisterCluster(t.Context(), "prod", ""); err != nil {
		t.Fatal(err)
	}
	clusters, err := store.Clusters(t.Context())
	if err != nil || len(clusters) != 1 {
		t.Fatalf("clusters = %v, %v", clusters, err)
	}
	if c := clusters[0]; c.State != health.Unknown || c.LastSeen != (instant.Instant{}) {
		t.Errorf("a cluster never assessed = %+v", c)
	}
	for _, name := range []string{"", strings.Repeat("x", 200), "a\x00b", "\xff"} {
		var bad *InvalidError
		if err := store.RegisterCluster(t.Context(), name, ""); !errors.As(err, &bad) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
