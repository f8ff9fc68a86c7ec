package health

import (
	"fmt"
	"strings"
	"time"
)

// seconds writes a duration in seconds as people read it: 4m10s.
func seconds(q Quantity) string {
	if !q.Known() {
		return "an unknown time"
	}
	return AgoSeconds(float64(q))
}

// orNone writes a rate, and nothing as people say it.
func orNone(q Quantity) string {
	if q == 0 {
		return "none"
	}
	return fmt.Sprintf("%.3g", q)
}

// milliseconds writes a time given in milliseconds as people read it.
func milliseconds(q Quantity) string {
	if q >= 10_000 || !q.Known() {
		return seconds(q / 1000)
	}
	return fmt.Sprintf("%.0f ms", q)
}

// List joins names as people do: a, b and c. Of more than four it names three.
func List(names []string) string {
	switch n := len(names); {
	case n > 4:
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d others", n-3)
	case n > 1:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
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
