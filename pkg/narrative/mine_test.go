package narrative_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/pkg/narrative"
)

// noon is when templates are seen, if it does not matter.
var noon = instant.FromTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

// line is a template of the frontend at level error.
func line(message, failure string) health.LogTemplate {
	return health.LogTemplate{Service: "frontend", Level: "error", Message: message, Error: failure}
}

// TestFamilies: lines of one family are one group, and no two families are.
func TestFamilies(t *testing.T) {
	t.Parallel()
	in := func(service, level string, t health.LogTemplate) health.LogTemplate {
		t.Service, t.Level = service, level
		return t
	}
	families := map[string][]health.LogTemplate{
		"payment provider <*> answered <*>": {
			line("payment provider psp-1 answered 503", ""), line("payment provider psp-22 answered 500", ""), line("payment provider <*> answered <*>", ""),
		},
		"payment provider <*> answered <*> (worker)":           {in("workers", "error", line("payment provider psp-1 answered 503", ""))},
		"payment provider <*> answered <*> (warn)":             {in("frontend", "warn", line("payment provider psp-1 answered 503", ""))},
		"Failed to load configuration":                         {line("Failed to load configuration", "")},
		"Failed to save configuration":                         {line("Failed to save configuration", "")},
		"Failed to load configuration: open <*>: no such file": {line("Failed to load configuration", "open /etc/a/b.yaml: no such file"), line("Failed to load configuration", "open /srv/c/d.yaml: no such file")},
		"unable to find activity type <*> in the registry": {
			line("unable to find activity type ChargeCard in the registry", ""), line("unable to find activity type SendMail in the registry", ""),
			line("unable to find activity type ShipOrder in the registry", ""),
		},
		"unable to find workflow type <*> in the registry": {
			line("unable to find workflow type OrderFlow in the registry", ""), line("unable to find workflow type RefundFlow in the registry", ""),
		},
		"the quota of tenant <*> was used up after <*> of the day and <*> calls": {
			line("the quota of tenant blue was used up after 3h of the day and 900 calls", ""), line("the quota of tenant green was used up after 4h of the day and 12 calls", ""),
		},
		"cache of partition <*> is stale: version <*> instead of <*>": {
			line("cache of partition 3 is stale", "version 12 instead of 14"), line("cache of partition 9 is stale", "version 1 instead of 2"),
		},
		"memory-scheduled-queue-processor StopTimedout": {{Service: "frontend", Level: "error", Message: "none", Component: "memory-scheduled-queue-processor", Lifecycle: "StopTimedout"}},
		"memory-scheduled-queue-processor StopFailed":   {{Service: "frontend", Level: "error", Message: "", Component: "memory-scheduled-queue-processor", Lifecycle: "StopFailed"}},
		"certificate of <*> is not valid for <*>": {
			line("certificate of broker.kafka.internal is not valid for \"a.example\"", ""), line("certificate of cache.redis.internal is not valid for \"b.example\"", ""),
		},
	}
	var m narrative.Miner
	family := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		ids := map[string]bool{}
		for _, template := range families[name] {
			id, _ := m.Group(template, noon)
			ids[id] = true
		}
		if len(ids) != 1 {
			t.Errorf("%q is %d groups", name, len(ids))
		}
		for id := range ids {
			if other, taken := family[id]; taken {
				t.Errorf("%q and %q are one group", name, other)
			}
			family[id] = name
		}
	}
	if len(m.Groups) != len(families) {
		t.Errorf("%d groups of %d families", len(m.Groups), len(families))
	}
}

func TestTextOfGroup(t *testing.T) {
	t.Parallel()
	var m narrative.Miner
	first, text := m.Group(line("cannot reach broker KafkaOne of the region", "timed out after 5s"), noon)
	if want := "cannot reach broker KafkaOne of the region: timed out after <*>"; text != want {
		t.Errorf("text %q, want %q", text, want)
	}
	if !regexp.MustCompile(`^other\.[0-9a-f]{8}$`).MatchString(first) {
		t.Errorf("id %q", first)
	}
	second, text := m.Group(line("cannot reach broker KafkaTwo of the region", "timed out after 7s"), noon)
	if want := "cannot reach broker <*> of the region: timed out after <*>"; text != want || second != first {
		t.Errorf("text %q, want %q; id %s after %s", text, want, second, first)
	}
	if third, again := m.Group(line("cannot reach broker KafkaOne of the region", "timed out after 5s"), noon); third != first || again != text {
		t.Errorf("the first line is %q of %s now, not of %s", again, third, first)
	}
	_, text = m.Group(line(strings.Repeat("äöü ", 40), strings.Repeat("ß", 300)), noon)
	if len(text) > 200 || !utf8.ValidString(text) || !strings.HasSuffix(text, "…") {
		t.Errorf("%d bytes: %q", len(text), text)
	}
	if _, text = m.Group(health.LogTemplate{Service: "x"}, noon); text != "a line without a message" {
		t.Errorf("of nothing it makes %q", text)
	}
}

// sentence makes one like no other.
func sentence(i int) string {
	word := fmt.Sprintf("%c%c", 'a'+i%26, 'a'+i/26)
	return word + "ing the " + word + "er of " + word + "land has failed"
}

// TestForgetsTheOldest: a pattern that is still seen stays, whatever comes.
func TestForgetsTheOldest(t *testing.T) {
	t.Parallel()
	var m narrative.Miner
	kept, _ := m.Group(line("a line that is there all the time", ""), noon)
	gone, _ := m.Group(line("a line that comes only once", ""), noon)
	for i := range 300 {
		at := noon.Add(time.Duration(i+1) * time.Minute)
		m.Group(line(sentence(i), ""), at)
		if id, _ := m.Group(line("a line that is there all the time", ""), at); id != kept {
			t.Fatalf("after %d others it is %s instead of %s", i, id, kept)
		}
	}
	if len(m.Groups) != 100 {
		t.Errorf("%d groups", len(m.Groups))
	}
	if slices.ContainsFunc(m.Groups, func(g narrative.Group) bool { return g.ID == gone }) {
		t.Error("the oldest group is still there")
	}
	if again, _ := m.Group(line("a line that comes only once", ""), noon.Add(24*time.Hour)); again != gone {
		t.Errorf("it comes back as %s instead of %s", again, gone)
	}
}

// unforeseen draws a template that may be anything, often like others.
func unforeseen() *rapid.Generator[health.LogTemplate] {
	words := rapid.SampledFrom([]string{"shard", "failed", "to", "load", "OrderFlow", "RefundFlow", "10.0.0.7:5432", "<*>", "retry", "42", "tenant", "blue", "green", "(timeout)"})
	sentence := rapid.Map(rapid.SliceOfN(words, 0, 9), func(parts []string) string { return strings.Join(parts, " ") })
	return rapid.Custom(func(t *rapid.T) health.LogTemplate {
		message := rapid.OneOf(sentence, texts()).Draw(t, "message")
		return health.LogTemplate{
			Service: rapid.SampledFrom([]string{"history", "frontend", "workers"}).Draw(t, "service"),
			Level:   rapid.SampledFrom([]string{"error", "warn"}).Draw(t, "level"),
			Message: message, Error: sentence.Draw(t, "error"),
		}
	})
}

// seen is a template at a time.
type seen struct {
	template health.LogTemplate
	at       instant.Instant
}

// windows draws templates as they come: sorted within a window, window by
// window.
func windows(t *rapid.T) [][]seen {
	all := make([][]seen, rapid.IntRange(1, 6).Draw(t, "windows"))
	for i := range all {
		at := noon.Add(time.Duration(i) * time.Minute)
		for _, template := range rapid.SliceOfN(unforeseen(), 0, 40).Draw(t, "templates") {
			all[i] = append(all[i], seen{template, at})
		}
		slices.SortFunc(all[i], func(a, b seen) int { return a.template.Compare(b.template) })
	}
	return all
}

func TestMinerIsDeterministicAndBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var m, twin narrative.Miner
		for _, window := range windows(t) {
			old := m.Clone()
			before := old.Clone()
			for _, s := range window {
				id, text := m.Group(s.template, s.at)
				again, same := twin.Group(s.template, s.at)
				if id != again || text != same {
					t.Fatalf("%+v is %s %q, and %s %q", s.template, id, text, again, same)
				}
				if stays, _ := m.Group(s.template, s.at); stays != id {
					t.Fatalf("%+v is %s, then %s", s.template, id, stays)
				}
				if i := slices.IndexFunc(m.Groups, func(g narrative.Group) bool { return g.ID == id }); i < 0 || m.Groups[i].Seen != s.at {
					t.Fatalf("%+v left no group %s seen at %v", s.template, id, s.at)
				}
			}
			if !reflect.DeepEqual(old, before) {
				t.Fatal("a clone changed with its original")
			}
			if len(m.Groups) > 100 {
				t.Fatalf("%d groups", len(m.Groups))
			}
			ids := make([]string, len(m.Groups))
			for i, g := range m.Groups {
				ids[i] = g.ID
			}
			if !slices.IsSorted(ids) || len(slices.Compact(ids)) != len(m.Groups) {
				t.Fatalf("ids are out of order or there twice: %v", ids)
			}
			// What was stored and read again goes on in the same way.
			stored, err := json.Marshal(twin)
			if err != nil {
				t.Fatal(err)
			}
			twin = narrative.Miner{}
			if err := json.Unmarshal(stored, &twin); err != nil {
				t.Fatal(err)
			}
			if len(m.Groups) > 0 && !reflect.DeepEqual(m, twin) {
				t.Fatalf("%+v\nwas stored as %s", m, stored)
			}
		}
	})
}

// TestOrderWithinWindow: in which order the templates of a window were counted
// does not matter, since they are sorted before they are grouped.
func TestOrderWithinWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counted := rapid.SliceOfN(unforeseen(), 0, 40).Draw(t, "templates")
		var miners [2]narrative.Miner
		for i, templates := range [][]health.LogTemplate{counted, rapid.Permutation(counted).Draw(t, "permutation")} {
			w := health.LogWindow{}
			for _, template := range templates {
				w.Counts = append(w.Counts, health.LogCount{LogTemplate: template, Lines: 1})
			}
			w.Normalize()
			for _, c := range w.Counts {
				miners[i].Group(c.LogTemplate, noon)
			}
		}
		if !reflect.DeepEqual(miners[0], miners[1]) {
			t.Fatalf("%+v\n%+v", miners[0], miners[1])
		}
	})
}

// TestMinerOnRealLines prints how many groups the miner would make if the
// catalogue were empty, of what real servers wrote at warn and above.
func TestMinerOnRealLines(t *testing.T) {
	t.Parallel()
	var m narrative.Miner
	lines := 0
	patterns := map[string]map[string]bool{}
	for _, k := range realTemplates(t) {
		if k.Level == "info" {
			continue
		}
		lines++
		id, _ := m.Group(k.LogTemplate, noon)
		if patterns[id] == nil {
			patterns[id] = map[string]bool{}
		}
		patterns[id][k.Pattern] = true
	}
	mixed := 0
	for _, of := range patterns {
		if len(of) > 1 {
			mixed++
		}
	}
	stored, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d templates at warn and above in %d groups, %d of them of more than one pattern of the catalogue; %d bytes stored", lines, len(m.Groups), mixed, len(stored))
	if len(m.Groups) >= lines || mixed > 3 {
		t.Errorf("%d templates are %d groups, of which %d mix patterns", lines, len(m.Groups), mixed)
	}
}

func BenchmarkMiner(b *testing.B) {
	templates := realTemplates(b)
	var full narrative.Miner
	for i := range 400 {
		full.Group(line(sentence(i), ""), noon)
	}
	b.ReportAllocs()
	for b.Loop() {
		m := full.Clone()
		for i := range templates {
			m.Group(templates[i].LogTemplate, noon)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(templates)), "ns/template")
}
