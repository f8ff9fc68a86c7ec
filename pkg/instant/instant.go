// Package instant holds the one type that this project uses for a point in
// time, and the one place that reads the system's clock.
//
// A time.Time carries a time zone, a monotonic reading and nanoseconds, so two
// values of the same moment can differ under ==, print differently, and come
// back from the database as something else than what went in. An Instant is
// always UTC and never finer than a microsecond, which is PostgreSQL's
// precision: what was stored equals what is read, and equal moments are equal
// values, usable as map keys.
//
// Durations stay time.Duration. Inside a Temporal workflow the current time is
// FromTime(workflow.Now(ctx)), never a Clock: a replay has to see the time of
// the first run.
package instant

import (
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// precision is the finest step that survives every way an Instant takes: JSON,
// the Temporal payload converter and a timestamptz column.
const precision = time.Microsecond

// example is the spelling that every error message shows as the remedy.
const example = "2026-11-24T03:04:30Z"

// errRange is returned for years that RFC 3339 has no spelling for.
var errRange = errors.New("instant: the year lies outside 0000 to 9999, which RFC 3339 cannot write")

// Instant is a point in time in UTC, to the microsecond. It is a small value:
// pass it and compare it with ==, not by pointer. The zero Instant means "no
// time"; it is null in JSON and NULL in the database.
type Instant struct {
	// t has no location and no monotonic reading, so that == on Instant is the
	// equality of moments. Only of makes values of it.
	t time.Time
}

// The interfaces through which other parts read and write an Instant.
var (
	_ json.Marshaler           = Instant{}
	_ json.Unmarshaler         = (*Instant)(nil)
	_ encoding.TextMarshaler   = Instant{}
	_ encoding.TextUnmarshaler = (*Instant)(nil)
	_ driver.Valuer            = Instant{}
	_ sql.Scanner              = (*Instant)(nil)
	_ fmt.Stringer             = Instant{}
)

// FromTime returns t in UTC, truncated to the microsecond. A zero time.Time
// gives the zero Instant.
func FromTime(t time.Time) Instant {
	return Instant{t: t.UTC().Truncate(precision)}
}

// FromUnix returns the instant that lies sec seconds after the start of 1970.
func FromUnix(sec int64) Instant {
	return FromTime(time.Unix(sec, 0))
}

// FromUnixMilli returns the instant that lies ms milliseconds after the start
// of 1970, which is how Prometheus and Grafana count.
func FromUnixMilli(ms int64) Instant {
	return FromTime(time.UnixMilli(ms))
}

// Parse reads a time in RFC 3339, with Z or with an offset, and normalises it
// to UTC. The error quotes the value and says how to write it; it does not
// name the flag or field, which only the caller knows.
func Parse(s string) (Instant, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return Instant{}, parseError(s)
	}
	if year := t.UTC().Year(); year < 0 || year > 9999 {
		return Instant{}, parseError(s)
	}
	return FromTime(t), nil
}

// parseError words the failure of Parse. The commonest slip, a time without a
// zone, gets a remedy of its own: guessing a zone for it is exactly the kind of
// bug that this package is there to prevent.
func parseError(s string) error {
	const longest = 48
	shown := s
	if len(shown) > longest {
		shown = strings.ToValidUTF8(shown[:longest], "") + "…"
	}
	if _, err := time.Parse(time.RFC3339, s+"Z"); err == nil {
		return fmt.Errorf("%q has no time zone; add Z for UTC: %sZ", shown, shown)
	}
	return fmt.Errorf("%q is not a time in RFC 3339; write it like %s", shown, example)
}

// Time returns the instant as a time.Time in UTC, for the libraries that want
// one.
func (i Instant) Time() time.Time { return i.t }

// Add returns the instant d later, or earlier when d is negative. What is finer
// than a microsecond in d is lost.
func (i Instant) Add(d time.Duration) Instant { return FromTime(i.t.Add(d)) }

// Sub returns the time that passed from other to i. It is negative when other
// is the later one.
func (i Instant) Sub(other Instant) time.Duration { return i.t.Sub(other.t) }

// Before reports whether i lies before other.
func (i Instant) Before(other Instant) bool { return i.t.Before(other.t) }

// After reports whether i lies after other.
func (i Instant) After(other Instant) bool { return i.t.After(other.t) }

// Equal reports whether i and other are the same moment. It says the same as
// ==, and is here for libraries that look for such a method.
func (i Instant) Equal(other Instant) bool { return i == other }

// Compare returns -1, 0 or +1 as i lies before, at or after other, in the form
// that slices.SortFunc takes.
func (i Instant) Compare(other Instant) int { return i.t.Compare(other.t) }

// IsZero reports whether i is the zero Instant, "no time". The omitzero option
// of encoding/json asks it.
func (i Instant) IsZero() bool { return i == Instant{} }

// Truncate returns i rounded down to a multiple of d, so that evaluations of
// the same step fall on the same instants. For a d of zero or less it returns i.
func (i Instant) Truncate(d time.Duration) Instant { return FromTime(i.t.Truncate(d)) }

// Unix returns the whole seconds since the start of 1970, rounded down.
func (i Instant) Unix() int64 { return i.t.Unix() }

// UnixMilli returns the whole milliseconds since the start of 1970, rounded
// down.
func (i Instant) UnixMilli() int64 { return i.t.UnixMilli() }

// String returns i in RFC 3339 with Z and as many decimals of the second as it
// has, or "never" for the zero Instant. It is the spelling for people and logs.
func (i Instant) String() string {
	if i.IsZero() {
		return "never"
	}
	return i.t.Format(time.RFC3339Nano)
}

// MarshalText writes i as String does, but the zero Instant as the empty text,
// which UnmarshalText takes back.
func (i Instant) MarshalText() ([]byte, error) {
	if i.IsZero() {
		return []byte{}, nil
	}
	if year := i.t.Year(); year < 0 || year > 9999 {
		return nil, errRange
	}
	return []byte(i.t.Format(time.RFC3339Nano)), nil
}

// UnmarshalText reads what Parse reads; the empty text is the zero Instant.
func (i *Instant) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*i = Instant{}
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*i = parsed
	return nil
}

// MarshalJSON writes i as a string in RFC 3339 with Z, and the zero Instant as
// null: a reader must not mistake "no time" for the year 1.
func (i Instant) MarshalJSON() ([]byte, error) {
	if i.IsZero() {
		return []byte("null"), nil
	}
	text, err := i.MarshalText()
	if err != nil {
		return nil, err
	}
	return []byte(`"` + string(text) + `"`), nil
}

// UnmarshalJSON reads a string in RFC 3339; null and the empty string are the
// zero Instant.
func (i *Instant) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*i = Instant{}
		return nil
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%s is not a time; write it as a string like %q", data, example)
	}
	return i.UnmarshalText([]byte(s))
}

// Value gives the database a time in UTC for a timestamptz column, and NULL for
// the zero Instant.
func (i Instant) Value() (driver.Value, error) {
	if i.IsZero() {
		return nil, nil
	}
	return i.t, nil
}

// Scan takes a timestamptz column's value, or NULL as the zero Instant.
func (i *Instant) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*i = Instant{}
		return nil
	case time.Time:
		*i = FromTime(v)
		return nil
	default:
		return fmt.Errorf("cannot read a column of Go type %T as an instant; its type must be timestamptz", src)
	}
}
