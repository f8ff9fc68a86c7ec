package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is what a fault does.
type Kind string

// The kinds of fault.
const (
	WorkersStopped      Kind = "workers_stopped"
	WorkersKilled       Kind = "workers_killed"
	WorkersRestarted    Kind = "workers_restarted"
	WorkersMisconfigure Kind = "workers_misconfigured"
	ActivitiesSlow      Kind = "activities_slow"
	WorkflowTasksFail   Kind = "workflow_tasks_fail"
	ActivitiesPanic     Kind = "activities_panic"
	DatabaseSlow        Kind = "database_slow"
	DatabaseCutOff      Kind = "database_cut_off"
	DatabaseFrozen      Kind = "database_frozen"
	DatabaseConflicts   Kind = "database_conflicts"
	ServersStopped      Kind = "servers_stopped"
	ServersKilled       Kind = "servers_killed"
	ServersRestarted    Kind = "servers_restarted"
	Traffic             Kind = "traffic"
	DeletionStorm       Kind = "deletion_storm"
	NamespaceLimit      Kind = "namespace_limit"
	ScrapeGap           Kind = "scrape_gap"
	TargetsDown         Kind = "targets_down"
	PrometheusStopped   Kind = "prometheus_stopped"
)

// kind says what belongs to a kind of fault.
type kind struct {
	name Kind
	// may and must list the parameters; of oneOf at least one is needed.
	may, must, oneOf []string
	// passing faults are over by themselves and take neither for nor until.
	passing bool
}

var kinds = []kind{
	{name: WorkersStopped, may: []string{"queues"}},
	{name: WorkersKilled, may: []string{"queues"}},
	{name: WorkersRestarted, may: []string{"queues", "pause"}, passing: true},
	{name: WorkersMisconfigure, may: []string{"queues"}, must: []string{"worker"}},
	{name: ActivitiesSlow, may: []string{"queues"}, must: []string{"takes"}},
	{name: WorkflowTasksFail, may: []string{"queues"}},
	{name: ActivitiesPanic, may: []string{"queues"}},
	{name: DatabaseSlow, oneOf: []string{"latency", "bytes_per_second"}},
	{name: DatabaseCutOff, must: []string{"how"}},
	{name: DatabaseFrozen},
	{name: DatabaseConflicts, must: []string{"share"}},
	{name: ServersStopped, may: []string{"servers", "services"}},
	{name: ServersKilled, may: []string{"servers", "services"}},
	{name: ServersRestarted, may: []string{"servers", "services", "pause"}, passing: true},
	{name: Traffic, oneOf: []string{"rate", "failure_ratio"}},
	{name: DeletionStorm, must: []string{"per_second"}},
	{name: NamespaceLimit, must: []string{"rps"}},
	{name: ScrapeGap, may: []string{"jobs"}},
	{name: TargetsDown, may: []string{"jobs"}},
	{name: PrometheusStopped},
}

// Kinds lists the kinds of fault.
func Kinds() []Kind {
	var names []Kind
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// given lists the parameters that a fault has.
func (f Fault) given() []string {
	var names []string
	for name, there := range map[string]bool{
		"queues": f.Queues != nil, "servers": f.Servers != nil, "services": f.Services != nil, "jobs": f.Jobs != nil,
		"pause": f.Pause != nil, "worker": f.Worker != nil, "takes": f.Takes != nil,
		"latency": f.Latency != nil, "bytes_per_second": f.BytesPerSecond != nil, "how": f.How != "", "share": f.Share != nil,
		"rate": f.Rate != nil, "failure_ratio": f.FailureRatio != nil, "per_second": f.PerSecond != nil, "rps": f.RPS != nil,
	} {
		if there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// checkParameters reports parameters that a fault lacks or must not have.
func (c *checker) checkParameters(at string, f Fault) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == f.Kind })
	if i < 0 {
		c.bad(at+".kind", f.Kind, "use one of "+join(Kinds()))
		return
	}
	k, given := kinds[i], f.given()
	for _, name := range given {
		if !slices.Contains(slices.Concat(k.may, k.must, k.oneOf), name) {
			c.bad(at+"."+name, "given", fmt.Sprintf("%s does not take it; leave it out", k.name))
		}
	}
	for _, name := range k.must {
		if !slices.Contains(given, name) {
			c.bad(at+"."+name, "", fmt.Sprintf("%s needs it", k.name))
		}
	}
	if len(k.oneOf) > 0 && !slices.ContainsFunc(k.oneOf, func(n string) bool { return slices.Contains(given, n) }) {
		c.bad(at+"."+k.oneOf[0], "", fmt.Sprintf("%s needs %s", k.name, strings.Join(k.oneOf, " or ")))
	}
	if k.passing && (f.For != nil || f.Until != nil) {
		c.bad(at+".for", "given", fmt.Sprintf("%s is over by itself; leave out for and until", k.name))
	}
}

func join[T ~string](names []T) string {
	var texts []string
	for _, name := range names {
		texts = append(texts, string(name))
	}
	return strings.Join(texts, ", ")
}

// Passing lists the kinds of fault that are over by themselves.
func Passing() []Kind {
	var names []Kind
	for _, k := range kinds {
		if k.passing {
			names = append(names, k.name)
		}
	}
	return names
}
