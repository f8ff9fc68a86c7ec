package loki

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// noon is a multiple of every step that the tests use.
var noon = instant.FromUnix(1_764_072_000)

// record is a line that a double holds: where it is, when, and what the pipeline
// would make of it.
type record struct {
	at     instant.Instant
	stream map[string]string
	group  map[string]string
	text   string
}

// asked is a request that a double was sent.
type asked struct {
	path   string
	form   map[string]string
	header http.Header
}

// double speaks Loki's HTTP API. It does not evaluate pipelines: each record
// says how it is grouped. Windows and limits it takes as a real one does; that it
// does is tested on a real one.
type double struct {
	mu      sync.Mutex
	records []record
	asked   []asked
	// before may answer a request itself, and then returns true.
	before func(w http.ResponseWriter, r *http.Request) bool
	// mostSeries is the limit on the series of an answer; 0 for none.
	mostSeries int
	// timely makes it forget streams without a line in the time asked for.
	timely bool
}

// serve starts a double.
func serve(t *testing.T, d *double) string {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return server.URL
}

// add puts a line there.
func (d *double) add(r record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.stream == nil {
		r.stream = map[string]string{"job": "temporal", "service_name": "temporal"}
	}
	if r.text == "" {
		r.text = `{"level":"error","msg":"x"}`
	}
	d.records = append(d.records, r)
}

// requests returns the requests whose query holds a text.
func (d *double) requests(holding string) []asked {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []asked
	for _, a := range d.asked {
		if strings.Contains(a.form["query"]+a.form["match[]"], holding) {
			found = append(found, a)
		}
	}
	return found
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	form := map[string]string{}
	for key := range r.Form {
		form[key] = r.Form.Get(key)
	}
	d.mu.Lock()
	d.asked = append(d.asked, asked{path: r.URL.Path, form: form, header: r.Header})
	d.mu.Unlock()
	if d.before != nil && d.before(w, r) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	query := form["query"]
	switch path := strings.TrimPrefix(r.URL.Path, "/loki/api/v1/"); {
	case path == "labels":
		reply(w, d.labels())
	case path == "series":
		reply(w, d.series(form))
	case path == "query_range" && strings.HasPrefix(query, "{"):
		reply(w, map[string]any{"resultType": "streams", "result": d.lines(form), "stats": map[string]any{}})
	case path == "query_range":
		series := d.count(form)
		if d.mostSeries > 0 && len(series) > d.mostSeries {
			http.Error(w, "maximum number of series (500) reached for a single query; consider reducing query cardinality", http.StatusBadRequest)
			return
		}
		reply(w, map[string]any{"resultType": "matrix", "result": series, "stats": map[string]any{}})
	default:
		http.NotFound(w, r)
	}
}

// reply writes an answer.
func reply(w http.ResponseWriter, data any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data})
}

// labels are the names of the labels of all streams.
func (d *double) labels() []string {
	names := map[string]bool{}
	for _, r := range d.records {
		for name := range r.stream {
			names[name] = true
		}
	}
	var list []string
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// streamMatcher is one matcher of a selector.
var streamMatcher = regexp.MustCompile("([a-zA-Z_]+)(=~|!~|!=|=)(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)")

// chosen tells whether a selector chooses a stream.
func chosen(selector string, stream map[string]string) bool {
	for _, m := range streamMatcher.FindAllStringSubmatch(selector, -1) {
		want, _ := strconv.Unquote(m[3])
		if !strings.Contains(m[2], "~") {
			want = regexp.QuoteMeta(want)
		}
		if regexp.MustCompile("^(?:"+want+")$").MatchString(stream[m[1]]) != (m[2][0] == '=') {
			return false
		}
	}
	return true
}

// series are the streams that a selector chooses.
func (d *double) series(form map[string]string) []map[string]string {
	found := map[string]map[string]string{}
	for _, r := range d.records {
		at := r.at.Time().UnixNano()
		in := !d.timely || at >= number(form, "start") && at < number(form, "end")
		if in && chosen(form["match[]"], r.stream) {
			key, _ := json.Marshal(r.stream)
			found[string(key)] = r.stream
		}
	}
	list := []map[string]string{}
	for _, stream := range found {
		list = append(list, stream)
	}
	return list
}

// number reads a parameter.
func number(form map[string]string, name string) int64 {
	n, _ := strconv.ParseInt(form[name], 10, 64)
	return n
}

// selectorOf is the selector of a query.
var selectorOf = regexp.MustCompile("\\{(?:[^}`\"]|`[^`]*`|\"[^\"]*\")*\\}")

// lines answers a log query.
func (d *double) lines(form map[string]string) []any {
	var held []record
	for _, r := range d.records {
		if n := r.at.Time().UnixNano(); n >= number(form, "start") && n < number(form, "end") && chosen(selectorOf.FindString(form["query"]), r.stream) {
			held = append(held, r)
		}
	}
	slices.SortStableFunc(held, func(a, b record) int { return b.at.Compare(a.at) })
	held = held[:min(len(held), int(number(form, "limit")))]
	result := []any{}
	for _, r := range held {
		labels := map[string]string{}
		for name, value := range r.stream {
			labels[name] = value
		}
		for name, value := range r.group {
			labels[name] = value
		}
		result = append(result, map[string]any{"stream": labels, "values": [][]any{{nanos(r.at), r.text}}})
	}
	return result
}

var (
	grouping = regexp.MustCompile(`^topk\((\d+), sum by \(([^)]*)\)`)
	ranged   = regexp.MustCompile(`\[(\w+)\](?: offset (\w+))?\)+$`)
)

// count answers a metric query, as Loki does: at each step it counts the lines
// after the step less the range and up to the step.
func (d *double) count(form map[string]string) []any {
	step, _ := strconv.ParseFloat(form["step"], 64)
	stretch := ranged.FindStringSubmatch(form["query"])
	window, _ := time.ParseDuration(stretch[1])
	offset, _ := time.ParseDuration(stretch[2])
	most, by := 1<<30, []string(nil)
	if m := grouping.FindStringSubmatch(form["query"]); m != nil {
		most, _ = strconv.Atoi(m[1])
		by = strings.Split(m[2], ",")
	}
	type group struct {
		labels map[string]string
		points []any
		lines  int
	}
	all := map[string]*group{}
	every := int64(step * 1e9)
	// As the splitting of queries does: down to a multiple from 1970.
	for at := number(form, "start") / every * every; at <= number(form, "end"); at += every {
		now := map[string]*group{}
		for _, r := range d.records {
			if n := r.at.Time().UnixNano() + offset.Nanoseconds(); n <= at-window.Nanoseconds() || n > at || !chosen(selectorOf.FindString(form["query"]), r.stream) {
				continue
			}
			labels := map[string]string{}
			for _, name := range by {
				if r.group[name] != "" {
					labels[name] = r.group[name]
				}
			}
			key, _ := json.Marshal(labels)
			if now[string(key)] == nil {
				now[string(key)] = &group{labels: labels}
			}
			now[string(key)].lines++
		}
		keys := make([]string, 0, len(now))
		for key := range now {
			keys = append(keys, key)
		}
		slices.SortFunc(keys, func(a, b string) int {
			return cmp.Or(cmp.Compare(now[b].lines, now[a].lines), cmp.Compare(a, b))
		})
		for _, key := range keys[:min(len(keys), most)] {
			if all[key] == nil {
				all[key] = now[key]
			}
			all[key].points = append(all[key].points, []any{float64(at/1e6) / 1e3, strconv.Itoa(now[key].lines)})
		}
	}
	result := []any{}
	for _, g := range all {
		result = append(result, map[string]any{"metric": g.labels, "values": g.points})
	}
	return result
}
