package narrative_test

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/narrative"
)

func TestPatternsAreComplete(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z]+(\.[a-z_]+)+$`)
	rules := map[string]bool{}
	for _, rule := range health.Rules() {
		rules[rule.ID] = true
	}
	severities := []health.LogSeverity{health.LogError, health.LogWarning, health.LogEvent}
	services := []string{"frontend", "internal-frontend", "history", "matching", "worker", "workers"}
	seen := map[string]bool{}
	for _, p := range narrative.Catalogue() {
		if !form.MatchString(p.ID) || seen[p.ID] {
			t.Errorf("pattern %q: the id is not of the form or there twice", p.ID)
		}
		seen[p.ID] = true
		if p.Title == "" || p.Source == "" || !strings.HasSuffix(p.Meaning, ".") {
			t.Errorf("pattern %s lacks a title, a source or a meaning in sentences: %+v", p.ID, p)
		}
		if !slices.Contains(severities, p.Severity) {
			t.Errorf("pattern %s has severity %q", p.ID, p.Severity)
		}
		for _, service := range p.Services {
			if !slices.Contains(services, service) {
				t.Errorf("pattern %s is of service %q, which there is not", p.ID, service)
			}
		}
		for _, gate := range p.Gates {
			if !rules[gate] {
				t.Errorf("pattern %s explains %q, which is no rule", p.ID, gate)
			}
		}
		for i, m := range p.Match {
			if len(m.Levels)+len(m.Message)+len(m.Error)+len(m.Component)+len(m.Lifecycle) == 0 {
				t.Errorf("pattern %s: match %d matches every line", p.ID, i)
			}
		}
		if len(p.Match) == 0 {
			t.Errorf("pattern %s matches no line", p.ID)
		}
		if got, ok := narrative.PatternByID(p.ID); !ok || got.ID != p.ID {
			t.Errorf("PatternByID(%s) = %v", p.ID, got)
		}
	}
	if _, ok := narrative.PatternByID("other.0123abcd"); ok {
		t.Error("a mined pattern is in the catalogue")
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../docs/log-patterns.md")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := narrative.WriteDocument(&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Error("docs/log-patterns.md is out of date: run go generate ./pkg/narrative")
	}
}

// TestNoTextIsShadowed holds that every text of a match can make its pattern the
// first that matches: a text that an earlier pattern takes is dead.
func TestNoTextIsShadowed(t *testing.T) {
	t.Parallel()
	for _, p := range narrative.Catalogue() {
		for _, m := range p.Match {
			for _, template := range templatesOf(p, m) {
				if got := classify(template); got != p.ID {
					t.Errorf("pattern %s: %+v is %q", p.ID, template, got)
				}
			}
		}
	}
}

// templatesOf makes a template of each text of a match.
func templatesOf(p narrative.Pattern, m narrative.Match) []health.LogTemplate {
	base := health.LogTemplate{Component: m.Component, Lifecycle: m.Lifecycle}
	if len(p.Services) > 0 {
		base.Service = p.Services[0]
	}
	if base.Level = "error"; len(m.Levels) > 0 {
		base.Level = m.Levels[0]
	}
	var templates []health.LogTemplate
	for i := range max(1, len(m.Message), len(m.Error)) {
		template := base
		if len(m.Message) > 0 {
			template.Message = m.Message[min(i, len(m.Message)-1)]
		}
		if len(m.Error) > 0 {
			template.Error = m.Error[min(i, len(m.Error)-1)]
		}
		templates = append(templates, template)
	}
	return templates
}

// classify returns the id of a template's pattern, empty for none.
func classify(t health.LogTemplate) string {
	if p, ok := narrative.Classify(t); ok {
		return p.ID
	}
	return ""
}

// known is a template and its pattern, "" for none.
type known struct {
	Pattern string `json:"pattern"`
	health.LogTemplate
}

// realTemplates are those of two servers 1.32.1 and their workers with the Go
// SDK 1.50.0 through starts, rolling restarts, the loss of one, an outage of
// PostgreSQL, and conflicts as Aurora DSQL has them.
func realTemplates(t testing.TB) []known {
	t.Helper()
	f, err := os.Open("testdata/real.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []known
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var k known
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%d templates, error %v", len(all), err)
	}
	return all
}

func TestRealTemplates(t *testing.T) {
	t.Parallel()
	events := narrative.EventMessages()
	for _, k := range realTemplates(t) {
		if got := classify(k.LogTemplate); got != k.Pattern {
			t.Errorf("%+v is %q, want %q", k.LogTemplate, got, k.Pattern)
		}
		p, ok := narrative.Classify(k.LogTemplate)
		if k.Level != "info" || (ok && p.Severity != health.LogEvent) {
			continue
		}
		asked := slices.ContainsFunc(events, func(text string) bool {
			return strings.Contains(k.Message, text) || strings.Contains(k.Component, text)
		})
		if asked != ok && k.Pattern != "rpc.retried" {
			t.Errorf("%+v is %q, and asked for: %t", k.LogTemplate, k.Pattern, asked)
		}
	}
}

func TestEventMessages(t *testing.T) {
	t.Parallel()
	events := narrative.EventMessages()
	for _, want := range []string{"Acquired shard", "shard-engine", "Current reachable members", "Started Worker", "Non-Deterministic Error"} {
		if !slices.Contains(events, want) {
			t.Errorf("EventMessages() = %q lacks %q", events, want)
		}
	}
	for i, text := range events {
		if len(text) < len("shard-engine") || slices.Contains(events[:i], text) {
			t.Errorf("%q is too short to tell anything, or there twice", text)
		}
		if strings.Contains(text, "`") {
			t.Errorf("%q cannot stand in a query between backticks", text)
		}
	}
}

// TestLines holds lines of sources that the recorded servers did not write, and
// lines that look alike and are something else.
func TestLines(t *testing.T) {
	t.Parallel()
	const dial = `dial tcp 10.0.3.7:5432: connect: connection refused`
	in := func(service, level, message, failure string) health.LogTemplate {
		return health.LogTemplate{Service: service, Level: level, Message: message, Error: failure}
	}
	of := func(t health.LogTemplate, component, lifecycle string) health.LogTemplate {
		t.Component, t.Lifecycle = component, lifecycle
		return t
	}
	lines := []known{
		{"process.panic", in("history", "error", "Panic is captured", "runtime error: invalid memory address or nil pointer dereference")},
		{"process.panic", in("frontend", "error", "service failures", "panic: assignment to entry in nil map")},
		{"process.crash", in("temporal", "", "panic: runtime error: index out of range [<*>] with length <*>", "")},
		{"process.crash", in("orders", "", "fatal error: concurrent map writes", "")},
		{"process.panic", in("history", "panic", "Range id is not initialized before generating task id", "")},
		{"", in("history", "info", "dumping goroutine profile for suspected deadlock", "")},
		{"process.deadlock", in("history", "error", "potential deadlock detected", "")},
		{"process.fatal", in("history", "fatal", "deadlock detected", "")},
		{"", in("postgres", "", "ERROR: deadlock detected", "")},
		{"persistence.conflict", in("history", "error", "Operation failed with internal error.", "ERROR: deadlock detected (SQLSTATE 40P01)")},
		{"process.fatal", in("history", "fatal", "Failed to start gRPC listener", "listen tcp :7234: bind: address already in use")},
		{"process.fatal", in("worker", "fatal", "error starting scanner", dial)},
		{"process.fatal", of(in("", "error", "OnStart hook failed", "could not build arguments for function"), "fx", "")},
		{"process.fatal", in("", "", "Unable to start server. Error: sql schema version compatibility check failed", "")},
		{"process.start", in("matching", "info", "Starting to serve on matching listener", "")},
		{"", in("matching", "info", "matching starting", "")},
		{"process.stop", in("", "info", "Received interrupt signal, stopping the server.", "")},
		{"", of(in("history", "info", "queue reader stopped", ""), "timer-queue-processor", "Stopped")},

		{"worker.nondeterminism", in("workers", "error", "Workflow panic", "[TMPRL1100] nondeterministic workflow: missing replay command for ActivityTaskScheduled")},
		{"worker.nondeterminism", in("frontend", "info", "Non-Deterministic Error", "")},
		{"worker.nondeterminism", in("orders", "warn", "Workflow task processing failure. startedEventId=<*>", "io.temporal.worker.NonDeterministicException: Failure handling event")},
		{"worker.deadlock", in("workers", "error", "Workflow panic", `[TMPRL1101] Potential deadlock detected: workflow goroutine "root" didn't yield for over a second`)},
		{"worker.panic", in("workers", "error", "Activity panic.", "")},
		{"worker.panic", in("workers", "error", "Workflow panic", "runtime error: index out of range")},
		{"", in("workers", "error", "payment panicked", "")},
		{"worker.poll_failing", in("workers", "warn", "Failed to poll for task.", "Namespace orders is not found.")},
		{"worker.poll_failing", in("worker", "warn", "Failed to poll for task.", "connection error: desc = <*>")},
		{"worker.poll_failing", in("orders", "warn", `Failure in poller thread Workflow Poller taskQueue="orders"`, "io.grpc.StatusRuntimeException: UNAVAILABLE")},
		{"", in("orders", "warn", "Failed to poll the payment provider", "")},
		{"worker.failing", in("workers", "warn", "Failed to process workflow task.", "unable to find workflow type: Order")},
		{"worker.failing", in("orders", "error", "Failed handling activation on workflow with run ID <*>", "RuntimeError: no such key")},
		{"worker.deadlock", in("orders", "error", "Failed handling activation on workflow with run ID <*>: [TMPRL1101] Potential deadlock detected: workflow didn't yield within <*> second(s)", "")},
		{"worker.failing", in("history", "warn", "Critical attempts processing workflow task", "")},
		{"worker.failing", in("workers", "info", "Task processing failed with error", "workflow task not found")},
		{"worker.activity_failing", in("workers", "error", "Activity error.", "payment declined")},
		{"worker.activity_failing", in("workers", "error", "Activity error.", dial)},
		{"worker.activity_failing", in("orders", "warn", "Activity failure. ActivityId=<*>, activityType=Charge, attempt=<*>", "")},
		{"", in("workers", "error", "activity of the user: error", "")},
		{"worker.start", in("workers", "info", "Started Worker", "")},
		{"worker.stop", in("workers", "info", "Stopped Worker", "")},

		{"membership.changed", of(in("history", "info", "Current reachable members", ""), "service-resolver", "")},
		{"", in("history", "info", "Membership heartbeat upserted successfully", "")},
		{"shard.moved", in("history", "info", "Acquired shard", "")},
		{"shard.moved", of(in("history", "info", "none", ""), "shard-engine", "Stopping")},
		{"", of(in("history", "info", "none", ""), "shard-controller", "Started")},
		{"", in("history", "info", "Range updated for shardID", "")},
		{"config.changed", in("frontend", "info", "Updated dynamic config", "")},
		{"tls.changed", in("frontend", "info", "loaded new TLS certificates", "")},
		{"", in("frontend", "info", "loading certificate from file", "")},
		{"config.notice", in("", "warn", "Not using any authorizer and flag `--allow-no-auth` not detected.", "")},

		{"visibility.failing", in("frontend", "error", "Operation failed with an error.", dial)},
		{"visibility.failing", of(in("history", "error", "Unable to commit bulk ES request.", "elastic: Error 503 (Service Unavailable)"), "indexer-es-processor", "")},
		{"persistence.unavailable", of(in("history", "error", "Error range completing queue task", "RangeCompleteVisibilityTask operation failed. Error: no usable database connection found"), "visibility-queue-processor", "")},
		{"archival.failing", of(in("history", "warn", "failed to archive workflow", "RequestError: send request failed"), "archiver", "")},
		{"persistence.unavailable", of(in("history", "error", "Error updating queue state", "no usable database connection found"), "archival-queue-processor", "")},
		{"replication.failing", in("history", "error", "ReplicationServiceError", "rpc error: code = Unavailable desc = error reading from server: EOF")},
		{"", in("history", "info", "Replication task fetchers started.", "")},
		{"nexus.failing", in("history", "error", "Nexus StartOperation request failed", "dial tcp: lookup payments.example: no such host")},
		{"nexus.failing", in("history", "error", "Callback request failed", "connect: connection refused")},

		{"auth.denied", in("frontend", "error", "Authorization error", "token has invalid claims: token is expired")},
		{"auth.denied", in("frontend", "error", "error while refreshing token keys: ", "Get \"https://issuer.example/keys\": "+dial)},
		{"", in("frontend", "info", "authorization configured", "")},
		{"persistence.denied", in("history", "error", "sql handle: unable to refresh database connection pool", "failed to connect to `user=temporal database=temporal`: FATAL: password authentication failed for user \"temporal\" (SQLSTATE 28P01)")},
		{"persistence.denied", in("history", "error", "Operation failed with internal error.", "FATAL: unable to accept connection, access denied (SQLSTATE 28000)")},
		{"persistence.denied", in("history", "error", "Operation failed with internal error.", "ERROR: permission denied for table executions (SQLSTATE 42501)")},
		{"", in("history", "error", "cannot write", "open /etc/temporal/x: permission denied")},
		{"tls.failing", in("frontend", "warn", "Failed to cancel outstanding poller.", `connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate has expired or is not yet valid"`)},
		{"tls.failing", in("frontend", "error", "failed to load certificates", "open /etc/tls.crt: no such file or directory")},
		{"rpc.exhausted.persistence", in("history", "error", "Queue reader unable to retrieve tasks", "System Persistence Max QPS Reached.")},
		{"rpc.exhausted.rps", in("worker", "error", "deployment client unexpected error", "too many requests issued to Worker Deployment '<*>'. Please try again later")},
		{"", in("orders", "error", "cannot charge", "too many requests")},
		{"rpc.exhausted.rps", in("frontend", "warn", "Unable to call matching.PollWorkflowTaskQueue.", "namespace rate limit exceeded")},
		{"rpc.exhausted.concurrent", in("frontend", "error", "service failures", "namespace concurrent poller limit exceeded")},
		{"rpc.exhausted.aps", in("history", "warn", "Fail to process task", "Action per second limit exceeded.")},
		{"rpc.exhausted.overloaded", in("history", "error", "service failures", "cache capacity is fully occupied with pinned elements")},
		{"rpc.exhausted.overloaded", in("matching", "error", "service failures", "Too many outstanding appends to the task queue")},
		{"rpc.exhausted.busy", in("history", "warn", "Fail to process task", "Workflow is busy.")},
		{"rpc.exhausted", in("history", "error", "force-replication failed", "rpc error: code = ResourceExhausted desc = grpc: received message larger than max")},
		{"", in("history", "warn", "retries exhausted", "")},
		{"persistence.exhausted", in("history", "error", "sql handle: unable to refresh database connection pool", "failed to connect to `user=temporal`: FATAL: sorry, too many clients already (SQLSTATE 53300)")},
		{"persistence.exhausted", in("history", "error", "Operation failed with internal error.", "Unable to accept connection, rate exceeded. (SQLSTATE 53400)")},
		{"persistence.exhausted", in("matching", "error", "Operation failed with internal error.", "Error 1040: Too many connections")},
		{"persistence.conflict", in("history", "error", "Operation failed with internal error.", "ERROR: could not serialize access due to concurrent update (SQLSTATE 40001)")},
		{"persistence.conflict", in("history", "warn", "Fail to process task", "schema has been updated by another transaction, please retry: (OC001) (SQLSTATE 40001)")},
		{"rpc.canceled", in("history", "error", "Operation failed with internal error.", "UpdateTaskQueue: context canceled")},
		{"rpc.unavailable", of(in("client", "warn", "network dial error", dial), "", "")},
		{"rpc.unavailable", in("frontend", "error", "service failures", `connection error: desc = "transport: Error while dialing: `+dial+`"`)},
		{"rpc.unavailable", in("frontend", "info", "history client encountered error", "Not enough hosts to serve the request")},
		{"shard.unknown", in("history", "error", "service failures", "shard status unknown")},
		{"shard.lost", in("history", "error", "service failures", "Shard is owned by:10.0.0.7:7234 but not by 10.0.0.8:7234")},
		{"shard.lost", in("history", "error", "Error acquiring shard", "Failed to update shard. Previous range ID: <*>; new range ID: <*>")},
		{"matching.moved", in("matching", "error", "Persistent store operation failure", "task queue ownership lost: stored rangeID <*>, in-memory rangeID <*>")},
		{"persistence.unavailable", in("history", "error", "Operation failed with internal error.", "GetWorkflowExecution: failed. Error: "+dial)},
		{"persistence.unavailable", in("history", "error", "Persistent store operation Failure", "context deadline exceeded")},
		{"persistence.unavailable", in("history", "error", "service failures", "UpdateShard failed. Failed to start transaction. Error: context deadline exceeded")},
		{"persistence.unavailable", in("history", "error", "Operation failed with internal error.", "read tcp <*>-><*>: i/o timeout")},
		{"persistence.unavailable", in("history", "error", "Operation failed with internal error.", "FATAL: the database system is starting up (SQLSTATE 57P03)")},
		{"persistence.unavailable", in("history", "error", "Operation failed with internal error.", "gocql: no hosts available in the pool")},
		{"persistence.unavailable", in("frontend", "warn", "sql handle: did not refresh database connection pool because the last refresh was too close", "")},
		{"", in("orders", "warn", "the workflow waits for a connection", "")},

		{"config.failing", in("history", "error", "Unable to update dynamic config.", "yaml: line <*>: did not find expected key")},
		{"membership.failing", in("history", "error", "error periodically refreshing ring", "ring is not ready")},
		{"persistence.unavailable", in("history", "error", "Membership upsert failed.", "no usable database connection found")},
		{"shard.failing", in("history", "error", "Error acquiring shard", "data is corrupted")},
		{"rpc.deadline", in("matching", "error", "error fetching user data from parent", "context deadline exceeded")},
		{"persistence.failing", in("history", "error", "Operation failed with internal error.", `ERROR: relation "executions" does not exist (SQLSTATE 42P01)`)},
		{"persistence.failing", in("history", "error", "Persistent store operation Failure", "unknown encoding")},
		{"matching.failing", of(in("matching", "error", "error fetching user data from parent", "unexpected"), "matching-engine", "")},
		{"", of(in("matching", "info", "Started physicalTaskQueueManager", ""), "matching-engine", "Started")},
		{"task.failing", of(in("history", "warn", "Fail to process task", "unknown task type"), "transfer-queue-processor", "ProcessingFailed")},
		{"task.failing", in("history", "error", "Dropping task due to terminal error", "unexpected end of JSON input")},
		{"workflow.too_large", in("history", "warn", "history size exceeds warn limit.", "")},
		{"workflow.too_large", in("workers", "warn", "[TMPRL1103] Attempted to upload payloads with size that exceeded the warning limit.", "")},
		{"rpc.failing", in("frontend", "error", "service failures", "workflow history is missing")},
		{"rpc.retried", in("history", "info", "matching client encountered error", "sticky worker unavailable, please use original task queue.")},

		{"", in("grafana", "error", "query failed", "bad request")},
		{"", in("workers", "error", "cannot reach the inventory", dial)},
		{"", in("orders", "error", "cannot reach the inventory", dial)},
		{"", in("orders", "error", "cannot reach the inventory", "rpc error: code = Unavailable desc = error reading from server: EOF")},
		{"", in("orders", "error", "cannot save", "ERROR: could not serialize access due to concurrent update (SQLSTATE 40001)")},
		{"", in("orders", "fatal", "cannot start", "")},
		{"", of(in("search", "error", "cannot index", "bad document"), "indexer", "")},
		{"persistence.unavailable", in("prod-fe", "error", "Operation failed with internal error.", dial)},
		{"persistence.unavailable", in("temporal-server", "error", "something new", dial)},
		{"", in("", "info", "", "")},
		{"", in("", "", "something without a level", "")},
	}
	for _, k := range lines {
		if got := classify(k.LogTemplate); got != k.Pattern {
			t.Errorf("%+v is %q, want %q", k.LogTemplate, got, k.Pattern)
		}
	}
	for _, p := range narrative.Catalogue() {
		if !slices.ContainsFunc(lines, func(k known) bool { return k.Pattern == p.ID }) {
			t.Errorf("pattern %s has no line here", p.ID)
		}
	}
}

// TestClassifyIgnoresCase since loggers differ in it.
func TestClassifyIgnoresCase(t *testing.T) {
	t.Parallel()
	if got := classify(health.LogTemplate{Level: "ERROR", Message: "PERSISTENT STORE OPERATION FAILURE", Error: "Context Deadline Exceeded"}); got != "persistence.unavailable" {
		t.Errorf("got %q", got)
	}
}

// TestServicesBind: a writer that is certainly another service than a pattern's
// does not write it, an unknown one may.
func TestServicesBind(t *testing.T) {
	t.Parallel()
	line := health.LogTemplate{Level: "info", Message: "Acquired shard"}
	for service, want := range map[string]string{"history": "shard.moved", "": "shard.moved", "temporal-ecs": "shard.moved", "frontend": "", "workers": ""} {
		line.Service = service
		if got := classify(line); got != want {
			t.Errorf("of service %q it is %q, want %q", service, got, want)
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	templates := realTemplates(b)
	b.ReportAllocs()
	for b.Loop() {
		for i := range templates {
			narrative.Classify(templates[i].LogTemplate)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(templates)), "ns/template")
}

// What a pattern follows is in the catalogue, and none follows itself, however
// long the chain.
func TestConsequencesHaveCauses(t *testing.T) {
	for _, p := range narrative.Catalogue() {
		seen := map[string]bool{}
		for causes := p.Follows; len(causes) > 0; {
			cause, known := narrative.PatternByID(causes[0])
			if !known {
				t.Fatalf("%s follows %q, which is no pattern", p.ID, causes[0])
			}
			if cause.ID == p.ID {
				t.Fatalf("%s follows itself", p.ID)
			}
			causes = causes[1:]
			if !seen[cause.ID] {
				seen[cause.ID] = true
				causes = append(causes, cause.Follows...)
			}
		}
	}
}
