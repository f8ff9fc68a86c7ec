package signals

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// builder renders PromQL for one naming, selector and rate window.
type builder struct {
	naming   Naming
	selector string
	window   string
	// seconds are those of the window.
	seconds float64
}

// selectorMark stands for the user's selector while labels are renamed, so that
// a namespace in it keeps its meaning.
const selectorMark = "__selector__"

// namespaceLabel finds Temporal's label in a query; no metric is called so.
var namespaceLabel = regexp.MustCompile(`\bnamespace\b`)

// exportedQuery renders a query for metrics whose namespace label Prometheus
// has renamed.
func exportedQuery(d Definition, b builder) string {
	selector := b.selector
	if selector != "" {
		b.selector = selectorMark
	}
	query := namespaceLabel.ReplaceAllString(d.query(b), ExportedNamespace)
	return strings.ReplaceAll(query, selectorMark, selector)
}

// promDuration writes a duration as PromQL accepts it, in whole seconds.
func promDuration(d time.Duration) string {
	return fmt.Sprintf("%ds", int(d.Round(time.Second).Seconds()))
}

// series writes an instant selector.
func (b builder) series(name string, matchers ...string) string {
	if b.selector != "" {
		matchers = append(matchers, b.selector)
	}
	return name + "{" + strings.Join(matchers, ",") + "}"
}

// rate of a counter, by its base name.
func (b builder) rate(name string, matchers ...string) string {
	return fmt.Sprintf("rate(%s[%s])", b.series(name+b.naming.Counter, matchers...), b.window)
}

// rateFromBirth is the rate of a counter, given by its full name, whose first
// event matters. A counter is born with its first event, and rate() knows
// nothing of it before its second sample, a scrape later. What it was born with
// counts too, if its target was scraped before within the window: only then is
// the counter new, not merely newly seen.
func (b builder) rateFromBirth(fullName string, matchers ...string) string {
	counter := b.series(fullName, matchers...)
	return fmt.Sprintf("(rate(%s[%s]) or (%s and on (job, instance) (sum_over_time(%s[%s]) >= 2)) / %g)",
		counter, b.window, counter, b.series("up"), b.window, b.seconds)
}

// timerRate is the rate of a timer's observations.
func (b builder) timerRate(name string, matchers ...string) string {
	return fmt.Sprintf("rate(%s[%s])", b.series(name+b.naming.Timer+"_count", matchers...), b.window)
}

// histogramRate is the rate of a dimensionless histogram's observations.
func (b builder) histogramRate(name string, matchers ...string) string {
	return fmt.Sprintf("rate(%s[%s])", b.series(name+b.naming.Histogram+"_count", matchers...), b.window)
}

// histogramMean is the mean of a dimensionless histogram's observations over a
// range, by labels.
func (b builder) histogramMean(name, by, window string, matchers ...string) string {
	full := name + b.naming.Histogram
	return fmt.Sprintf("%s / %s",
		sumBy(by, fmt.Sprintf("rate(%s[%s])", b.series(full+"_sum", matchers...), window)),
		sumBy(by, fmt.Sprintf("rate(%s[%s])", b.series(full+"_count", matchers...), window)))
}

// timerMean is the mean of a timer's observations in milliseconds, by labels.
func (b builder) timerMean(name, by string, matchers ...string) string {
	full := name + b.naming.Timer
	return fmt.Sprintf("%g * %s / %s", b.naming.Millis,
		sumBy(by, fmt.Sprintf("rate(%s[%s])", b.series(full+"_sum", matchers...), b.window)),
		sumBy(by, fmt.Sprintf("rate(%s[%s])", b.series(full+"_count", matchers...), b.window)))
}

// p99 of a timer in milliseconds, by labels.
func (b builder) p99(name, by string, matchers ...string) string {
	labels := "le"
	if by != "" {
		labels += ", " + by
	}
	return fmt.Sprintf("%g * histogram_quantile(0.99, sum by (%s) (rate(%s[%s])))",
		b.naming.Millis, labels, b.series(name+b.naming.Timer+"_bucket", matchers...), b.window)
}

func sumBy(by, expr string) string { return aggregate("sum", by, expr) }

func aggregate(op, by, expr string) string {
	if by == "" {
		return fmt.Sprintf("%s(%s)", op, expr)
	}
	return fmt.Sprintf("%s by (%s) (%s)", op, by, expr)
}

// sumOf adds several rates that may each be absent. rate() drops the metric's
// name, so each gets a label of its own before they are joined.
func sumOf(by string, rates ...string) string {
	parts := make([]string, 0, len(rates))
	for i, r := range rates {
		parts = append(parts, fmt.Sprintf(`label_replace(%s, "part", "%d", "", "")`, r, i))
	}
	return sumBy(by, strings.Join(parts, " or "))
}

// joinNamings joins what the fleets of several namings report, as the parts of
// a cluster are joined.
func joinNamings(r Rollup, queries []string) string {
	parts := make([]string, 0, len(queries))
	for i, q := range queries {
		parts = append(parts, fmt.Sprintf(`label_replace(%s, "part", "%d", "", "")`, q, i))
	}
	return fmt.Sprintf("%s without (part) (%s)", r, strings.Join(parts, " or "))
}

// less subtracts a part that may be absent.
func less(whole, part string) string {
	return fmt.Sprintf("clamp_min(%s - (%s or 0 * %s), 0)", whole, part, whole)
}
