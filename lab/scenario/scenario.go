// Package scenario is the format in which the lab's plays are written: what
// the cluster is like, what work it gets, what is done to it and when, and
// what is true then. docs/scenarios.md describes it for those who write them.
package scenario

import "time"

// Scenario is one play. All times in it count from its begin, when everything
// is up and the load has begun.
type Scenario struct {
	Name        string   `yaml:"name"`
	Description string   `yaml:"description"`
	Duration    Duration `yaml:"duration"`
	// Step is the time between two evaluations.
	Step Duration `yaml:"step"`
	// Transition is how many evaluations a verdict may take to follow the
	// truth.
	Transition *int              `yaml:"transition"`
	Topology   Topology          `yaml:"topology"`
	Workload   Workload          `yaml:"workload"`
	Workers    map[string]Worker `yaml:"workers"`
	Faults     []Fault           `yaml:"faults"`
	Truth      []Interval        `yaml:"truth"`
	Logs       []LogInterval     `yaml:"logs"`
}

// Topology is what the cluster consists of.
type Topology struct {
	Servers        int      `yaml:"servers"`
	Services       string   `yaml:"services"`
	HistoryShards  int      `yaml:"history_shards"`
	Metrics        string   `yaml:"metrics"`
	ScrapeInterval Duration `yaml:"scrape_interval"`
	// Logs is how the servers log, or NoLogs.
	Logs string `yaml:"logs"`
}

// NoLogs is the value of Topology.Logs with which nobody keeps the logs; the
// others are temporal.LogJSON and temporal.LogConsole.
const NoLogs = "none"

// Values of Topology.Services.
const (
	Together = "together" // a process for each server
	Apart    = "apart"    // a process for each service of each server
)

// Workload is what clients ask for.
type Workload struct {
	// Rate is in pieces of work a second, over all queues.
	Rate         *float64 `yaml:"rate"`
	FailureRatio *float64 `yaml:"failure_ratio"`
}

// Worker is how the worker of a queue differs from the SDK's defaults, which
// zeros stand for.
type Worker struct {
	ActivitySlots   int      `yaml:"activity_slots"`
	WorkflowSlots   int      `yaml:"workflow_slots"`
	Pollers         int      `yaml:"pollers"`
	CachedWorkflows int      `yaml:"cached_workflows"`
	ActivityTakes   Duration `yaml:"activity_takes"`
}

// Fault is one thing that is done to the cluster. Each kind uses some of the
// parameters; see Kinds.
type Fault struct {
	At    Duration  `yaml:"at"`
	For   *Duration `yaml:"for"`
	Until *Duration `yaml:"until"`
	Kind  Kind      `yaml:"kind"`

	// Queues are the task queues that are meant. None: all.
	Queues []string `yaml:"queues"`
	// Servers are the replicas that are meant, counted from 1. None: all.
	Servers []int `yaml:"servers"`
	// Services are the services that are meant, when they run apart. None:
	// all.
	Services []string `yaml:"services"`
	// Jobs are the scrape jobs that are meant: server, worker. None: both.
	Jobs []string `yaml:"jobs"`
	// Pause is how long a rolling restart waits after each part.
	Pause *Duration `yaml:"pause"`
	// Worker is how misconfigured workers are configured.
	Worker *Worker `yaml:"worker"`
	// Takes is how long slow activities take.
	Takes *Duration `yaml:"takes"`
	// Latency and BytesPerSecond slow the database's answers down.
	Latency        *Duration `yaml:"latency"`
	BytesPerSecond *int      `yaml:"bytes_per_second"`
	// How a line is cut: refuse or black_hole.
	How string `yaml:"how"`
	// Share of the commits, above 0 and up to 1, that conflict.
	Share *float64 `yaml:"share"`
	// Rate and FailureRatio replace the workload's.
	Rate         *float64 `yaml:"rate"`
	FailureRatio *float64 `yaml:"failure_ratio"`
	// PerSecond is how many closed workflows a deletion storm deletes.
	PerSecond *float64 `yaml:"per_second"`
	// RPS is the limit of a namespace's requests a second, for each frontend.
	RPS *int `yaml:"rps"`
}

// Interval is a time for which the truth is known. Times that no interval
// covers are happy.
type Interval struct {
	From Duration `yaml:"from"`
	To   Duration `yaml:"to"`
	// States are those that are right: one, or several where several are.
	States []string `yaml:"states"`
	// Bottleneck lists those that are right. None: not judged.
	Bottleneck []string `yaml:"bottleneck"`
	// Impaired are the parts that have to be named, and the only task queues
	// that may be. Absent: not judged.
	Impaired *[]Part `yaml:"impaired"`
	// Blind tells whether the evaluation has to say that it sees nothing.
	// Absent: not judged.
	Blind *bool `yaml:"blind"`
	// Transition replaces that of the scenario for this interval.
	Transition *int `yaml:"transition"`
}

// Part is a part of the cluster: a task queue with its namespace, or a
// namespace.
type Part struct {
	Namespace string `yaml:"namespace"`
	Queue     string `yaml:"queue"`
	// States are those that are right for this part. None: any but happy.
	States []string `yaml:"states"`
}

// End is when a fault ends; whole is the scenario's duration.
func (f Fault) End(whole time.Duration) time.Duration {
	switch {
	case f.For != nil:
		return f.At.Value() + f.For.Value()
	case f.Until != nil:
		return f.Until.Value()
	}
	return whole
}
