package api

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-sre/copilot/pkg/health"
	"github.com/temporal-sre/copilot/pkg/instant"
)

// Bounds of parameters.
const (
	maxClusterName = 256 // bytes
	defaultLimit   = 50
	maxLimit       = 1000
	// defaultSpan is the time range of a timeline for which none was asked.
	defaultSpan = 24 * time.Hour
	// maxSpan is the longest time range: a quarter of a year.
	maxSpan = 92 * 24 * time.Hour
	// maxAhead is how far a range may reach into the future, which a clock that
	// goes wrong or a calendar day does. It is cut to end now.
	maxAhead = 24 * time.Hour
)

// earliest is the oldest instant that a range may begin at.
var earliest = instant.FromUnix(946_684_800) // 2000-01-01T00:00:00Z

const timeRemedy = "write it like 2026-11-24T03:04:30Z, in milliseconds since 1970, or like now-6h"

// query reads the parameters of a request.
type query struct {
	values url.Values
	now    instant.Instant
}

// text returns a parameter; empty if it is not there.
func (q query) text(name string) (string, error) {
	given := q.values[name]
	switch len(given) {
	case 0:
		return "", nil
	case 1:
		return given[0], nil
	}
	return "", invalidParameter(name, strings.Join(given, ", "), "the parameter is given more than once", "give it once")
}

// cluster returns the name of the cluster; empty if none is asked for.
func (q query) cluster() (string, error) {
	name, err := q.text("cluster")
	if err == nil && len(name) > maxClusterName {
		err = invalidParameter("cluster", name, fmt.Sprintf("the name is longer than %d bytes", maxClusterName), "see GET /clusters")
	}
	return name, err
}

// limit returns the size of a page.
func (q query) limit() (int, error) {
	text, err := q.text("limit")
	if err != nil || text == "" {
		return defaultLimit, err
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, invalidParameter("limit", text, "this is no size of a page", fmt.Sprintf("give a number from 1 to %d", maxLimit))
	}
	return limit, nil
}

// cursor returns where a page begins.
func (q query) cursor() (string, error) {
	text, err := q.text("cursor")
	if err != nil || text == "" {
		return "", err
	}
	if _, err := instant.Parse(text); err != nil {
		return "", notACursor(text)
	}
	return text, nil
}

// notACursor is the error for a cursor that nobody gave out.
func notACursor(text string) *Error {
	return invalidParameter("cursor", text, "this is no cursor that was given out", "begin again without a cursor, then give next_cursor as it is")
}

// severity returns the least severity to tell of.
func (q query) severity() (health.State, error) {
	text, err := q.text("severity")
	if err != nil || text == "" {
		return health.Unknown, err
	}
	state, err := health.ParseState(text)
	if err != nil || state == health.Unknown {
		return 0, invalidParameter("severity", text, "this is no severity", "use happy, stressed or critical")
	}
	return state, nil
}

// timeRange is from when to when. Zero: open.
type timeRange struct{ from, to instant.Instant }

// timeRange returns the range that is asked for. An end that is not given stays
// open; what lies in the future is cut off.
func (q query) timeRange() (timeRange, error) {
	var r timeRange
	var err error
	if r.from, err = q.instant("from"); err != nil {
		return r, err
	}
	if r.to, err = q.instant("to"); err != nil {
		return r, err
	}
	if !r.to.IsZero() && q.now.Before(r.to) {
		if q.now.Add(maxAhead).Before(r.to) {
			return r, invalidParameter("to", q.values.Get("to"), "this lies in the future", "leave it out to ask up to now")
		}
		r.to = q.now
	}
	end := r.to
	if end.IsZero() {
		end = q.now
	}
	switch {
	case r.from.IsZero():
	case !r.from.Before(end):
		return r, invalidParameter("from", q.values.Get("from"),
			fmt.Sprintf("the time range is empty: it begins at %s and ends at %s", r.from, end), "give a from that lies before to, and in the past")
	case end.Sub(r.from) > maxSpan:
		return r, invalidParameter("from", q.values.Get("from"),
			fmt.Sprintf("the time range is longer than %d days: it begins at %s and ends at %s", int(maxSpan.Hours()/24), r.from, end), "ask for a shorter one, several times if need be")
	}
	return r, nil
}

// closed fills in the open ends: up to now, from a day before.
func (r timeRange) closed(now instant.Instant) timeRange {
	if r.to.IsZero() {
		r.to = now
	}
	if r.from.IsZero() {
		r.from = r.to.Add(-defaultSpan)
	}
	return r
}

// instant reads a parameter that is a time; zero if it is not there.
func (q query) instant(name string) (instant.Instant, error) {
	text, err := q.text(name)
	if err != nil || text == "" {
		return instant.Instant{}, err
	}
	at, err := ParseTime(text, q.now)
	if err != nil {
		// A plus that was not escaped reads as a space.
		remedy := timeRemedy
		if strings.Contains(text, " ") {
			remedy += "; in a URL the plus of an offset is written %2B"
		}
		return at, invalidParameter(name, text, "this is no time", remedy)
	}
	if at.Before(earliest) {
		return at, invalidParameter(name, text, "this lies before the year 2000", timeRemedy)
	}
	return at, nil
}

// relative is a time as Grafana writes it.
var relative = regexp.MustCompile(`^now(?:-([0-9]{1,6})([smhdw]))?$`)

// maxBack is how far back a relative time may reach.
const maxBack = 100 * 365 * 24 * time.Hour

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// ParseTime reads a time as people and dashboards write it: RFC 3339,
// milliseconds since 1970, or relative to now as in now-6h with s, m, h, d or w.
func ParseTime(text string, now instant.Instant) (instant.Instant, error) {
	if parts := relative.FindStringSubmatch(text); parts != nil {
		if parts[1] == "" {
			return now, nil
		}
		n, err := strconv.Atoi(parts[1])
		unit := units[parts[2]]
		if err != nil || time.Duration(n) > maxBack/unit {
			return instant.Instant{}, notATime(text)
		}
		return now.Add(-time.Duration(n) * unit), nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		// Beyond this lies no year that can be written with four digits.
		const most = 253_402_300_799_000
		if ms < 0 || ms > most {
			return instant.Instant{}, notATime(text)
		}
		return instant.FromUnixMilli(ms), nil
	}
	at, err := instant.Parse(text)
	if err != nil {
		return at, notATime(text)
	}
	return at, nil
}

// notATime says how to write a time.
func notATime(text string) error {
	return fmt.Errorf("%q is no time: %s", echo(text), timeRemedy)
}
