package workload

import (
	"testing"
	"time"
)

func TestPacerKeepsTheRate(t *testing.T) {
	for _, perSecond := range []float64{0, 0.3, 10, 333.3} {
		pace := pacer{perSecond: perSecond}
		total := 0
		const seconds = 100
		for range seconds * 100 {
			total += pace.due(10 * time.Millisecond)
		}
		if want := perSecond * seconds; float64(total) > want+0.001 || float64(total) < want-1.001 {
			t.Errorf("%v a second for %d s gave %d, want %v", perSecond, seconds, total, want)
		}
	}
}

func TestPacerDoesNotMakeUpForAPause(t *testing.T) {
	pace := pacer{perSecond: 10}
	if got := pace.due(time.Minute); got > 10 {
		t.Errorf("after a pause of a minute %d are due at once, want at most one second's worth", got)
	}
}

func TestRotationDealsOutSharesEvenly(t *testing.T) {
	queues := newRotation(shares)
	seen := map[string]int{}
	longestGap, lastBilling := 0, 0
	for i := range 1000 {
		queue := queues.next()
		seen[queue]++
		if queue == Billing {
			longestGap = max(longestGap, i-lastBilling)
			lastBilling = i
		}
	}
	want := map[string]int{Orders: 500, Billing: 250, Shipping: 150, Sessions: 100}
	for queue, count := range want {
		if seen[queue] != count {
			t.Errorf("%s got %d of 1000, want %d", queue, seen[queue], count)
		}
	}
	if longestGap > 6 {
		t.Errorf("billing waited for %d turns once; its share of a quarter should come about each fourth", longestGap)
	}
}
