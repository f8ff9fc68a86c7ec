package health

import (
	"fmt"
	"time"
)

// seconds writes a duration in seconds as people read it: 4m10s.
func seconds(q Quantity) string {
	if !q.Known() {
		return "an unknown time"
	}
	return AgoSeconds(float64(q))
}

// AgoSeconds writes an age in seconds as people read it, with a decimal below
// ten seconds.
func AgoSeconds(sec float64) string {
	if sec < 10 {
		return fmt.Sprintf("%.1fs", sec)
	}
	return Ago(time.Duration(sec * float64(time.Second)))
}

// Ago writes a duration to the second below an hour and to the minute above.
func Ago(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
	}
}
