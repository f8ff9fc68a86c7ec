package loki

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/narrative"
)

var (
	isConsole = regexp.MustCompile(console)
	isLogfmt  = regexp.MustCompile(`(?:^|\s)level=`)
)

// separator stands between the message and the error in one label: they are
// brought into their common form together, since Loki compiles the regular
// expression anew for every line. The blanks keep words from reaching across.
const separator = " \x1f "

// cutMark stands behind a text of which Loki left out the end. There may be half
// a secret before it.
const (
	cutMark        = "\x1e"
	cutMarkEscaped = `\x1e`
)

// uuid is how Temporal writes the identifiers that it makes.
const uuid = `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`

const (
	// partition is the name of a task queue's partition or version, of which the
	// name of the queue is kept.
	partition = `^/_sys/([^/]+)/.*$`
	// process is what a sticky queue has for a name, and what else makes a queue
	// one of many.
	process = `^.*:` + uuid + `$|` + uuid
)

// events are what informational lines contain that the catalogue knows, as a
// regular expression.
var events = alternatives(narrative.EventMessages())

// alternatives is the regular expression for any of some texts.
func alternatives(texts []string) string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = regexp.QuoteMeta(text)
	}
	return strings.Join(list, "|")
}

// inTemplate writes a text as a string of Go's templates, which LogQL has
// between backticks.
func inTemplate(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// detail is how finely lines are told apart.
type detail struct {
	by []string
	// text is what of a line's texts is looked at, as an argument of a template.
	text string
}

// messageOnly and messageAndError are cut, since some errors hold whole
// documents; what is cut is marked.
var (
	messageOnly     = `(printf "%s \x1f" ` + cut(".c_msg", 300) + `)`
	messageAndError = `(printf "%s \x1f %s" ` + cut(".c_msg", 300) + ` ` + cut(".c_err", 600) + `)`
)

// cut is a template for the first characters of a label, with cutMark behind them
// if that is not all.
func cut(label string, most int) string {
	short := fmt.Sprintf(`(printf "%%.%ds" %s)`, most, label)
	return `(or (and (ne ` + short + ` ` + label + `) (printf "%s ` + cutMarkEscaped + `" ` + short + `)) ` + label + `)`
}

// details are the ways to tell lines apart, from fine to coarse. Loki refuses to
// answer when there are more groups than max_query_series allows, of which topk
// keeps only the most frequent: it bounds what its parts give each other, not
// what it answers.
var details = []detail{
	{by: []string{"c_svc", "c_level", "c_text", "c_comp", "c_life", "c_ns", "c_tq"}, text: messageAndError},
	{by: []string{"c_svc", "c_level", "c_text", "c_comp", "c_life"}, text: messageAndError},
	{by: []string{"c_svc", "c_level", "c_text", "c_comp", "c_life"}, text: messageOnly},
}

// queries writes the queries about one deployment.
type queries struct {
	selector, serviceLabel string
}

// lines is the pipeline that leaves the lines that tell something, with what
// they are counted by as labels. The SDK also writes for the server's own worker
// service, which adds logging-call-at; elsewhere that tells the service too, as
// a file's path.
func (q queries) lines(text string, filters ...string) string {
	stages := []string{"{" + q.selector + "}", "!~ `" + frame + "`", "|~ `" + words + "|" + events + "`", "|~ `(?i)" + telling + "|" + events + "`"}
	stages = append(stages, filters...)
	stages = append(stages, parse,
		"| label_format "+labels(
			"c_level", "{{ToLower (or .p_level .c_level .c_level2 .l_level .l_level2 .x_level)}}",
			"c_msg", "{{if "+message+"}}{{"+message+"}}{{else if "+logger+"}}{{"+logger+"}}: "+noMessage+"{{else}}"+noMessage+"{{end}}",
			"c_err", "{{or .c_err .c_err2 .c_err3 .l_err .l_err2 .l_err3}}",
			"c_svc", "{{if .c_svc}}{{.c_svc}}{{else if or .c_worker .l_worker .c_tq2 .l_tq2}}{{if .c_at}}worker{{else}}workers{{end}}"+
				`{{else if contains "/service/history/" .c_at}}history{{else if contains "/service/matching/" .c_at}}matching`+
				`{{else if contains "/service/frontend/" .c_at}}frontend{{else}}{{.`+q.serviceLabel+"}}{{end}}",
			"c_comp", "{{or .c_comp .l_comp}}",
			"c_key", "{{"+message+"}} {{or .c_comp .l_comp}}"+logfmtHint(),
			"c_ns", "{{or .c_ns .c_ns2 .l_ns2}}",
			"c_tq", "{{or .c_tq .c_tq2 .l_tq2}}",
		),
		"| (c_level=~`"+levels+"` or c_key=~`(?is).*(?:"+events+").*`)",
		"| label_format "+labels(
			"c_text", replaceVarying(text),
			"c_tq", `{{if hasPrefix "/_sys/" .c_tq}}{{regexReplaceAll `+inTemplate(partition)+` .c_tq "$1"}}`+
				`{{else if .c_tq}}{{regexReplaceAll `+inTemplate(process)+` .c_tq "<*>"}}{{end}}`,
		),
		"| drop __error__,__error_details__",
	)
	return strings.Join(stages, " ")
}

// labels writes the arguments of label_format: names with their templates.
func labels(pairs ...string) string {
	var list []string
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, pairs[i]+"=`"+pairs[i+1]+"`")
	}
	return strings.Join(list, ",")
}

// count is the query for the most frequent groups of a window.
func (q queries) count(d detail, window, shift time.Duration, most int) string {
	return fmt.Sprintf("topk(%d, sum by (%s)(count_over_time(%s %s)))", most, strings.Join(d.by, ","), q.lines(d.text), stretch(window, shift))
}

// total is the query for all the lines that count would count.
func (q queries) total(window, shift time.Duration) string {
	return fmt.Sprintf("sum(count_over_time(%s %s))", q.lines(messageOnly), stretch(window, shift))
}

// stretch writes a range that ended some time before the step.
func stretch(window, shift time.Duration) string {
	if shift == 0 {
		return "[" + duration(window) + "]"
	}
	return "[" + duration(window) + "] offset " + duration(shift)
}

// duration writes a duration as LogQL reads it, which knows nothing finer than a
// millisecond.
func duration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}
