package temporaltest

import (
	"os"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// TestServe keeps a server running for as long as COPILOT_SERVE_TEMPORAL says,
// such as 5m, and tells its address: to record histories on, for example. It is
// skipped without.
func TestServe(t *testing.T) {
	keep, err := time.ParseDuration(os.Getenv("COPILOT_SERVE_TEMPORAL"))
	if err != nil {
		t.Skip("COPILOT_SERVE_TEMPORAL says no duration")
	}
	t.Logf("COPILOT_RECORD_ON=%s", Start(t))
	select {
	case <-time.After(keep):
	case <-t.Context().Done():
	}
}
