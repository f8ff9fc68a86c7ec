package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/loki"
	"github.com/temporal-sre/copilot/pkg/prometheus"
	"github.com/temporal-sre/copilot/pkg/redact"
	"github.com/temporal-sre/copilot/worker/activities"
	"github.com/temporal-sre/copilot/worker/schedules"
	"github.com/temporal-sre/copilot/worker/workflows"
)

// maxName is how long the name of a cluster may be, in bytes: it is part of
// keys in the store and of workflow ids.
const maxName = 128

// Cluster is all that a worker knows of one of the clusters that it watches.
type Cluster struct {
	Name       string
	Prometheus prometheus.Config
	// Loki is where the cluster's logs are; without a URL they are not read.
	Loki loki.Config
	// Redact are rules for what must not leave the logs, beside the built-in
	// ones.
	Redact  []redact.Rule
	Observe workflows.ObserveConfig
	Assess  schedules.Assess
	Retain  schedules.Retain
}

// Defaults are what a cluster has that says nothing else of itself.
type Defaults struct {
	Observe workflows.ObserveConfig
	Assess  schedules.Assess
	Retain  schedules.Retain
}

// Plan is what is to be done for the cluster by schedule.
func (c *Cluster) Plan() schedules.Plan {
	return schedules.Plan{Cluster: c.Name, Assess: c.Assess, Retain: c.Retain}
}

// Validate returns all that is wrong with the cluster, one error each, joined.
func (c *Cluster) Validate() error {
	problems := checkName(c.Name)
	_, err := prometheus.New(c.Prometheus)
	problems = append(problems, split(err)...)
	_, err = c.Logs()
	problems = append(problems, split(err)...)
	if c.Loki.Timeout > activities.LogsTimeout {
		problems = append(problems, fmt.Errorf("loki timeout is %s; it has to be %s at most, for so long it may keep a verdict waiting", c.Loki.Timeout, activities.LogsTimeout))
	}
	problems = append(problems, under("observe.", c.Observe.Validate())...)
	problems = append(problems, under("assess.", c.Assess.Validate())...)
	return errors.Join(append(problems, under("retain.", c.Retain.Validate())...)...)
}

// Logs returns what reads the cluster's logs, nil where none are to be read. The
// error is all that is wrong with the settings.
func (c *Cluster) Logs() (*loki.Scanner, error) {
	l := &c.Loki
	switch {
	case l.URL == "" && (l.Selector != "" || l.ServiceLabel != "" || l.Username != "" || l.Tenant != "" || l.BearerTokenFile != "" || len(c.Redact) > 0):
		return nil, &loki.ConfigError{Field: "url", Value: "", Remedy: "give the base URL of a Loki API, such as http://localhost:3100, or leave the other settings of loki out"}
	case l.URL == "":
		return nil, nil
	}
	redactor, err := redact.New(c.Redact...)
	if err != nil {
		return nil, err
	}
	settings := c.Loki
	settings.Cluster, settings.Redact = c.Name, redactor.Text
	return loki.New(settings)
}

// Clusters are the clusters that the file lists, filled up from the defaults.
// The error is all that is wrong with any of them, each with the path of the
// field.
func (f *File) Clusters(defaults Defaults) ([]Cluster, error) {
	var clusters []Cluster
	var problems []error
	var names []string
	for i := range f.doc.Clusters {
		entry := &f.doc.Clusters[i]
		at := fmt.Sprintf("clusters[%d]", i)
		if entry.Name != "" {
			at += " (" + entry.Name + ")"
		}
		r := reading{at: at}
		c := r.cluster(entry, defaults)
		if slices.Contains(names, c.Name) && c.Name != "" {
			r.wrong("name", fmt.Sprintf("%q is taken; give every cluster a name of its own", c.Name))
		}
		names = append(names, c.Name)
		problems = append(problems, r.problems...)
		clusters = append(clusters, c)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return clusters, nil
}

// reading turns an entry's text into values and notes what is wrong.
type reading struct {
	at       string
	problems []error
}

// wrong notes a problem with a field.
func (r *reading) wrong(field, problem string) {
	r.problems = append(r.problems, fmt.Errorf("%s.%s: %s", r.at, field, problem))
}

// duration reads one, or leaves the default where the file says nothing.
func (r *reading) duration(field, text string, value *time.Duration) {
	if text == "" {
		return
	}
	read, err := time.ParseDuration(text)
	if err != nil {
		r.wrong(field, fmt.Sprintf("%q is no duration; write it like 30s, 5m or 720h", text))
		return
	}
	*value = read
}

// cluster reads one entry.
func (r *reading) cluster(entry *clusterEntry, defaults Defaults) Cluster {
	c := Cluster{Name: entry.Name, Observe: defaults.Observe, Assess: defaults.Assess, Retain: defaults.Retain}
	r.duration("observe.interval", entry.Observe.Interval, &c.Observe.Interval)
	r.duration("observe.settle", entry.Observe.Settle, &c.Observe.Settle)
	r.duration("observe.catch_up", entry.Observe.CatchUp, &c.Observe.CatchUp)
	r.duration("observe.warm_up", entry.Observe.WarmUp, &c.Observe.WarmUp)
	r.duration("assess.every", entry.Assess.Every, &c.Assess.Every)
	r.duration("assess.jitter", entry.Assess.Jitter, &c.Assess.Jitter)
	r.duration("retain.keep", entry.Retain.Keep, &c.Retain.Keep)
	r.duration("retain.every", entry.Retain.Every, &c.Retain.Every)
	if entry.Assess.Overlap != "" {
		c.Assess.Overlap = schedules.Overlap(entry.Assess.Overlap)
	}

	p := &entry.Prometheus
	c.Prometheus = prometheus.Config{
		URL: p.URL, Selector: p.Selector, Dialect: p.Dialect, Username: p.Username, BearerTokenFile: p.BearerTokenFile,
		Tenant: p.Tenant, SigV4: p.SigV4, Region: p.Region, Role: p.RoleARN, CAFile: p.CAFile,
		Cluster: c.Name, Namespace: entry.Namespace,
	}
	r.duration("prometheus.timeout", p.Timeout, &c.Prometheus.Timeout)
	c.Prometheus.Password = r.password("prometheus", p.URL, p.PasswordFile)
	r.logs(&entry.Loki, &c)
	if len(r.problems) == 0 { // else half a value would be complained about, too
		for _, problem := range split(c.Validate()) {
			r.problems = append(r.problems, fmt.Errorf("%s: %w", r.at, problem))
		}
	}
	return c
}

// logs reads where the cluster's logs are.
func (r *reading) logs(l *lokiEntry, c *Cluster) {
	c.Loki = loki.Config{
		URL: l.URL, Selector: l.Selector, ServiceLabel: l.ServiceLabel, Username: l.Username,
		BearerTokenFile: l.BearerTokenFile, Tenant: l.Tenant, CAFile: l.CAFile,
	}
	r.duration("loki.timeout", l.Timeout, &c.Loki.Timeout)
	c.Loki.Password = r.password("loki", l.URL, l.PasswordFile)
	for _, rule := range l.Redact {
		c.Redact = append(c.Redact, redact.Rule{Name: rule.Name, Pattern: rule.Pattern})
	}
}

// password reads a password file, and refuses a password in the URL beside it.
func (r *reading) password(system, address, file string) string {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		r.wrong(system+".url", "it holds a user or password; use username and password_file")
	}
	password, err := secret(system+".password_file", file)
	if err != nil {
		r.problems = append(r.problems, fmt.Errorf("%s.%w", r.at, err))
	}
	return password
}

// checkName returns what is wrong with a cluster's name.
func checkName(name string) []error {
	switch {
	case name == "":
		return []error{errors.New("name is empty; give the cluster the name that it is known by in the store")}
	case len(name) > maxName:
		return []error{fmt.Errorf("name has %d bytes; it may have %d", len(name), maxName)}
	case strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c == 0x7f || c == 0xfffd }):
		return []error{fmt.Errorf("name is %q; use letters, digits and punctuation without spaces", name)}
	}
	return nil
}

// split takes joined errors apart.
func split(err error) []error {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, split(one)...)
	}
	return all
}

// under puts a prefix before each of several joined errors.
func under(prefix string, err error) []error {
	var all []error
	for _, one := range split(err) {
		all = append(all, fmt.Errorf("%s%w", prefix, one))
	}
	return all
}
