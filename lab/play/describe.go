package play

import (
	"fmt"
	"strings"

	"github.com/temporal-sre/copilot/lab/scenario"
)

// Describe says in a line what a fault does.
func Describe(f scenario.Fault) string {
	var details []string
	add := func(name string, value any) { details = append(details, fmt.Sprintf("%s %v", name, value)) }
	if len(f.Queues) > 0 {
		add("queues", strings.Join(f.Queues, ", "))
	}
	if len(f.Servers) > 0 {
		add("servers", strings.Trim(fmt.Sprint(f.Servers), "[]"))
	}
	if len(f.Services) > 0 {
		add("services", strings.Join(f.Services, ", "))
	}
	if len(f.Jobs) > 0 {
		add("jobs", strings.Join(f.Jobs, ", "))
	}
	if f.Takes != nil {
		add("takes", *f.Takes)
	}
	if f.Latency != nil {
		add("latency", *f.Latency)
	}
	if f.BytesPerSecond != nil {
		add("bytes_per_second", *f.BytesPerSecond)
	}
	if f.How != "" {
		details = append(details, f.How)
	}
	if f.Share != nil {
		add("share", *f.Share)
	}
	if f.Rate != nil {
		add("rate", *f.Rate)
	}
	if f.FailureRatio != nil {
		add("failure_ratio", *f.FailureRatio)
	}
	if f.PerSecond != nil {
		add("per_second", *f.PerSecond)
	}
	if f.RPS != nil {
		add("rps", *f.RPS)
	}
	if len(details) == 0 {
		return string(f.Kind)
	}
	return string(f.Kind) + ": " + strings.Join(details, "; ")
}
