package main

import (
	"slices"
	"testing"
	"time"

	"github.com/temporal-sre/copilot/pkg/dsql"
	"github.com/temporal-sre/copilot/pkg/health"
)

// spans is an hour with everything that an hour can hold.
func spans() []dsql.Interval {
	at := func(minute int) time.Duration { return time.Duration(minute-60) * time.Minute }
	return []dsql.Interval{
		{State: health.Happy, From: noon.Add(at(0)), To: noon.Add(at(20))},
		{State: health.Unknown, From: noon.Add(at(20)), To: noon.Add(at(27)), Unobserved: true},
		{State: health.Happy, From: noon.Add(at(27)), To: noon.Add(at(30))},
		{State: health.Stressed, From: noon.Add(at(30)), To: noon.Add(at(40))},
		{State: health.Critical, From: noon.Add(at(40)), To: noon.Add(at(50))},
		{State: health.Critical, From: noon.Add(at(50)), To: noon.Add(at(53)), Blind: true},
		{State: health.Stressed, From: noon.Add(at(53)), To: noon},
	}
}

func TestTimeline(t *testing.T) {
	st := goodStore()
	st.intervals = spans()
	golden(t, "timeline", ask(t, sourceOf(st), query(t, "timeline", nil)))
	if st.timelineFrom != noon.Add(-time.Hour) || st.timelineTo != noon {
		t.Errorf("the store was asked for %v to %v", st.timelineFrom, st.timelineTo)
	}
}

func TestTimelineDoesNotPaintTheFuture(t *testing.T) {
	st := goodStore()
	st.intervals = spans()
	q := query(t, "timeline", nil)
	q.TimeRange.To = noon.Add(time.Hour).Time()
	response := ask(t, sourceOf(st), q)
	if st.timelineTo != noon {
		t.Errorf("the store was asked for what happens until %v", st.timelineTo)
	}
	frame := response.Frames[0]
	if got := frame.At(1, frame.Rows()-1); !noon.Time().Equal(got.(time.Time)) {
		t.Errorf("the last bar ends at %v", got)
	}
}

func TestTimelineOfSomeStates(t *testing.T) {
	st := goodStore()
	st.intervals = spans()
	response := ask(t, sourceOf(st), query(t, "timeline", map[string]any{"states": []string{"critical"}}))
	var states []string
	for row := range response.Frames[0].Rows() {
		states = append(states, response.Frames[0].At(2, row).(string))
	}
	// Time in which nobody looked may have been anything.
	if want := []string{"unobserved", "critical", "critical"}; !slices.Equal(states, want) {
		t.Errorf("got %v", states)
	}
}

func TestTimelineThatLiesInTheFuture(t *testing.T) {
	q := query(t, "timeline", nil)
	q.TimeRange.From, q.TimeRange.To = noon.Add(time.Hour).Time(), noon.Add(2*time.Hour).Time()
	response := ask(t, sourceOf(goodStore()), q)
	want := []string{"The time range lies in the future; nothing has been observed there."}
	if got := notices(response); !slices.Equal(got, want) || response.Frames[0].Rows() != 0 {
		t.Errorf("got %q with %d rows", got, response.Frames[0].Rows())
	}
}

func TestTimelineBeforeTheFirstObservation(t *testing.T) {
	response := ask(t, sourceOf(goodStore()), query(t, "timeline", nil))
	want := []string{"The cluster had not been observed yet in this time."}
	if got := notices(response); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
