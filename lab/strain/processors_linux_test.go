package strain

import "testing"

func TestReadStat(t *testing.T) {
	got, ok := readStat("cpu  10 20 30 400 50 1 2 3 99 99\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
	if want := (usage{used: 10 + 30 + 1 + 2 + 3, all: 10 + 20 + 30 + 400 + 50 + 1 + 2 + 3}); !ok || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, content := range []string{"", "cpu 1 2 3", "cpu  10 20 30 x 50 1 2 3", "intr 1 2 3 4 5 6 7 8"} {
		if _, ok := readStat(content); ok {
			t.Errorf("%q was read", content)
		}
	}
	if now, ok := processors(); !ok || now.all == 0 {
		t.Errorf("this machine: %+v, %t", now, ok)
	}
}
