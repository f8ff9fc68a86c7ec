package strain

import (
	"context"
	"testing"
	"time"
)

func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*tick+tick/2)
	defer cancel()
	if s := Watch(ctx); s.LatestMillis > time.Minute.Milliseconds() {
		t.Errorf("%s", s)
	}
}

func TestSpans(t *testing.T) {
	s := spans{first: usage{10, 100}, last: usage{60, 200}, looks: 4, fulls: 1}
	if s.busy() != 0.5 || s.full() != 0.25 {
		t.Errorf("busy %v, full %v", s.busy(), s.full())
	}
	if none := (&spans{}); none.busy() != 0 || none.full() != 0 {
		t.Error("without a look the processors were busy")
	}
}
