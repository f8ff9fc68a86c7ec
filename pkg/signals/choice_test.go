package signals

import (
	"reflect"
	"strings"
	"testing"
)

// What is shown can be pasted: every dialect is read back from its text.
func TestDialectsAreReadBack(t *testing.T) {
	core := Naming{Millis: 1}
	for _, server := range []Naming{
		TallyServer, OTelServer, GoSDK, CloudServer, core,
		{Counter: "_total", Millis: 1000},
		{Timer: "_milliseconds", Millis: 1, Histogram: "_ratio"},
		{Counter: "_total", Timer: "_seconds", Millis: 1000, Histogram: "_ratio"},
	} {
		for _, workers := range [][]Naming{nil, {GoSDK}, {core, GoSDK, {Counter: "_total", Millis: 1}}} {
			for _, sanitized := range []bool{false, true} {
				d := Dialect{Server: server, Workers: workers, Sanitized: sanitized}
				c, err := ParseChoice(d.String())
				if err != nil {
					t.Errorf("%s: %v", d, err)
					continue
				}
				got := Dialect{Server: *c.Server, Workers: c.Workers, Sanitized: d.Server.Sanitizes()}
				if c.Sanitized != nil {
					got.Sanitized = *c.Sanitized
				}
				if !reflect.DeepEqual(got, d) {
					t.Errorf("%s was read as %s", d, got)
				}
			}
		}
	}
}

func TestParseChoice(t *testing.T) {
	for _, text := range []string{"", "auto", " auto "} {
		if c, err := ParseChoice(text); err != nil || !reflect.DeepEqual(c, Choice{}) {
			t.Errorf("%q prescribes %+v, %v", text, c, err)
		}
	}
	c, err := ParseChoice("opentelemetry")
	if err != nil || *c.Server != OTelServer || c.WorkersChosen || c.Sanitized != nil {
		t.Errorf("the server's naming alone gives %+v, %v", c, err)
	}
	c, err = ParseChoice("workers=none")
	if err != nil || c.Server != nil || !c.WorkersChosen || c.Workers != nil {
		t.Errorf("no workers give %+v, %v", c, err)
	}
	for text, want := range map[string]string{
		"otel":                        `"otel" is no naming`,
		"server=otel":                 `"otel" is no naming`,
		"server=tally server=tally":   "each once",
		"server=tally worker=tally":   `"worker=tally" is not one of`,
		"server=tally prometheus":     `"prometheus" is not one of`,
		"workers=cloud":               "metrics of their own",
		"workers=prometheus+":         `"" is no naming`,
		"names=plain":                 "neither names=raw nor names=sanitized",
		"server=counters:x,timers:,h": `neither counters:none nor counters:_total`,
		"server=counters:none,timers:none,histograms:none": "timers:none/ms",
	} {
		if _, err := ParseChoice(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %s, got %v", text, want, err)
		}
	}
}
