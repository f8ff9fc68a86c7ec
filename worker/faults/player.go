package faults

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Player plays a part of a recording again and again as if it happened now: it
// answers like a Prometheus, at any instant, what the Prometheus that serves
// the recording says of the second of the recording that is being played then.
// What it answers depends on the instant alone, so that who asks afterwards
// hears what he would have heard at once.
//
// A query is evaluated by that Prometheus once, over the whole part, and
// remembered. A player therefore costs little, however many ask it.
type Player struct {
	upstream string
	from     instant.Instant // the first second of the part
	seconds  int64           // its length
	begin    instant.Instant // when it is played first

	mu      sync.Mutex
	queries map[string]*query
	labels  map[string]*labelValues
}

// query is what a query gives in every second of the part.
type query struct {
	once   sync.Once
	err    error
	series []series
}

// series is one series of a query's answer.
type series struct {
	metric json.RawMessage
	values []string // one a second; empty where there is none
}

// labelValues is the answer to a question for the values of a label.
type labelValues struct {
	once sync.Once
	err  error
	body []byte
}

// NewPlayer plays what lies between two instants of the recording that a
// Prometheus serves, for the first time at begin.
func NewPlayer(prometheus string, from, to, begin instant.Instant) *Player {
	return &Player{
		upstream: prometheus, from: from, begin: begin, seconds: max(1, int64(to.Sub(from).Seconds())),
		queries: map[string]*query{}, labels: map[string]*labelValues{},
	}
}

// second is which second of the part is played at an instant in Unix time.
func (p *Player) second(unix float64) int64 {
	passed := int64(math.Floor(unix - float64(p.begin.UnixMilli())/1000))
	return ((passed % p.seconds) + p.seconds) % p.seconds
}

// ServeHTTP answers the questions of Prometheus' API that an observer asks:
// range queries, instant queries, and label values.
func (p *Player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body []byte
	err := r.ParseForm()
	if err == nil {
		switch path := r.URL.Path; {
		case path == "/api/v1/query_range":
			body, err = p.queryRange(r.Form)
		case path == "/api/v1/query":
			body, err = p.query(r.Context(), r.Form)
		case strings.HasPrefix(path, "/api/v1/label/"):
			body, err = p.labelValues(path, r.Form["match[]"])
		default:
			http.NotFound(w, r)
			return
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // who has gone needs no answer
}

// queryRange answers a range query.
func (p *Player) queryRange(form url.Values) ([]byte, error) {
	var start, end, step float64
	for name, value := range map[string]*float64{"start": &start, "end": &end, "step": &step} {
		var err error
		if *value, err = strconv.ParseFloat(form.Get(name), 64); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if step <= 0 || end < start || (end-start)/step > 11_000 {
		return nil, fmt.Errorf("a range from %g to %g by %g", start, end, step)
	}
	q, err := p.evaluated(form.Get("query"))
	if err != nil {
		return nil, err
	}
	type played struct {
		Metric json.RawMessage `json:"metric"`
		Values [][2]any        `json:"values"`
	}
	result := []played{}
	for i := range q.series {
		one := played{Metric: q.series[i].metric}
		for at := start; at <= end; at += step {
			if value := q.series[i].values[p.second(at)]; value != "" {
				one.Values = append(one.Values, [2]any{at, value})
			}
		}
		if len(one.Values) > 0 {
			result = append(result, one)
		}
	}
	return json.Marshal(map[string]any{
		"status": "success", "data": map[string]any{"resultType": "matrix", "result": result},
	})
}

// evaluated returns what a query gives, asking for it the first time.
func (p *Player) evaluated(text string) (*query, error) {
	p.mu.Lock()
	q := p.queries[text]
	if q == nil {
		q = new(query)
		p.queries[text] = q
	}
	p.mu.Unlock()
	// The one who asks first may give up before the others do.
	q.once.Do(func() {
		if q.err = p.evaluate(context.Background(), text, q); q.err != nil {
			p.mu.Lock()
			delete(p.queries, text) // the next one asks again
			p.mu.Unlock()
		}
	})
	return q, q.err
}

func (p *Player) evaluate(ctx context.Context, text string, q *query) error {
	last := p.from.Add(time.Duration(p.seconds-1) * time.Second)
	body, err := p.ask(ctx, "/api/v1/query_range", url.Values{
		"query": {text}, "start": {unix(p.from)}, "end": {unix(last)}, "step": {"1"},
	})
	if err != nil {
		return err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric json.RawMessage      `json:"metric"`
				Values [][2]json.RawMessage `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the answer to %s: %w", text, err)
	}
	first := float64(p.from.UnixMilli()) / 1000
	for _, one := range answer.Data.Result {
		s := series{metric: one.Metric, values: make([]string, p.seconds)}
		for _, pair := range one.Values {
			at, err := strconv.ParseFloat(string(pair[0]), 64)
			if err != nil {
				return err
			}
			var value string
			if err := json.Unmarshal(pair[1], &value); err != nil {
				return err
			}
			if second := int64(math.Round(at - first)); second >= 0 && second < p.seconds {
				s.values[second] = value
			}
		}
		q.series = append(q.series, s)
	}
	return nil
}

// query passes on an instant query, for the second that is played then. The
// answer has the recording's own times: only their distances are the present's.
func (p *Player) query(ctx context.Context, form url.Values) ([]byte, error) {
	at, err := strconv.ParseFloat(form.Get("time"), 64)
	if err != nil {
		return nil, fmt.Errorf("time: %w", err)
	}
	then := p.from.Add(time.Duration(p.second(at)) * time.Second)
	return p.ask(ctx, "/api/v1/query", url.Values{"query": {form.Get("query")}, "time": {unix(then)}})
}

// labelValues answers what values a label has. They are those of the whole
// part, whatever range is asked for.
func (p *Player) labelValues(path string, match []string) ([]byte, error) {
	key := path + "\n" + strings.Join(match, "\n")
	p.mu.Lock()
	known := p.labels[key]
	if known == nil {
		known = new(labelValues)
		p.labels[key] = known
	}
	p.mu.Unlock()
	known.once.Do(func() {
		known.body, known.err = p.ask(context.Background(), path, url.Values{
			"match[]": match, "start": {unix(p.from)}, "end": {unix(p.from.Add(time.Duration(p.seconds) * time.Second))},
		})
		if known.err != nil {
			p.mu.Lock()
			delete(p.labels, key) // the next one asks again
			p.mu.Unlock()
		}
	})
	return known.body, known.err
}

// ask asks the Prometheus that serves the recording.
func (p *Player) ask(ctx context.Context, path string, form url.Values) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.upstream+path+"?"+form.Encode(), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, cmp.Or(string(body), "no reason given"))
	}
	return body, err
}

// unix writes an instant as Prometheus reads it.
func unix(at instant.Instant) string {
	return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)
}
