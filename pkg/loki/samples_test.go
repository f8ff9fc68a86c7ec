package loki

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
)

func TestSamplesAreOfTheTemplate(t *testing.T) {
	d := &double{}
	wanted := failed("cannot reach <*>", "c_text", `cannot reach "secret" <*>`+separator+"in <*>", "c_ns", "team-a")
	for i := range 5 {
		d.add(record{at: noon.Add(-time.Duration(i) * time.Second), group: wanted, text: "secret " + strings.Repeat("ü", 300) + string(rune('a'+i))})
		d.add(record{at: noon.Add(-time.Duration(i) * time.Second), group: failed("something else"), text: "no"})
	}
	d.add(record{at: noon.Add(-step), group: wanted, text: "before"})
	d.add(record{at: noon.Add(time.Second), group: wanted, text: "after"})
	s := scanner(t, serve(t, d))
	template := s.template(wanted)
	got, err := s.Samples(t.Context(), template, noon.Add(-step), noon, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 {
		t.Fatalf("%d samples", len(got))
	}
	for i, sample := range got {
		if sample.At != noon.Add(-time.Duration(i)*time.Second) || sample.Pattern != "" {
			t.Errorf("sample %d: %+v", i, sample)
		}
		if !strings.HasPrefix(sample.Line, "[redacted:secret] ü") || len(sample.Line) > 500 || !strings.HasSuffix(sample.Line, "ü…") {
			t.Errorf("line %q", sample.Line)
		}
	}
	a := d.requests("c_svc")[0]
	golden(t, "samples.logql", a.form["query"])
	if a.form["limit"] != "30" || a.form["direction"] != "backward" || a.form["start"] != nextNano(noon.Add(-step)) || a.form["end"] != nextNano(noon) {
		t.Errorf("asked %v", a.form)
	}
	if got, err := s.Samples(t.Context(), template, noon, noon, 3); err != nil || len(got) != 0 {
		t.Errorf("of no time: %v, %v", got, err)
	}
	if got, err := s.Samples(t.Context(), template, noon.Add(-step), noon, 0); err != nil || len(got) != 0 {
		t.Errorf("of no lines: %v, %v", got, err)
	}
	// Counted with less detail, the namespace and the error are not known.
	template.Namespace, template.Error = "", ""
	if got, err := s.Samples(t.Context(), template, noon.Add(-step), noon, 100); err != nil || len(got) != 5 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

func TestLiteralsAreWhatEveryFormatWritesAlike(t *testing.T) {
	for _, c := range []struct {
		t    health.LogTemplate
		want []string
	}{
		{health.LogTemplate{Message: "none"}, []string{"|= `none`"}},
		{health.LogTemplate{Message: "<*>", Error: `dial <*>: "no route" to \host`}, []string{"|= `no route`"}},
		{health.LogTemplate{Message: "[redacted:email] has `it` & Übergröße"}, []string{"|= ` has `"}},
		{health.LogTemplate{Message: "a", Component: "shard-engine", Namespace: "team-a", TaskQueue: "orders"}, []string{"|= `shard-engine`", "|= `team-a`", "|= `orders`"}},
	} {
		if got := literals(c.t); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.t, got, c.want)
		}
	}
}

func TestServicesGoByTemporalsNames(t *testing.T) {
	for name, want := range map[string]string{
		"history": "history", "temporal-history": "history", "temporal_history": "temporal_history", "Temporal-Frontend": "frontend",
		"temporal-internal-frontend": "internal-frontend", "temporal-worker": "worker", "temporal-workers": "workers", "orders-worker": "orders-worker",
		"workers": "workers", "frontend": "frontend", "shop-frontend": "shop-frontend", "": "", "temporal": "temporal",
	} {
		if got := serviceName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
