package loki

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// minutesVariable says how many minutes of logs the benchmark writes, at a
// million lines an hour; 60 unless told otherwise.
const minutesVariable = "COPILOT_BENCH_LOG_MINUTES"

const (
	linesAnHour = 1_000_000
	// pageLines is the most that Loki returns at once unless told otherwise.
	pageLines = 5000
)

// trace is a stack trace as Temporal's server writes one, of common length.
var trace = strings.Repeat(`go.temporal.io/server/common/persistence.(*executionManagerImpl).UpdateWorkflowExecution\n\t/src/temporal/common/persistence/execution_manager.go:157\n`, 17)

// kinds are the services, messages and errors that the lines tell of.
var kinds = [][3]string{
	{"history", "Persistent store operation Failure", "shard status unknown"},
	{"history", "Operation failed with internal error.", "UpdateWorkflowExecution operation failed. Failed to commit transaction. Error: ERROR: change conflicts with another transaction, please retry: (OC000) (SQLSTATE 40001)"},
	{"history", "Fail to process task", `connection error: desc = \"transport: Error while dialing: dial tcp 10.0.%d.%d:7234: connect: connection refused\"`},
	{"history", "Queue reader unable to retrieve tasks", "context deadline exceeded"},
	{"history", "Error updating queue state", "shard status unknown"},
	{"frontend", "service failures", "context deadline exceeded"},
	{"frontend", "service failures", "GetWorkflowExecution: failed for run %d of %d."},
	{"matching", "Persistent store operation Failure", "no usable database connection found"},
}

// writtenLine is one of the lines of a cluster in trouble: one in twenty tells
// something, and carries a stack trace, as in an outage; the others are usual.
func writtenLine(random *rand.Rand) string {
	id := fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", random.Uint32(), random.Uint32()&0xffff, random.Uint32()&0xfff, random.Uint32()&0xfff, random.Uint64()&0xffffffffffff)
	namespace := fmt.Sprintf("team-%c", 'a'+random.IntN(8))
	service := []string{"history", "matching", "frontend"}[random.IntN(3)]
	if random.IntN(20) > 0 {
		return fmt.Sprintf(`{"level":"info","ts":"2026-11-25T02:45:33.067Z","msg":"history client encountered note","service":%q,"shard-id":%d,"wf-namespace":%q,"wf-id":"order-%d","wf-run-id":%q,"address":"10.0.%d.%d:7234","logging-call-at":"/src/temporal/service/history/handler.go:1421"}`,
			service, random.IntN(512), namespace, random.IntN(1e6), id, random.IntN(4), random.IntN(255))
	}
	kind := kinds[random.IntN(len(kinds))]
	service, message, failure := kind[0], kind[1], kind[2]
	if strings.Contains(failure, "%d") {
		failure = fmt.Sprintf(failure, random.IntN(4), random.IntN(255))
	}
	return fmt.Sprintf(`{"level":"error","ts":"2026-11-25T02:45:33.067Z","msg":%q,"service":%q,"shard-id":%d,"wf-namespace":%q,"wf-id":"order-%d","wf-run-id":%q,"logging-call-at":"/src/temporal/common/x.go:1",`,
		message, service, random.IntN(512), namespace, random.IntN(1e6), id) +
		`"error":"` + failure + `","stacktrace":"` + trace + `"}`
}

// meter counts the bytes of answers as they come over the wire.
type meter struct {
	next     http.RoundTripper
	bytes    atomic.Int64
	requests atomic.Int64
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	m.requests.Add(1)
	resp, err := m.next.RoundTrip(r)
	if err == nil {
		resp.Body = &metered{ReadCloser: resp.Body, bytes: &m.bytes}
	}
	return resp, err
}

type metered struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.bytes.Add(int64(n))
	return n, err
}

// fetchAll reads all lines of a range page by page, which is what one has to do
// who counts them himself.
func fetchAll(tb testing.TB, client *http.Client, base string, from, to instant.Instant) (lines int) {
	start, end := from.Time().UnixNano()+1, to.Time().UnixNano()+1
	for {
		form := url.Values{
			"query": {`{job="temporal"}`}, "direction": {"forward"}, "limit": {strconv.Itoa(pageLines)},
			"start": {strconv.FormatInt(start, 10)}, "end": {strconv.FormatInt(end, 10)},
		}
		resp, err := client.Get(base + "/loki/api/v1/query_range?" + form.Encode())
		if err != nil {
			tb.Fatal(err)
		}
		var answer struct {
			Data struct {
				Result []struct {
					Values [][]json.RawMessage `json:"values"`
				} `json:"result"`
			} `json:"data"`
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err != nil {
			tb.Fatal(err)
		}
		page, last := 0, start
		for _, s := range answer.Data.Result {
			page += len(s.Values)
			for _, v := range s.Values {
				at, _ := strconv.ParseInt(strings.Trim(string(v[0]), `"`), 10, 64)
				last = max(last, at)
			}
		}
		lines += page
		if page < pageLines {
			return lines
		}
		start = last + 1
	}
}

// BenchmarkMillionLinesAnHour compares counting lines where they are kept with
// fetching them, on a real Loki that holds logs of a million lines an hour:
//
//	COPILOT_LAB_LOKI=bin/loki go test ./pkg/loki -run '^$' -bench MillionLines -benchtime 1x
func BenchmarkMillionLinesAnHour(b *testing.B) {
	r := startReal(b, "", "")
	minutes, err := strconv.Atoi(os.Getenv(minutesVariable))
	if err != nil || minutes < 2 {
		minutes = 60
	}
	to := lately()
	from := to.Add(-time.Duration(minutes) * time.Minute)
	total := linesAnHour / 60 * minutes
	random := rand.New(rand.NewPCG(1, 2))
	written := int64(0)
	watch := instant.StartStopwatch()
	const batch = 1000
	for n := 0; n < total; n += batch {
		lines := make([]said, 0, batch)
		for i := range min(batch, total-n) {
			line := writtenLine(random)
			written += int64(len(line))
			lines = append(lines, said{from.Time().UnixNano() + 1 + int64(float64(n+i)/float64(total)*float64(to.Sub(from))), line})
		}
		r.push(b, map[string]string{"job": "temporal", "service_name": "temporal"}, lines...)
	}
	b.Logf("%d lines of %d minutes, %d MB, written in %s", total, minutes, written>>20, watch.Elapsed().Round(time.Second))

	wire := &meter{next: &http.Transport{DisableCompression: true}}
	s := r.scanner(b)
	s.client = &http.Client{Transport: &polite{next: wire}}
	fetching := &http.Client{Transport: &unbounded{next: wire}}
	measure := func(what string, do func() string) (int64, time.Duration) {
		wire.bytes.Store(0)
		wire.requests.Store(0)
		watch := instant.StartStopwatch()
		found := do()
		took := watch.Elapsed()
		b.Logf("%-44s %6d requests %12d bytes %10s   %s", what, wire.requests.Load(), wire.bytes.Load(), took.Round(time.Millisecond), found)
		return wire.bytes.Load(), took
	}
	scan := func(from instant.Instant) func() string {
		return func() string {
			windows, err := s.Scan(b.Context(), from, to, step)
			if err != nil {
				b.Fatal(err)
			}
			lines, kinds := int64(0), 0
			for _, w := range windows {
				kinds = max(kinds, len(w.Counts))
				lines += w.Rest
				for _, c := range w.Counts {
					lines += c.Lines
				}
			}
			return fmt.Sprintf("%d telling lines in %d windows of up to %d templates", lines, len(windows), kinds)
		}
	}
	fetch := func(from instant.Instant) func() string {
		return func() string { return fmt.Sprintf("%d lines", fetchAll(b, fetching, r.url, from, to)) }
	}
	measure("the first scan, which finds the streams", scan(to.Add(-step)))
	for b.Loop() {
		countBytes, countTime := measure("one window of 30s counted", scan(to.Add(-step)))
		fetchBytes, fetchTime := measure("one window of 30s fetched", fetch(to.Add(-step)))
		b.ReportMetric(float64(countBytes), "bytes/scan")
		b.ReportMetric(float64(fetchBytes)/float64(countBytes), "times-fewer-bytes")
		b.ReportMetric(float64(fetchTime)/float64(countTime), "times-faster")
		measure(fmt.Sprintf("%d minutes counted", minutes), scan(from))
		measure(fmt.Sprintf("%d minutes fetched", minutes), fetch(from))
	}
}

// unbounded takes answers compressed, and of any length.
type unbounded struct{ next http.RoundTripper }

func (u *unbounded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := u.next.RoundTrip(r)
	if err == nil && resp.Header.Get("Content-Encoding") == "gzip" {
		resp.Body = &unzipped{body: resp.Body}
	}
	return resp, err
}
