package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// asCopilotEnv makes the test program play the copilot's command line.
const asCopilotEnv = "DEMO_TEST_AS_COPILOT"

func TestMain(m *testing.M) {
	if os.Getenv(asCopilotEnv) != "" {
		playCopilot(os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

// playCopilot answers as the copilot does.
func playCopilot(args []string) {
	switch line := strings.Join(args, " "); line {
	case "status --database-url postgres://store --cluster lab -o json":
		fmt.Println(`{"health_state":"critical","confidence":0.93,"observed_at":"2026-11-24T03:04:30Z",
			"scopes":[{"kind":"task_queue","namespace":"default","name":"shipping","state":"stressed"},
			          {"kind":"task_queue","namespace":"default","name":"billing","state":"critical"},
			          {"kind":"task_queue","namespace":"default","name":"billing","state":"stressed"},
			          {"kind":"task_queue","namespace":"default","name":"orders","state":"happy"},
			          {"kind":"service","name":"history","state":"stressed"}]}`)
		os.Exit(2) // the exit code carries the state
	case "status --database-url postgres://store --cluster lab":
		fmt.Println("◆ CRITICAL    lab")
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "unexpected:", line)
		os.Exit(64)
	}
}

func TestCopilotIsReadWhateverItsExitCode(t *testing.T) {
	t.Setenv(asCopilotEnv, "1")
	copilot := Copilot{Binary: os.Args[0], DatabaseURL: "postgres://store", Cluster: "lab"}
	status, err := copilot.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status.HealthState != Critical || strings.Join(status.Impaired(), " ") != "billing shipping" {
		t.Errorf("status = %+v", status)
	}
	if text, err := copilot.StatusText(t.Context()); err != nil || !strings.Contains(text, "CRITICAL") {
		t.Errorf("text = %q, %v", text, err)
	}
	copilot.Cluster = "unknown"
	if _, err := copilot.Status(t.Context()); err == nil || !strings.Contains(err.Error(), "unexpected") {
		t.Errorf("error = %v, want what the copilot wrote to standard error", err)
	}
}

// fakeCluster is a cluster and a copilot that sees through it: each time it is
// asked, its state takes one step towards what the workers' state calls for.
type fakeCluster struct {
	stopped map[string]bool
	state   int // index into states
	asked   int64
	stuck   bool // never gets worse
}

var states = []string{Happy, Stressed, Critical}

func (f *fakeCluster) StopWorkers(_ context.Context, queue string, _ bool) error {
	f.stopped[queue] = true
	return nil
}

func (f *fakeCluster) StartWorkers(_ context.Context, queue string) error {
	delete(f.stopped, queue)
	return nil
}

func (f *fakeCluster) Status(context.Context) (Status, error) {
	f.asked++
	if f.asked == 1 {
		return Status{}, errors.New("no verdict yet")
	}
	target := min(len(f.stopped), 2)
	switch {
	case f.stuck:
	case f.state < target:
		f.state++
	case f.state > target:
		f.state--
	}
	status := Status{HealthState: states[f.state], ObservedAt: instant.FromUnix(f.asked)}
	for queue := range f.stopped {
		status.Scopes = append(status.Scopes, Scope{Kind: "task_queue", Name: queue, State: Critical})
	}
	return status, nil
}

// log is a listener that writes down what it hears.
type log struct{ lines []string }

func (l *log) Began(stage Stage) { l.lines = append(l.lines, "began "+stage.Name) }
func (l *log) Changed(_, to Status, _ time.Duration) {
	l.lines = append(l.lines, "changed "+to.HealthState)
}
func (l *log) Waits(Status, time.Duration, error) {}
func (l *log) Reached(outcome Outcome)            { l.lines = append(l.lines, "reached "+outcome.Stage.Expected) }

func tell(t *testing.T, cluster *fakeCluster, within time.Duration) ([]Outcome, *log, error) {
	t.Helper()
	stages := Stages()
	for i := range stages {
		stages[i].Within = within
	}
	heard := &log{}
	story := Story{Cluster: cluster, Watcher: cluster, Listener: heard, Poll: time.Millisecond, Remind: time.Hour}
	outcomes, err := story.Tell(t.Context(), stages)
	return outcomes, heard, err
}

func TestStoryIsToldToItsEnd(t *testing.T) {
	cluster := &fakeCluster{stopped: map[string]bool{}}
	outcomes, heard, err := tell(t, cluster, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if len(outcomes) != 4 || len(cluster.stopped) != 0 {
		t.Errorf("%d outcomes, stopped in the end: %v", len(outcomes), cluster.stopped)
	}
	got := strings.Join(heard.lines, "\n")
	want := strings.Join([]string{
		"began a healthy cluster under load", "changed happy", "reached happy",
		"began the workers of queue billing stop", "changed stressed", "reached stressed, naming billing",
		"began all other workers stop, too", "changed critical", "reached critical",
		"began all workers start again", "changed stressed", "changed happy", "reached stressed, then happy",
	}, "\n")
	if got != want {
		t.Errorf("heard:\n%s\nwant:\n%s", got, want)
	}
}

func TestStoryEndsWhenTheCopilotDoesNotSee(t *testing.T) {
	outcomes, _, err := tell(t, &fakeCluster{stopped: map[string]bool{}, stuck: true}, 3*time.Second)
	if err == nil || !strings.Contains(err.Error(), `says "happy"`) {
		t.Errorf("error = %v", err)
	}
	if len(outcomes) != 2 {
		t.Errorf("%d stages were played, want 2", len(outcomes))
	}
}
