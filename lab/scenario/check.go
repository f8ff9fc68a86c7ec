package scenario

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/temporal-sre/copilot/lab/temporal"
	"github.com/temporal-sre/copilot/lab/workload"
	"github.com/temporal-sre/copilot/pkg/health"
)

// FieldError is one thing that is wrong with a scenario.
type FieldError struct {
	Field, Value, Remedy string
}

// Error names the field, the value and the remedy.
func (e *FieldError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s is missing: %s", e.Field, e.Remedy)
	}
	return fmt.Sprintf("%s: %s: %s", e.Field, e.Value, e.Remedy)
}

// Limits of a scenario.
const (
	minDuration, maxDuration = time.Minute, 2 * time.Hour
	minStep, maxStep         = 5 * time.Second, 5 * time.Minute
	minScrape, maxScrape     = 5 * time.Second, 60 * time.Second
	maxServers               = 3
	maxRate                  = 1000
)

var validName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checker collects everything that is wrong.
type checker struct {
	*Scenario
	errs []error
}

func (c *checker) bad(field string, value any, remedy string) {
	c.errs = append(c.errs, &FieldError{Field: field, Value: fmt.Sprint(value), Remedy: remedy})
}

func (c *checker) inside(field string, value, low, high Duration) {
	if value < low || value > high {
		c.bad(field, value, fmt.Sprintf("use %s to %s", low, high))
	}
}

// check fills in defaults and reports everything that is wrong with a
// scenario.
func (s *Scenario) check() []error {
	c := &checker{Scenario: s}
	if !validName.MatchString(s.Name) {
		c.bad("name", s.Name, "use lower-case letters, digits and hyphens, like db-slow")
	}
	if s.Description == "" {
		c.bad("description", "", "say in a sentence what happens")
	}
	s.Step = cmp.Or(s.Step, Duration(15*time.Second))
	if s.Transition == nil {
		s.Transition = new(2)
	}
	c.inside("duration", s.Duration, Duration(minDuration), Duration(maxDuration))
	c.inside("step", s.Step, Duration(minStep), Duration(maxStep))
	if s.Step.Value()%time.Second != 0 {
		c.bad("step", s.Step, "use whole seconds")
	}
	c.checkTransition("transition", s.Transition)
	c.checkTopology()
	c.checkWorkload()
	for i, f := range s.Faults {
		c.checkFault(fmt.Sprintf("faults[%d]", i), f)
	}
	c.checkTruth()
	c.checkLogs()
	return c.errs
}

func (c *checker) checkTransition(field string, n *int) {
	if n != nil && (*n < 0 || *n > 20) {
		c.bad(field, *n, "use 0 to 20 evaluations")
	}
}

func (c *checker) checkTopology() {
	t := &c.Topology
	t.Servers = cmp.Or(t.Servers, 1)
	t.Services = cmp.Or(t.Services, Together)
	t.HistoryShards = cmp.Or(t.HistoryShards, temporal.DefaultHistoryShards)
	t.Metrics = cmp.Or(t.Metrics, temporal.Tally)
	t.ScrapeInterval = cmp.Or(t.ScrapeInterval, Duration(15*time.Second))
	t.Logs = cmp.Or(t.Logs, NoLogs)
	if logs := []string{NoLogs, temporal.LogJSON, temporal.LogConsole}; !slices.Contains(logs, t.Logs) {
		c.bad("topology.logs", t.Logs, "use "+join(logs))
	}
	if t.Servers < 1 || t.Servers > maxServers {
		c.bad("topology.servers", t.Servers, fmt.Sprintf("use 1 to %d", maxServers))
	}
	if t.Services != Together && t.Services != Apart {
		c.bad("topology.services", t.Services, "use together or apart")
	}
	if t.HistoryShards < 1 || t.HistoryShards > temporal.MaxHistoryShards {
		c.bad("topology.history_shards", t.HistoryShards, fmt.Sprintf("use 1 to %d", temporal.MaxHistoryShards))
	}
	if t.Metrics != temporal.Tally && t.Metrics != temporal.OpenTelemetry {
		c.bad("topology.metrics", t.Metrics, "use tally or opentelemetry")
	}
	c.inside("topology.scrape_interval", t.ScrapeInterval, Duration(minScrape), Duration(maxScrape))
	if t.ScrapeInterval.Value()%time.Second != 0 {
		c.bad("topology.scrape_interval", t.ScrapeInterval, "use whole seconds")
	}
}

func (c *checker) checkWorkload() {
	w := &c.Workload
	if w.Rate == nil {
		w.Rate = new(10.0)
	}
	if w.FailureRatio == nil {
		w.FailureRatio = new(0.0)
	}
	c.checkRate("workload.rate", w.Rate)
	c.checkRatio("workload.failure_ratio", w.FailureRatio)
	for queue, worker := range c.Workers {
		c.checkQueues("workers", []string{queue})
		c.checkWorker("workers."+queue, worker)
	}
}

func (c *checker) checkRate(field string, rate *float64) {
	if rate != nil && (*rate < 0 || *rate > maxRate) {
		c.bad(field, *rate, fmt.Sprintf("use 0 to %d a second", maxRate))
	}
}

func (c *checker) checkRatio(field string, ratio *float64) {
	if ratio != nil && (*ratio < 0 || *ratio > 1) {
		c.bad(field, *ratio, "use 0 to 1")
	}
}

func (c *checker) checkQueues(field string, queues []string) {
	for _, queue := range queues {
		if !slices.Contains(workload.Queues(), queue) {
			c.bad(field, queue, "use "+join(workload.Queues()))
		}
	}
}

func (c *checker) checkWorker(field string, w Worker) {
	for name, n := range map[string]int{
		"activity_slots": w.ActivitySlots, "workflow_slots": w.WorkflowSlots,
		"pollers": w.Pollers, "cached_workflows": w.CachedWorkflows,
	} {
		if n < 0 {
			c.bad(field+"."+name, n, "use a positive number, or leave it out for the SDK's default")
		}
	}
}

func (c *checker) checkFault(at string, f Fault) {
	if f.At > c.Duration {
		c.bad(at+".at", f.At, "it lies after the scenario's end at "+c.Duration.String())
	}
	if f.For != nil && f.Until != nil {
		c.bad(at+".until", *f.Until, "give for or until, not both")
	}
	if end := f.End(c.Duration.Value()); end <= f.At.Value() || end > c.Duration.Value() {
		c.bad(at+".until", Duration(end), fmt.Sprintf("the fault has to end after %s and not after %s", f.At, c.Duration))
	}
	c.checkParameters(at, f)
	c.checkQueues(at+".queues", f.Queues)
	for _, n := range f.Servers {
		if n < 1 || n > c.Topology.Servers {
			c.bad(at+".servers", n, fmt.Sprintf("the topology has servers 1 to %d", c.Topology.Servers))
		}
	}
	if len(f.Services) > 0 && c.Topology.Services != Apart {
		c.bad(at+".services", f.Services, "set topology.services to apart")
	}
	for _, service := range f.Services {
		if !slices.Contains(temporal.Services(), service) {
			c.bad(at+".services", service, "use "+join(temporal.Services()))
		}
	}
	for _, job := range f.Jobs {
		if !slices.Contains(JobNames(), job) {
			c.bad(at+".jobs", job, "use "+join(JobNames()))
		}
	}
	if f.Worker != nil {
		c.checkWorker(at+".worker", *f.Worker)
	}
	if f.How != "" && f.How != Refuse && f.How != BlackHole {
		c.bad(at+".how", f.How, "use refuse or black_hole")
	}
	if f.BytesPerSecond != nil && *f.BytesPerSecond < 1 {
		c.bad(at+".bytes_per_second", *f.BytesPerSecond, "use a positive number")
	}
	if f.Share != nil && (*f.Share <= 0 || *f.Share > 1) {
		c.bad(at+".share", *f.Share, "use a number above 0 and up to 1, like 0.3")
	}
	if f.RPS != nil && *f.RPS < 1 {
		c.bad(at+".rps", *f.RPS, "use 1 or more")
	}
	c.checkRate(at+".rate", f.Rate)
	c.checkRatio(at+".failure_ratio", f.FailureRatio)
	c.checkRate(at+".per_second", f.PerSecond)
}

// Values of Fault.How.
const (
	Refuse    = "refuse"
	BlackHole = "black_hole"
)

// JobNames lists the values of Fault.Jobs.
func JobNames() []string { return []string{"server", "worker"} }

func (c *checker) checkTruth() {
	var last Duration
	for i := range c.Truth {
		interval := &c.Truth[i]
		at := fmt.Sprintf("truth[%d]", i)
		if interval.To <= interval.From || interval.To > c.Duration {
			c.bad(at+".to", interval.To, fmt.Sprintf("it has to lie after %s and not after %s", interval.From, c.Duration))
		}
		if interval.From < last {
			c.bad(at+".from", interval.From, fmt.Sprintf("the interval before it ends at %s: give them in order, none over another", last))
		}
		last = interval.To
		if len(interval.States) == 0 {
			c.bad(at+".states", "", "give those that are right: happy, stressed, critical")
		}
		c.checkStates(at+".states", interval.States)
		for _, b := range interval.Bottleneck {
			if !slices.Contains(bottlenecks, b) {
				c.bad(at+".bottleneck", b, "use "+join(bottlenecks))
			}
		}
		c.checkTransition(at+".transition", interval.Transition)
		if interval.Impaired != nil {
			c.checkParts(at+".impaired", *interval.Impaired)
		}
	}
}

func (c *checker) checkParts(at string, parts []Part) {
	for i := range parts {
		part := &parts[i]
		part.Namespace = cmp.Or(part.Namespace, "default")
		if part.Queue != "" {
			c.checkQueues(fmt.Sprintf("%s[%d].queue", at, i), []string{part.Queue})
		}
		c.checkStates(fmt.Sprintf("%s[%d].states", at, i), part.States)
	}
}

func (c *checker) checkStates(field string, states []string) {
	for _, state := range states {
		if parsed, err := health.ParseState(state); err != nil || parsed == health.Unknown {
			c.bad(field, state, "use happy, stressed or critical")
		}
	}
}

var bottlenecks = []string{
	string(health.BottleneckHealthy), string(health.BottleneckServer), string(health.BottleneckWorker),
	string(health.BottleneckMixed), string(health.BottleneckUnknown),
}
