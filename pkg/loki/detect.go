package loki

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// lookBack is how far back streams and lines are looked for.
	lookBack = time.Hour
	// lookBackFurther is how far when there is none.
	lookBackFurther = 24 * time.Hour
	// detectAgainAfter is how long what was found is believed.
	detectAgainAfter = time.Hour
	// linesToLookAt is of how many lines the format is told.
	linesToLookAt = 20
)

// deployment is where a cluster's lines are.
type deployment struct {
	queries queries
	// why says what was chosen and from what.
	why string
	at  instant.Instant
}

// NoLogsError says that Loki answers and has no logs of a Temporal server.
type NoLogsError struct {
	Selector string
	// Labels are the labels that there are.
	Labels []string
}

// Error names the remedy.
func (e *NoLogsError) Error() string {
	if e.Selector != "" {
		return fmt.Sprintf("Loki answers and has no log line for {%s} in the last day: check that logs are shipped to it, the tenant, and the selector", e.Selector)
	}
	if len(e.Labels) == 0 {
		return "Loki answers and has no logs of the last day: check that logs are shipped to it, and the tenant"
	}
	return fmt.Sprintf(`Loki answers, and none of its labels says "temporal" (there are %s): give a selector, such as job="temporal"`, strings.Join(e.Labels, ", "))
}

// SeveralClustersError says that the logs are of several clusters and none was
// chosen.
type SeveralClustersError struct {
	// Selector is what finds them all.
	Selector string
	Label    string
	Values   []string
}

// Error lists the clusters with the selectors to paste.
func (e *SeveralClustersError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the logs are of %d clusters; choose one with the selector:", len(e.Values))
	for _, value := range e.Values {
		fmt.Fprintf(&b, "\n  '%s'", joinMatchers(e.Selector, fmt.Sprintf("%s=%q", e.Label, value)))
	}
	return b.String()
}

// clusterLabels are the labels by which people tell clusters apart.
var clusterLabels = []string{"cluster", "k8s_cluster", "k8s_cluster_name", "kubernetes_cluster", "cluster_name", "temporal_cluster"}

// streamLabels are the labels by which people find a program's logs, those that
// are commonest first, and after them those that say where a program runs: what
// else runs there would be found too.
var streamLabels = [][]string{
	{
		"job", "service_name", "app", "container", "service", "compose_service", "container_name", "app_kubernetes_io_name",
		"app_kubernetes_io_instance", "k8s_container_name", "k8s_deployment_name", "k8s_statefulset_name", "ecs_task_family",
	},
	{"namespace", "k8s_namespace_name", "compose_project", "ecs_cluster", "pod", "k8s_pod_name", "filename"},
}

// serviceLabels are the labels that may tell a service.
var serviceLabels = []string{
	"service_name", "service", "compose_service", "app_kubernetes_io_component", "component", "container", "k8s_container_name",
	"container_name", "k8s_deployment_name", "app", "app_kubernetes_io_name", "job", "instance", "pod",
}

// stranger are parts of the names of programs that go by Temporal's name and are
// none of its services.
const stranger = `copilot|postgres|mysql|cassandra|elastic|opensearch|prometheus|grafana|loki|temporal-?ui|temporal-?web|admin-?tools|-ui$|-web$`

// deployment finds out where the lines are, or returns what was found lately.
func (s *Scanner) deployment(ctx context.Context, to instant.Instant) (*deployment, error) {
	s.mu.Lock()
	d := s.found
	s.mu.Unlock()
	if d != nil {
		if age := to.Sub(d.at); age > -detectAgainAfter && age < detectAgainAfter {
			return d, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	d, err := s.detect(ctx, to)
	if err != nil {
		return nil, err
	}
	s.cfg.Logger.InfoContext(ctx, "loki streams", "choice", d.why)
	s.mu.Lock()
	s.found = d
	s.mu.Unlock()
	return d, nil
}

// Choice says in words what was found and how to override it; empty before the
// first scan.
func (s *Scanner) Choice() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.found == nil {
		return ""
	}
	return s.found.why
}

// detect looks at the labels and at a few lines of the last hour, or else of the
// last day: a server that writes errors only may have been silent for long.
func (s *Scanner) detect(ctx context.Context, to instant.Instant) (*deployment, error) {
	d, err := s.detectSince(ctx, to.Add(-lookBack), to)
	var none *NoLogsError
	if errors.As(err, &none) {
		d, err = s.detectSince(ctx, to.Add(-lookBackFurther), to)
	}
	return d, err
}

// detectSince looks at what came after from.
func (s *Scanner) detectSince(ctx context.Context, from, to instant.Instant) (*deployment, error) {
	selector, why := s.cfg.Selector, "{"+s.cfg.Selector+"}, as the selector says"
	if selector == "" {
		var err error
		if selector, why, err = s.findStreams(ctx, from, to); err != nil {
			return nil, err
		}
	}
	if matcher := s.chosenCluster(); matcher != "" {
		selector = joinMatchers(selector, matcher)
		why += ofTheCluster(matcher)
	}
	streams, err := s.streams(ctx, selector, from, to)
	if err != nil {
		return nil, err
	}
	if len(streams) == 0 {
		return nil, &NoLogsError{Selector: selector}
	}
	if s.cfg.Selector == "" && s.chosenCluster() == "" {
		matcher, remark, err := s.oneCluster(ctx, selector, streams, to)
		if err != nil {
			return nil, err
		}
		if matcher != "" {
			selector = joinMatchers(selector, matcher)
		}
		why += remark
	}
	d := &deployment{at: to, queries: queries{selector: selector, serviceLabel: s.cfg.ServiceLabel}}
	serviceWhy := "as configured"
	if d.queries.serviceLabel == "" {
		d.queries.serviceLabel, serviceWhy = serviceLabel(streams)
	}
	lines, err := s.fetch(ctx, "a few lines", "{"+selector+"}", from, to, linesToLookAt)
	if err != nil {
		return nil, err
	}
	written := map[string]bool{}
	for _, l := range lines {
		written[formatOf(l.text)] = true
	}
	newest := "there was none lately"
	if len(lines) > 0 {
		newest = "the newest are " + strings.Join(slices.Sorted(maps.Keys(written)), " and ")
	}
	d.why = fmt.Sprintf("streams %s; a line that does not name its service has it from the label %s, %s; lines are read in JSON, console format, logfmt and plain text, and %s; selector and service_label override this",
		why, d.queries.serviceLabel, serviceWhy, newest)
	return d, nil
}

// labelsOf asks for the names of all labels.
func (s *Scanner) labelsOf(ctx context.Context, from, to instant.Instant) ([]string, error) {
	var names []string
	err := s.look(ctx, "labels", "labels", bounds(from, to), &names)
	return names, err
}

// bounds are the parameters that bound a look-up in time. Loki leaves the end
// out.
func bounds(from, to instant.Instant) url.Values {
	return url.Values{"start": {nanos(from)}, "end": {nanos(to.Add(time.Millisecond))}}
}

// streams asks for the labels of the streams that a selector chooses.
func (s *Scanner) streams(ctx context.Context, selector string, from, to instant.Instant) ([]map[string]string, error) {
	form := bounds(from, to)
	form.Set("match[]", "{"+selector+"}")
	var streams []map[string]string
	err := s.look(ctx, "series", "series", form, &streams)
	return streams, err
}

// findStreams finds the label by which the most streams of Temporal are found.
func (s *Scanner) findStreams(ctx context.Context, from, to instant.Instant) (selector, why string, err error) {
	labels, err := s.labelsOf(ctx, from, to)
	if err != nil {
		return "", "", err
	}
	for _, class := range streamLabels {
		var best []map[string]string
		for _, label := range class {
			if !slices.Contains(labels, label) {
				continue
			}
			matchers := fmt.Sprintf("%s=~`(?i).*temporal.*`,%s!~`(?i).*(?:%s).*`", label, label, stranger)
			streams, err := s.streams(ctx, matchers, from, to)
			if err != nil {
				return "", "", err
			}
			if len(streams) <= len(best) {
				continue
			}
			best, selector = streams, matchers
			values := valuesOf(streams, label)
			why = fmt.Sprintf("%s = %s, found by that name among %d labels", label, short(values), len(labels))
			if len(values) == 1 {
				selector = fmt.Sprintf("%s=%q", label, values[0])
			}
		}
		if len(best) > 0 {
			return selector, why, nil
		}
	}
	return "", "", &NoLogsError{Labels: labels}
}

// chosenCluster is the matcher for the watched cluster if one was chosen before.
// It stays: a cluster that has gone silent is not replaced by its neighbour.
func (s *Scanner) chosenCluster() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cluster
}

// ofTheCluster says why there is a matcher for a cluster.
func ofTheCluster(matcher string) string {
	return "; of the clusters, the one with " + matcher + ", which is called as the watched one"
}

// oneCluster refuses streams of several clusters, unless one of them is called
// as the watched one; then it chooses the matcher for it. The only cluster, when it
// is called otherwise, counts as the watched one if there was no other in the last
// day: the watched one may be silent. The remark says so.
func (s *Scanner) oneCluster(ctx context.Context, selector string, streams []map[string]string, to instant.Instant) (matcher, remark string, err error) {
	lookedBack := false
	for _, label := range clusterLabels {
		values := valuesOf(streams, label)
		if len(values) == 1 && values[0] != s.cfg.Cluster && s.cfg.Cluster != "" && !lookedBack {
			if streams, err = s.streams(ctx, selector, to.Add(-lookBackFurther), to); err != nil {
				return "", "", err
			}
			lookedBack = true
			values = valuesOf(streams, label)
		}
		switch {
		case slices.Contains(values, s.cfg.Cluster):
			if len(values) == 1 && slices.ContainsFunc(streams, func(stream map[string]string) bool { return stream[label] == "" }) {
				// Those without the label may be the watched one's, too.
				return "", "", nil
			}
			matcher = fmt.Sprintf("%s=%q", label, s.cfg.Cluster)
			s.mu.Lock()
			s.cluster = matcher
			s.mu.Unlock()
			return matcher, ofTheCluster(matcher), nil
		case len(values) > 1:
			return "", "", &SeveralClustersError{Selector: selector, Label: label, Values: values}
		case len(values) == 1 && s.cfg.Cluster != "" && remark == "":
			remark = fmt.Sprintf("; %s=%q is the only cluster in the logs, though it is called otherwise than the watched one", label, values[0])
		}
	}
	return "", remark, nil
}

// valuesOf are the values of a label, in order, each once.
func valuesOf(streams []map[string]string, label string) []string {
	values := map[string]bool{}
	for _, stream := range streams {
		if v := stream[label]; v != "" {
			values[v] = true
		}
	}
	return slices.Sorted(maps.Keys(values))
}

// short lists the first few values.
func short(values []string) string {
	const most = 6
	if len(values) > most {
		return strings.Join(values[:most], ", ") + fmt.Sprintf(" and %d more", len(values)-most)
	}
	return strings.Join(values, ", ")
}

// joinMatchers joins two lists of matchers.
func joinMatchers(a, b string) string {
	if a == "" {
		return b
	}
	return strings.TrimSuffix(strings.TrimSpace(a), ",") + "," + b
}

// serviceLabel chooses the label that tells services apart best: the one that
// has most names of Temporal's services, then most values, then the commonest.
func serviceLabel(streams []map[string]string) (label, why string) {
	type candidate struct {
		label         string
		known, values int
	}
	var candidates []candidate
	for _, label := range serviceLabels {
		values := valuesOf(streams, label)
		if len(values) == 0 || len(values) == 1 && values[0] == "unknown_service" {
			continue
		}
		c := candidate{label: label, values: len(values)}
		for _, v := range values {
			if serviceName(v) != v || slices.Contains([]string{"frontend", "history", "matching", "worker"}, v) {
				c.known++
			}
		}
		candidates = append(candidates, c)
	}
	if len(candidates) == 0 {
		return serviceLabels[0], "which no stream has"
	}
	best := slices.MaxFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.known, b.known) })
	return best.label, fmt.Sprintf("whose values are %s", short(valuesOf(streams, best.label)))
}
