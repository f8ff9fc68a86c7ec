package score

import (
	"strings"
	"testing"
)

func TestTooMuch(t *testing.T) {
	for name, c := range map[string]struct {
		strain Strain
		want   string
	}{
		"at ease":        {Strain{Busy: 0.5, LatestMillis: 40}, ""},
		"full at times":  {Strain{Busy: 0.8, Full: 0.3}, ""},
		"full too often": {Strain{Busy: 0.8, Full: 0.6}, "nothing left for 60 % of the time"},
		"late":           {Strain{LatestMillis: 2500}, "up to 2.5s late"},
	} {
		if got := c.strain.TooMuch(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
