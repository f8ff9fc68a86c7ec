package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/temporal-sre/copilot/lab/control"
	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/loki/lokitest"
	"github.com/temporal-sre/copilot/lab/prometheus"
	"github.com/temporal-sre/copilot/lab/workload"
	"github.com/temporal-sre/copilot/pkg/dsql/postgrestest"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// patience is how long is waited for what takes seconds on an idle machine.
const patience = 3 * time.Minute

// asLabEnv makes the test program be the lab command, for the lab itself and
// for all its children.
const asLabEnv = "LAB_TEST_AS_LAB"

func TestMain(m *testing.M) {
	if os.Getenv(asLabEnv) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// testLab is a lab that runs as a process of its own, as users run it.
type testLab struct {
	t       *testing.T
	process *exec.Cmd
	exited  chan struct{} // closed when the process has ended
	output  *bytes.Buffer
	home    string // holds its temporary files, state file and cache
	file    string
	state   control.State
}

// startLab runs "lab up" and waits until it says that it is up.
func startLab(t *testing.T, flags ...string) *testLab {
	t.Helper()
	for what, err := range map[string]error{"PostgreSQL": findPostgres(t), "Prometheus": findPrometheus()} {
		if err != nil {
			t.Fatalf("this test needs a real %s: %v", what, err)
		}
	}
	// Not t.TempDir: that is private to root, and PostgreSQL runs as another
	// user then.
	home, err := os.MkdirTemp("", "lab-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })

	l := &testLab{t: t, home: home, file: filepath.Join(home, "lab.json"), output: new(bytes.Buffer), exited: make(chan struct{})}
	l.process = exec.Command(os.Args[0], append([]string{"up", "--state", l.file}, flags...)...)
	l.process.Env = append(os.Environ(), asLabEnv+"=1", "TMPDIR="+l.temporary(), "XDG_CACHE_HOME="+filepath.Join(home, "cache"))
	l.process.Stdout, l.process.Stderr = l.output, l.output
	if err := os.Mkdir(l.temporary(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := l.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = l.process.Wait()
		close(l.exited)
	}()
	t.Cleanup(func() {
		_ = l.process.Process.Kill()
		<-l.exited
		if t.Failed() {
			t.Logf("the lab said:\n%s", l.output)
		}
	})
	eventually(t, "the lab's state file", func() error {
		select {
		case <-l.exited:
			t.Fatalf("the lab ended at once (%v)", l.process.ProcessState)
		default:
		}
		l.state, err = control.ReadFile(l.file)
		return err
	})
	return l
}

func findPostgres(t *testing.T) error {
	_, err := postgrestest.FindBinaries(t.Context())
	return err
}

func findPrometheus() error {
	_, err := prometheus.Find("")
	return err
}

func (l *testLab) temporary() string { return filepath.Join(l.home, "tmp") }

// value asks the lab's Prometheus for the value of a query that yields one.
func (l *testLab) value(query string) (float64, error) {
	browser := http.Client{Timeout: 5 * time.Second}
	response, err := browser.Get(l.state.Prometheus.URL + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) != 1 {
		return 0, fmt.Errorf("%s: %d series, want 1", query, len(answer.Data.Result))
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	return strconv.ParseFloat(text, 64)
}

// becomes waits until a query's value is as wanted.
func (l *testLab) becomes(query, wanted string, is func(float64) bool) {
	l.t.Helper()
	eventually(l.t, query+" "+wanted, func() error {
		value, err := l.value(query)
		if err == nil && !is(value) {
			err = fmt.Errorf("it is %v", value)
		}
		return err
	})
}

func positive(value float64) bool { return value > 0 }
func zero(value float64) bool     { return value == 0 }

// eventually tries until try succeeds.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.After(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("waited %v for %s: %v", patience, what, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// descendants lists the processes that a process has started, and those that
// they have started.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		t.Fatal(err)
	}
	children := map[int][]int{}
	for line := range strings.Lines(string(out)) {
		var child, parent int
		if _, err := fmt.Sscan(line, &child, &parent); err != nil {
			t.Fatalf("ps said %q: %v", line, err)
		}
		children[parent] = append(children[parent], child)
	}
	found := []int{}
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		found = append(found, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return found
}

// gone fails while one of the processes runs. A zombie does not: where no init
// process reaps orphans it stays for ever.
func gone(pids []int) error {
	for _, pid := range pids {
		out, err := exec.Command("ps", "-o", "stat=,args=", "-p", strconv.Itoa(pid)).Output()
		if err == nil && !strings.HasPrefix(string(out), "Z") {
			return fmt.Errorf("process %d still runs: %s", pid, out)
		}
	}
	return nil
}

// call runs a command line of the lab command in this process.
func (l *testLab) call(args ...string) {
	l.t.Helper()
	if code := run(append(args, "--control", l.state.Control.URL)); code != 0 {
		l.t.Fatalf("lab %s: exit code %d", strings.Join(args, " "), code)
	}
}

func TestLabWorksBreaksAndEnds(t *testing.T) {
	flags := []string{"--scrape-interval", "1s", "--second-temporal", "--rate", "20"}
	_, withoutLoki := loki.Find("")
	if withoutLoki != nil {
		t.Logf("runs without a Loki: %v", withoutLoki)
	} else {
		flags = append(flags, "--loki", "--log-format", "console")
	}
	lab := startLab(t, flags...)

	connection, err := client.Dial(client.Options{HostPort: lab.state.Temporal.Address, Namespace: lab.state.Temporal.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	order, err := connection.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: workload.Orders}, workload.PlaceOrder, workload.Job{})
	if err != nil {
		t.Fatal(err)
	}
	if err := order.Get(ctx, nil); err != nil {
		t.Fatalf("an order did not complete: %v", err)
	}

	lab.becomes(`sum(state_transition_count_count{cluster="lab",job="temporal-server"})`, "counts", positive)
	lab.becomes(`sum(temporal_workflow_completed_total{job="temporal-worker",task_queue="orders"})`, "counts", positive)
	lab.becomes(`count(up{cluster="lab"} == 1)`, "is one server and four workers", func(v float64) bool { return v == 5 })

	billing := `sum(pending_polls{taskqueue="billing",namespace="default"})`
	lab.becomes(billing, "is above 0", positive)
	lab.call("workers", "stop", "--queue", "billing")
	lab.becomes(billing, "is 0 without workers", zero)
	lab.becomes(`sum(pending_polls{taskqueue="orders",namespace="default"})`, "is not touched by that", positive)
	lab.call("workers", "start", "--queue", "billing")
	lab.becomes(billing, "is above 0 again", positive)

	if withoutLoki == nil {
		eventually(t, "lines of the server and of a worker in Loki", func() error {
			lines := lokitest.Count(t, lab.state.Loki.URL, linesOfEach, instant.System.Now())
			if lines["temporal-server-1"] == 0 || lines["worker-billing"] < 2 {
				return fmt.Errorf("it has %v", lines)
			}
			return nil
		})
	}

	lab.call("load", "--rate", "0")
	lab.becomes(`sum(rate(service_requests{operation="StartWorkflowExecution",service_name="frontend"}[5s]))`, "is 0 without load", zero)

	children := descendants(t, lab.process.Process.Pid)
	if len(children) < 8 {
		t.Fatalf("the lab has %d child processes, want PostgreSQL, two servers, Prometheus, four workers and load", len(children))
	}
	if err := lab.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	lab.ended()
	if code := lab.process.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	if err := gone(children); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(lab.temporary()); err != nil || len(left) > 0 {
		t.Errorf("temporary files left behind: %v %v", left, err)
	}
	if _, err := os.Stat(lab.file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state file is still there (%v)", err)
	}
}

func TestKilledLabLeavesNoProcess(t *testing.T) {
	lab := startLab(t, "--without-load")
	children := descendants(t, lab.process.Process.Pid)
	if err := lab.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	lab.ended()
	eventually(t, "the end of the lab's children", func() error { return gone(children) })
}

// ended waits until the lab's process has ended.
func (l *testLab) ended() {
	l.t.Helper()
	select {
	case <-l.exited:
	case <-time.After(patience):
		l.t.Fatalf("waited %s for the end of the lab", patience)
	}
}
