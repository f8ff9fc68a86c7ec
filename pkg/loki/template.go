package loki

import (
	"regexp"
	"strings"

	"github.com/temporal-sre/copilot/pkg/health"
)

// workers is the service of lines of Temporal's SDKs.
const workers = "workers"

// template reads the labels of a group of lines.
func (s *Scanner) template(labels map[string]string) health.LogTemplate {
	message, failure, _ := strings.Cut(labels["c_text"], strings.TrimSpace(separator))
	return health.LogTemplate{
		Service:   serviceName(labels["c_svc"]),
		Level:     level(labels["c_level"]),
		Message:   s.clean(message),
		Error:     s.clean(failure),
		Component: s.cfg.Redact(labels["c_comp"]),
		Lifecycle: labels["c_life"],
		Namespace: labels["c_ns"],
		TaskQueue: labels["c_tq"],
	}
}

// keptState is what the first alternative of varying leaves behind a state.
var keptState = regexp.MustCompile(`(SQLSTATE.\w{5})<\*>`)

// clean finishes what Loki has begun, and redacts.
func (s *Scanner) clean(text string) string {
	text = keptState.ReplaceAllString(text, "$1")
	return s.cfg.Redact(strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD")))
}

// level is the name of a level in health's words.
func level(name string) string {
	switch name {
	case "warning":
		return "warn"
	case "err", "critical", "severe", "dpanic": // zap's dpanic panics in development only
		return "error"
	}
	return name
}

// serviceName reduces what a deployment calls a service, with its prefixes and
// suffixes, to Temporal's name for it. Workers of the SDK have said so before.
func serviceName(name string) string {
	lower := strings.ToLower(name)
	switch {
	case strings.Contains(lower, "internal-frontend"):
		return "internal-frontend"
	case lower == workers || strings.HasSuffix(lower, "temporal-workers"):
		return workers
	}
	for _, service := range []string{"frontend", "history", "matching", "worker"} {
		if lower == service || strings.HasPrefix(lower, "temporal") && strings.HasSuffix(lower, "-"+service) {
			return service
		}
	}
	return name
}
