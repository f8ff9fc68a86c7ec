package narrative_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/narrative"
)

const step = 30 * time.Second

var start = instant.FromUnix(1_764_000_000)

// refused is a line of a history service whose database is away, other one that
// nobody foresaw, and acquired one of a shard that moved.
var (
	refused = health.LogTemplate{
		Service: "history", Level: "error", Message: "Persistent store operation Failure",
		Error: "dial tcp <*>: connect: connection refused", Component: "history-persistence",
	}
	other    = health.LogTemplate{Service: "matching", Level: "error", Message: "the frobnicator is out of cheese"}
	acquired = health.LogTemplate{Service: "history", Level: "info", Message: "Acquired shard", Component: "shard-controller"}
)

// queued is what the n-th queue's workers write.
func queued(n int) health.LogTemplate {
	return health.LogTemplate{Service: narrative.Workers, Level: "error", Message: "Activity panic.", Namespace: "default", TaskQueue: fmt.Sprintf("queue-%03d", n)}
}

// window is the n-th window from the start.
func window(n int, counts ...health.LogCount) health.LogWindow {
	w := health.LogWindow{From: start.Add(time.Duration(n) * step), To: start.Add(time.Duration(n+1) * step), Counts: counts}
	w.Normalize()
	return w
}

func of(t health.LogTemplate, lines int64) health.LogCount {
	return health.LogCount{LogTemplate: t, Lines: lines}
}

// reading follows windows one at a time.
func follow(m narrative.Memory, windows ...health.LogWindow) narrative.Memory {
	for _, w := range windows {
		m, _ = narrative.Follow(m, health.LogReading{Windows: []health.LogWindow{w}}, w.To)
	}
	return m
}

// quiet is what is remembered after so many windows without a line.
func quiet(n int) narrative.Memory {
	var m narrative.Memory
	for i := range n {
		m = follow(m, window(i))
	}
	return m
}

// told is what is told after the newest window.
func told(m narrative.Memory, issues ...health.Issue) *health.Assessment {
	a := &health.Assessment{Cluster: "prod", At: m.Next, State: health.Stressed, Issues: issues}
	narrative.Tell(&m, a, nil)
	return a
}

// newsOf is what is told of a pattern; empty if nothing.
func newsOf(m narrative.Memory, id string) health.News {
	for _, p := range told(m).Logs.Patterns {
		if p.ID == id {
			return p.News
		}
	}
	return ""
}

// A pattern goes through its life: new, over, forgotten.
func TestAnEpisode(t *testing.T) {
	m := quiet(30)
	m = follow(m, window(30, of(refused, 1)))
	if got := newsOf(m, "persistence.unavailable"); got != health.NewsNew {
		t.Fatalf("the first line is %q", got)
	}
	for i := 31; i < 40; i++ {
		m = follow(m, window(i, of(refused, 400)))
	}
	p := told(m).Logs.Patterns[0]
	if p.News != health.NewsNew || p.FirstAt != start.Add(30*step) || p.Count != 9*400+1 || p.PerSec < 13 || p.UsualPerSec == nil || *p.UsualPerSec != 0 {
		t.Errorf("in its middle: %+v", p)
	}
	for i := 40; i < 43; i++ {
		m = follow(m, window(i))
	}
	if got := newsOf(m, "persistence.unavailable"); got != health.NewsOver {
		t.Errorf("90 seconds later it is %q", got)
	}
	for i := 43; i < 70; i++ {
		m = follow(m, window(i))
	}
	if got := newsOf(m, "persistence.unavailable"); got != "" {
		t.Errorf("fifteen minutes later it is %q", got)
	}
}

// A pattern that comes and goes within minutes is one episode, which gives one
// alarm; it is told since it came last.
func TestOneEpisodeInSpiteOfPauses(t *testing.T) {
	m := quiet(30)
	alarms := 0
	for i := 30; i < 70; i++ {
		lines := int64(0)
		if i%12 < 4 {
			lines = 50
		}
		m = follow(m, window(i, of(refused, lines)))
		a := &health.Assessment{Cluster: "prod", At: m.Next}
		narrative.Tell(&m, a, nil)
		alarms += len(a.Logs.Alarms)
	}
	p := told(m).Logs.Patterns[0]
	if p.FirstAt != start.Add(60*step) || alarms != 1 {
		t.Errorf("told since %s, want %s; %d alarms, want 1", p.FirstAt, start.Add(60*step), alarms)
	}
}

// What has always been there is no news, and what becomes usual neither.
func TestWhatIsUsualIsNoNews(t *testing.T) {
	var m narrative.Memory
	for i := range 60 {
		m = follow(m, window(i, of(refused, 20+int64(i%5))))
	}
	if got := newsOf(m, "persistence.unavailable"); got != health.NewsNone {
		t.Errorf("20 lines in each window are %q", got)
	}
	m = follow(m, window(60, of(refused, 300)), window(61, of(refused, 300)))
	if got := newsOf(m, "persistence.unavailable"); got != health.NewsMore {
		t.Errorf("fifteen times as many are %q", got)
	}
	for i := 62; i < 60+130; i++ {
		m = follow(m, window(i, of(refused, 300)))
	}
	if got := newsOf(m, "persistence.unavailable"); got != health.NewsNone {
		t.Errorf("after an hour of it, they are %q", got)
	}
}

// A single line that nobody foresaw is no news, three are.
func TestUnforeseenLines(t *testing.T) {
	m := follow(quiet(30), window(30, of(other, 1)))
	if p := told(m).Logs.Patterns[0]; p.News != health.NewsNone || p.Severity != health.LogError {
		t.Errorf("one line: %+v", p)
	}
	m = follow(m, window(31, of(other, 2)))
	if p := told(m).Logs.Patterns[0]; p.News != health.NewsNew || p.Pattern != other.Message {
		t.Errorf("three lines: %+v", p)
	}
}

// As long as little of the past is known, nothing is news.
func TestNothingIsNewsAtFirst(t *testing.T) {
	m := follow(quiet(3), window(3, of(refused, 1000)))
	if p := told(m).Logs.Patterns[0]; p.News != health.NewsNone || p.UsualPerSec != nil {
		t.Errorf("%+v", p)
	}
}

// Lines that come late are counted once, whichever window they belong to, and
// a window that is read again with fewer lines loses none.
func TestLateLines(t *testing.T) {
	m := follow(quiet(30), window(30, of(refused, 10)), window(31, of(refused, 10)))
	late, counts := narrative.Follow(m, health.LogReading{Windows: []health.LogWindow{
		window(30, of(refused, 25)), window(31, of(refused, 4)), window(32, of(refused, 10)),
	}}, start.Add(33*step))
	if len(counts) != 2 || counts[0].Lines != 25 || counts[1].Lines != 10 {
		t.Errorf("counted %+v", counts)
	}
	if p := told(late).Logs.Patterns[0]; p.Count != 25+10+10 {
		t.Errorf("%d lines, want 45", p.Count)
	}
	if p := told(m).Logs.Patterns[0]; p.Count != 20 {
		t.Errorf("the memory from before was changed: %d lines", p.Count)
	}
}

// An alarm is given once an episode, when it has lasted.
func TestAlarmsAreGivenOnce(t *testing.T) {
	m := quiet(30)
	var alarms []int
	for i := 30; i < 50; i++ {
		m = follow(m, window(i, of(refused, 100), of(acquired, 5)))
		a := &health.Assessment{Cluster: "prod", At: m.Next}
		narrative.Tell(&m, a, nil)
		if len(a.Logs.Alarms) > 0 {
			alarms = append(alarms, i)
		}
	}
	if !reflect.DeepEqual(alarms, []int{32}) {
		t.Errorf("alarms with windows %v, want with the third", alarms)
	}
}

// Examples are asked for while there are none, a few times, and come to stand at
// their pattern.
func TestSamples(t *testing.T) {
	m := follow(quiet(30), window(30, of(refused, 10), of(acquired, 1)))
	asks := m.Wanted()
	if len(asks) != 2 || asks[0].Template != refused || asks[0].From != start.Add(30*step) || asks[0].To != m.Next {
		t.Fatalf("asked for %+v", asks)
	}
	m, _ = narrative.Follow(m, health.LogReading{
		Windows: []health.LogWindow{window(31, of(refused, 10))},
		Samples: []health.LogSample{{Pattern: asks[0].Pattern, Line: "a line"}, {Pattern: asks[0].Pattern, Line: "a line"}, {Pattern: "nobody's", Line: "x"}},
	}, start.Add(32*step))
	if p := told(m).Logs.Patterns[0]; !reflect.DeepEqual(p.Samples, []string{"a line"}) {
		t.Errorf("samples are %q", p.Samples)
	}
	for i := 32; i < 35; i++ {
		m = follow(m, window(i, of(refused, 10)))
	}
	if asks = m.Wanted(); len(asks) != 0 {
		t.Errorf("still asks for %+v", asks)
	}
	m.Refresh()
	if asks = m.Wanted(); len(asks) == 0 {
		t.Error("asks for nothing after a change of state")
	}
}

// Why the logs could not be read is told, and what was known until then as long
// as it is not too old.
func TestLogsThatCannotBeRead(t *testing.T) {
	m := follow(quiet(30), window(30, of(refused, 10)))
	m, _ = narrative.Follow(m, health.LogReading{Reason: "Loki does not answer"}, m.Next.Add(step))
	a := &health.Assessment{Cluster: "prod", At: m.Next.Add(step)}
	narrative.Tell(&m, a, nil)
	if a.Logs.Reason != "Loki does not answer" || len(a.Logs.Patterns) != 1 || a.Logs.To != m.Next {
		t.Errorf("after one failure: %+v", a.Logs)
	}
	a = &health.Assessment{Cluster: "prod", At: m.Next.Add(10 * time.Minute)}
	narrative.Tell(&m, a, nil)
	if a.Logs.Patterns != nil || a.Logs.Reason == "" {
		t.Errorf("after ten minutes: %+v", a.Logs)
	}
	var none narrative.Memory
	a = &health.Assessment{Cluster: "prod", At: start}
	narrative.Tell(&none, a, nil)
	if a.Logs.Patterns != nil || a.Logs.Reason == "" {
		t.Errorf("before anything was read: %+v", a.Logs)
	}
}

// Where nothing can be read at first, what comes after that is read once it can.
func TestTheFirstWindowBeginsWhereNothingCouldBeRead(t *testing.T) {
	m, _ := narrative.Follow(narrative.Memory{}, health.LogReading{Reason: "Loki does not answer"}, start)
	m, _ = narrative.Follow(m, health.LogReading{Reason: "Loki does not answer"}, start.Add(step))
	if m.Next != start {
		t.Errorf("the next window begins at %s, want %s", m.Next, start)
	}
	a := &health.Assessment{Cluster: "prod", At: start.Add(step)}
	narrative.Tell(&m, a, nil)
	if a.Logs.Patterns != nil || a.Logs.Reason != "Loki does not answer" || !a.Logs.To.IsZero() {
		t.Errorf("told: %+v", a.Logs)
	}
}

// A pattern is tied to the issue that it can explain: by gate, place and time.
func TestTies(t *testing.T) {
	m := follow(quiet(30), window(30, of(refused, 10), of(other, 10)), window(31, of(refused, 10), of(other, 10)))
	issue := func(gate string, scope health.Scope, opened instant.Instant) health.Issue {
		return health.Issue{
			ID: gate, Severity: health.Stressed, Status: health.IssueOpen, Title: gate, Scope: scope, Gates: []string{gate}, OpenedAt: opened,
		}
	}
	begin := start.Add(30 * step)
	remark := issue("business.failures", health.ClusterScope(), begin.Add(-time.Minute))
	remark.Severity = health.Happy
	a := told(m,
		remark,
		issue("pressure.persistence_errors", health.ClusterScope(), begin.Add(step)),
	)
	p := a.Logs.Patterns[0]
	if p.ID != "persistence.unavailable" || len(p.Ties) != 1 || p.Ties[0].Issue != "pressure.persistence_errors" || p.Ties[0].LagSec != 30 {
		t.Fatalf("tied: %+v", p)
	}
	for name, i := range map[string]health.Issue{
		"of another service": issue("pressure.persistence_errors", health.ServiceScope("matching"), begin),
		"long before":        issue("pressure.persistence_errors", health.ClusterScope(), begin.Add(-time.Hour)),
		"long after":         issue("pressure.persistence_errors", health.ClusterScope(), begin.Add(time.Hour)),
		"of another kind":    issue("worker.pollers.none", health.ClusterScope(), begin),
	} {
		for _, p := range told(m, i).Logs.Patterns {
			if p.ID == "persistence.unavailable" && len(p.Ties) != 0 {
				t.Errorf("%s: tied to %+v", name, p.Ties)
			}
		}
	}
}

// Issues of one severity stand in the order in which their stories began.
func TestIssuesInTheOrderOfTheirStories(t *testing.T) {
	m := follow(quiet(30), window(30, of(refused, 10)), window(31, of(refused, 10)))
	opened := start.Add(31 * step)
	issues := []health.Issue{
		{ID: "a", Severity: health.Stressed, Status: health.IssueOpen, Gates: []string{"business.failures"}, OpenedAt: opened},
		{ID: "b", Severity: health.Stressed, Status: health.IssueOpen, Gates: []string{"pressure.persistence_errors"}, OpenedAt: opened},
		{ID: "c", Severity: health.Critical, Status: health.IssueOpen, Gates: []string{"worker.pollers.none"}, OpenedAt: opened.Add(step)},
		{ID: "d", Severity: health.Critical, Status: health.IssueResolved, Gates: []string{"worker.pollers.none"}, OpenedAt: start},
	}
	order := ""
	for _, issue := range told(m, issues...).Issues {
		order += issue.ID
	}
	if order != "cbad" {
		t.Errorf("order %s, want the gravest, then what the logs knew first, and the resolved last", order)
	}
}

// genWindow draws what a window held.
func genWindow(n int) *rapid.Generator[health.LogWindow] {
	return rapid.Custom(func(t *rapid.T) health.LogWindow {
		templates := []health.LogTemplate{
			refused, other, acquired,
			{Service: narrative.Workers, Level: "error", Message: "Activity error.", Namespace: "default", TaskQueue: "billing"},
			{Service: "frontend", Level: "warn", Message: rapid.StringMatching(`[a-z]{1,3} [a-z]{1,3}`).Draw(t, "message")},
		}
		var counts []health.LogCount
		for _, template := range templates {
			if lines := rapid.Int64Range(0, 50).Draw(t, "lines"); lines > 0 {
				counts = append(counts, of(template, lines))
			}
		}
		return window(n, counts...)
	})
}

// However windows are read, one by one, several at once, or again: the counts
// are the same, each line once.
func TestCountsDoNotDependOnHowWindowsAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var one, batched narrative.Memory
		var batch []health.LogWindow
		n := rapid.IntRange(1, 30).Draw(t, "windows")
		var all []health.LogWindow
		for i := range n {
			w := genWindow(i).Draw(t, "window")
			all = append(all, w)
			again := rapid.IntRange(0, 2).Draw(t, "again")
			one, _ = narrative.Follow(one, health.LogReading{Windows: append(all[max(0, len(all)-1-again):len(all)-1:len(all)-1], w)}, w.To)
			batch = append(batch, w)
			if rapid.Bool().Draw(t, "flush") || i == n-1 {
				batched, _ = narrative.Follow(batched, health.LogReading{Windows: batch}, w.To)
				batch = nil
			}
		}
		for i := range one.Tracks {
			// Examples are looked for with each reading.
			one.Tracks[i].Asked, batched.Tracks[i].Asked = 0, 0
		}
		if !reflect.DeepEqual(one, batched) {
			t.Fatalf("read one by one\n%+v\nand in batches\n%+v", one, batched)
		}
		var lines int64
		for _, w := range all[max(0, len(all)-10):] {
			for _, c := range w.Counts {
				lines += c.Lines
			}
		}
		var counted int64
		for _, track := range one.Tracks {
			for _, n := range track.Recent {
				counted += n
			}
		}
		if counted != lines {
			t.Fatalf("%d lines counted in the last five minutes, want %d", counted, lines)
		}
	})
}

// A memory survives being written and read, as it is between two runs of a
// workflow, and what follows is the same.
func TestMemoryAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m narrative.Memory
		n := rapid.IntRange(1, 40).Draw(t, "windows")
		for i := range n {
			m = follow(m, genWindow(i).Draw(t, "window"))
		}
		document, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var read narrative.Memory
		if err := json.Unmarshal(document, &read); err != nil {
			t.Fatal(err)
		}
		w := genWindow(n).Draw(t, "next")
		if a, b := told(follow(m, w)), told(follow(read, w)); !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v\nafter reading\n%+v", a.Logs, b.Logs)
		}
	})
}

// Whatever is in the logs, the state stays.
func TestLogsChangeNoState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m narrative.Memory
		for i := range rapid.IntRange(1, 40).Draw(t, "windows") {
			m = follow(m, genWindow(i).Draw(t, "window"))
		}
		before := health.Assessment{
			Cluster: "prod", At: m.Next, State: health.Happy, Confidence: 0.5,
			Issues: []health.Issue{{ID: "a", Status: health.IssueOpen, Gates: []string{"pressure.persistence_errors"}, OpenedAt: m.Next}},
		}
		after := before
		narrative.Tell(&m, &after, nil)
		after.Logs = nil
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%+v became %+v", before, after)
		}
	})
}

// What is remembered stays small, whatever the logs hold.
func TestMemoryIsBounded(t *testing.T) {
	var m narrative.Memory
	for i := range 200 {
		var counts []health.LogCount
		for j := range 100 {
			name := string(rune('a'+i%26)) + string(rune('a'+j%26)) + string(rune('a'+(i*7+j)%26))
			counts = append(counts, of(health.LogTemplate{Service: "s" + name, Level: "error", Message: name + " of " + name}, int64(j+1)))
		}
		m = follow(m, window(i, counts...))
	}
	document, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Tracks) > 200 || len(document) > 256<<10 {
		t.Errorf("%d tracks in %d KiB", len(m.Tracks), len(document)>>10)
	}
}

// A window that is read again tells its lines apart otherwise: they count as they
// are told now, all of them once.
func TestAWindowReadAgainCountsAsAWhole(t *testing.T) {
	m := follow(quiet(30), window(30, of(refused, 100)))
	again, counts := narrative.Follow(m, health.LogReading{Windows: []health.LogWindow{window(30, of(other, 101))}}, m.Next)
	var lines int64
	for _, p := range told(again).Logs.Patterns {
		lines += p.Count
	}
	if lines != 101 || len(counts) != 2 || counts[0].Lines+counts[1].Lines != 101 {
		t.Errorf("%d lines told, counts %+v; want 101", lines, counts)
	}
	if same, counts := narrative.Follow(m, health.LogReading{Windows: []health.LogWindow{window(30, of(other, 100))}}, m.Next); len(counts) != 0 ||
		told(same).Logs.Patterns[0].ID != "persistence.unavailable" {
		t.Errorf("without further lines it changed: %+v", counts)
	}
}

// A pattern that comes now and then becomes what is usual.
func TestADripBecomesUsual(t *testing.T) {
	m := quiet(30)
	news := 0
	for i := 30; i < 600; i++ {
		lines := int64(0)
		if i%10 == 0 {
			lines = 1
		}
		m = follow(m, window(i, of(refused, lines)))
		if i > 300 && newsOf(m, "persistence.unavailable") != health.NewsNone {
			news++
		}
	}
	if news > 0 {
		t.Errorf("a line every five minutes is news for %d of 300 windows after hours of it", news)
	}
}

// One line gives no alarm, however short the windows are.
func TestOneLineGivesNoAlarm(t *testing.T) {
	var m narrative.Memory
	for i := range 200 {
		w := health.LogWindow{From: start.Add(time.Duration(i) * 5 * time.Second), To: start.Add(time.Duration(i+1) * 5 * time.Second)}
		if i == 180 {
			w.Counts = []health.LogCount{of(refused, 1)}
		}
		m = follow(m, w)
		a := &health.Assessment{Cluster: "prod", At: m.Next}
		if narrative.Tell(&m, a, nil); len(a.Logs.Alarms) > 0 {
			t.Fatalf("an alarm with window %d", i)
		}
	}
}

// An outage that spreads over task queues is one alarm, and is told of a bounded
// number of them.
func TestASpreadingOutageIsOneAlarm(t *testing.T) {
	m := quiet(30)
	alarms := 0
	for i := 30; i < 130; i++ {
		var counts []health.LogCount
		for n := range i - 29 {
			counts = append(counts, of(queued(n), 5))
		}
		m = follow(m, window(i, counts...))
		a := &health.Assessment{Cluster: "prod", At: m.Next}
		narrative.Tell(&m, a, nil)
		alarms += len(a.Logs.Alarms)
	}
	if alarms != 1 || len(m.Tracks) > 21 {
		t.Errorf("%d alarms and %d tracks; want one, and 21 at most", alarms, len(m.Tracks))
	}
}

// More queues than are followed one by one are no news for being many.
func TestManyQueuesThatAlwaysFailAreNoNews(t *testing.T) {
	var m narrative.Memory
	for i := range 240 {
		var counts []health.LogCount
		for n := range 300 {
			counts = append(counts, of(queued(n), 3))
		}
		m = follow(m, window(i, counts...))
	}
	for _, p := range told(m).Logs.Patterns {
		if p.News != health.NewsNone {
			t.Errorf("%s of %s is %s", p.ID, p.Scope, p.News)
		}
	}
}

// Nobody knows what an unforeseen error of an application means: it is not tied to
// what has another place.
func TestUnforeseenErrorsAreTiedByPlaceOnly(t *testing.T) {
	strange := health.LogTemplate{Service: "billing-api", Level: "error", Message: "could not render the invoice template"}
	m := follow(quiet(30), window(30, of(strange, 10), of(other, 10)))
	issue := func(scope health.Scope) health.Issue {
		return health.Issue{
			ID: scope.String(), Severity: health.Critical, Status: health.IssueOpen, Gates: []string{"progress.accepting"}, Scope: scope, OpenedAt: m.Next,
		}
	}
	a := told(m, issue(health.ClusterScope()), issue(health.ServiceScope("matching")), issue(health.ServiceScope("history")),
		issue(health.TaskQueueScope("default", "billing")))
	for _, p := range a.Logs.Patterns {
		switch {
		case p.Service == "billing-api" && len(p.Ties) != 0:
			t.Errorf("an application's error is tied to %+v", p.Ties)
		case p.Service == "matching" && len(p.Ties) != 2:
			t.Errorf("matching's error is tied to %+v, want the cluster and matching", p.Ties)
		}
	}
}

// What there is to catch up with is dealt out in parts that an observation can
// carry, and none of it is left out.
func TestTheFeedIsBounded(t *testing.T) {
	windows := func() (list []health.LogWindow, lines int64) {
		for i := range 43 {
			var counts []health.LogCount
			for n := range 100 {
				counts = append(counts, of(health.LogTemplate{Service: "history", Level: "error", Message: fmt.Sprintf("kind %c%c", 'a'+n/26, 'a'+n%26)}, 1))
				lines++
			}
			list = append(list, window(i, counts...))
		}
		return list, lines
	}
	all, want := windows()
	var got int64
	at, rounds := all[len(all)-1].To, 0
	for ; len(all) > 0; rounds++ {
		feed := narrative.Feed{Windows: all}
		r := feed.Until(at)
		if (r.Reason == "") != (len(r.Windows) == len(all)) || len(r.Windows) == 0 {
			t.Fatalf("%d of %d windows, reason %q", len(r.Windows), len(all), r.Reason)
		}
		counts := 0
		for _, w := range r.Windows {
			counts += len(w.Counts)
			for _, c := range w.Counts {
				got += c.Lines
			}
		}
		if counts > 600 {
			t.Errorf("%d counts at a time", counts)
		}
		all = all[len(r.Windows):]
	}
	if got != want || rounds < 2 {
		t.Errorf("%d of %d lines in %d rounds", got, want, rounds)
	}
}
