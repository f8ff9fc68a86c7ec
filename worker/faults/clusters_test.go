//go:build linux

package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/worker/temporaltest"
)

// clustersEnv lists the numbers of clusters to watch, such as 10,100; empty: the
// short form.
const clustersEnv = "COPILOT_CLUSTERS"

// load is what one worker is given to do.
type load struct {
	clusters          int
	interval, settle  time.Duration
	measured, patient time.Duration
}

// One worker process watches many clusters. None of their ticks is lost, and
// what it costs is measured.
func TestClusters(t *testing.T) {
	t.Parallel()
	loads := []load{{clusters: 3, interval: interval, measured: 3 * interval, patient: patience}}
	if list := os.Getenv(clustersEnv); list != "" {
		loads = nil
		for _, number := range strings.Split(list, ",") {
			n, err := strconv.Atoi(number)
			if err != nil || n < 1 {
				t.Fatalf("%s is %q; list numbers of clusters, such as 10,100", clustersEnv, list)
			}
			loads = append(loads, load{
				clusters: n, interval: 30 * time.Second, settle: 5 * time.Second, measured: 3 * time.Minute, patient: 15 * time.Minute,
			})
		}
	}
	p := open(t)
	var scales []Scale
	for _, l := range loads {
		t.Run(fmt.Sprint(l.clusters), func(t *testing.T) { scales = append(scales, measure(t, p, l)) })
	}
	if document := os.Getenv(documentEnv); document != "" && !t.Failed() {
		if err := writePart(document, clustersPart, scalesTable(scales)); err != nil {
			t.Fatal(err)
		}
	}
}

// measure has one worker watch a number of clusters, all of which show the same
// metrics, and measures what that takes.
func measure(t *testing.T, p *place, l load) Scale {
	t.Helper()
	url := postgrestest.NewDatabase(t)
	if out, err := exec.CommandContext(t.Context(), p.program, "db", "setup-schema", "--database-url", url).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	database, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close(context.Background()) })
	count := func(sql string, arguments ...any) int {
		var n int
		if err := database.QueryRow(t.Context(), sql, arguments...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	metrics := httptest.NewServer(p.player)
	t.Cleanup(metrics.Close)
	listen := temporaltest.FreeAddress(t)
	var config strings.Builder
	fmt.Fprintf(&config, "temporal: {address: %q, task_queue: clusters-%d}\nlisten: %q\nobserve: {interval: %s, settle: %s, warm_up: 0s}\nclusters:\n",
		p.temporal.Address, l.clusters, listen, l.interval, l.settle)
	for i := range l.clusters {
		fmt.Fprintf(&config, "  - {name: c%d-%d, prometheus: {url: %q, selector: '%s'}}\n", l.clusters, i, metrics.URL, p.selector)
	}
	file := filepath.Join(t.TempDir(), "copilot.yaml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(p.program, "worker", "--config", file, "--start-timeout", l.patient.String())
	cmd.Env = append(os.Environ(), "COPILOT_DATABASE_URL="+url)
	one := run(t, fmt.Sprintf("the worker of %d clusters", l.clusters), cmd)
	within(t, l.patient, "every cluster has a verdict", func() bool {
		return count(`SELECT count(DISTINCT cluster_id) FROM assessments`) == l.clusters
	})

	begin := instant.System.Now().Truncate(l.interval).Add(l.interval)
	end := begin.Add(l.measured.Truncate(l.interval))
	pause(t.Context(), begin.Sub(instant.System.Now()))
	before, watch := spent(t, cmd.Process.Pid), instant.StartStopwatch()
	var lags []time.Duration
	for instant.System.Now().Before(end) {
		pause(t.Context(), min(l.interval, 5*time.Second))
		lags = append(lags, recordLags(t, listen)...)
	}
	used, took := spent(t, cmd.Process.Pid)-before, watch.Elapsed()
	s := Scale{
		Clusters: l.clusters, Interval: l.interval, Measured: took,
		Expected:          l.clusters * int(end.Sub(begin)/l.interval),
		Processor:         used.Seconds() / took.Seconds(),
		MemoryMiB:         memory(t, cmd.Process.Pid, "VmRSS"),
		MostMiB:           memory(t, cmd.Process.Pid, "VmHWM"),
		MachineProcessors: runtime.NumCPU(),
		MachineLoad:       machineLoad(t),
	}
	within(t, l.patient, "every tick that was due is stored", func() bool {
		s.Stored = count(`SELECT count(*) FROM assessments WHERE observed_at >= $1 AND observed_at < $2`, begin.Time(), end.Time())
		return s.Stored >= s.Expected
	})
	one.stop()
	if s.Stored > s.Expected {
		t.Errorf("%d ticks are stored of %d that there were", s.Stored, s.Expected)
	}
	slices.Sort(lags)
	if len(lags) > 0 {
		s.LagMedian, s.LagMost = lags[len(lags)/2], lags[len(lags)-1]
	}
	t.Logf("%+v", s)
	return s
}

// recordLags reads from a worker's own metrics how old the ticks were that it
// stored last, one a cluster.
func recordLags(t *testing.T, address string) []time.Duration {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var lags []time.Duration
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "copilot_record_lag_seconds{") {
			continue
		}
		_, value, _ := strings.Cut(lines.Text(), "} ")
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		lags = append(lags, time.Duration(seconds*float64(time.Second)))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return lags
}

// spent is the processor time that a process has used.
func spent(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// The name in brackets may hold spaces; utime and stime are fields 14 and 15,
	// in hundredths of a second on every Linux.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	system, more := strconv.Atoi(fields[12])
	if err := errors.Join(err, more); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory reads a figure of a process' memory, in MiB.
func memory(t *testing.T, pid int, name string) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), name+":")
	kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes / 1024
}

// machineLoad is the machine's load average over the last minute.
func machineLoad(t *testing.T) string {
	t.Helper()
	average, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(average))[0]
}
