package instant_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"go.temporal.io/sdk/converter"
	"pgregory.net/rapid"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// anyMoment draws a moment that RFC 3339 can write, in any zone and with
// nanoseconds: what a library may hand us. It leaves out the first and the last
// year, which a zone's offset can carry past the end; those have a test of
// their own.
func anyMoment(t *rapid.T, label string) time.Time {
	first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	last := time.Date(9998, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
	sec := rapid.Int64Range(first, last).Draw(t, label+" sec")
	nsec := rapid.Int64Range(0, 999_999_999).Draw(t, label+" nsec")
	minutes := rapid.IntRange(-12*60, 14*60).Draw(t, label+" offset in minutes")
	return time.Unix(sec, nsec).In(time.FixedZone("drawn", minutes*60))
}

func TestEqualMomentsAreEqualValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moment := anyMoment(t, "moment")
		here, utc := instant.FromTime(moment), instant.FromTime(moment.UTC())
		if here != utc || !here.Equal(utc) || here.Compare(utc) != 0 {
			t.Fatalf("%v and %v are the same moment", here, utc)
		}
		if here.Time().Location() != time.UTC {
			t.Fatalf("%v is not in UTC", here.Time())
		}
		if here.Time().Nanosecond()%1000 != 0 {
			t.Fatalf("%v is finer than a microsecond", here.Time())
		}
		if lost := moment.Sub(here.Time()); lost < 0 || lost >= time.Microsecond {
			t.Fatalf("truncation took %v off", lost)
		}
	})
}

func TestMonotonicReadingDoesNotCount(t *testing.T) {
	now := time.Now()
	if instant.FromTime(now) != instant.FromTime(now.Round(0)) {
		t.Fatal("the monotonic reading changed the value")
	}
}

func TestOrderIsThatOfTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := instant.FromTime(anyMoment(t, "a"))
		b := instant.FromTime(anyMoment(t, "b"))
		if a.Before(b) != (a.Compare(b) < 0) || a.After(b) != (a.Compare(b) > 0) || a.Equal(b) != (a.Compare(b) == 0) {
			t.Fatalf("comparisons of %v and %v disagree", a, b)
		}
		if a.Compare(b) != -b.Compare(a) {
			t.Fatalf("comparing %v and %v depends on who asks", a, b)
		}
	})
}

func TestAddUndoesSub(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := instant.FromTime(anyMoment(t, "a"))
		d := time.Duration(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "microseconds")) * time.Microsecond
		if got := a.Add(d).Sub(a); got != d {
			t.Fatalf("%v plus %v is %v away", a, d, got)
		}
		if back := a.Add(d).Add(-d); back != a {
			t.Fatalf("%v came back as %v", a, back)
		}
	})
}

func TestTruncateFallsOnTheStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := instant.FromTime(anyMoment(t, "a"))
		step := time.Duration(rapid.IntRange(1, 86_400).Draw(t, "step")) * time.Second
		down := a.Truncate(step)
		if down.After(a) || a.Sub(down) >= step {
			t.Fatalf("%v truncated to %v is %v", a, step, down)
		}
		if down.Truncate(step) != down {
			t.Fatalf("%v is not on its own step of %v", down, step)
		}
	})
	a := instant.FromUnixMilli(1_700_000_012_345)
	if a.Truncate(30*time.Second) != instant.FromUnix(1_700_000_010) {
		t.Fatalf("got %v", a.Truncate(30*time.Second))
	}
	if a.Truncate(0) != a {
		t.Fatal("a step of zero must change nothing")
	}
}

func TestUnixMilliRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-62_167_219_200_000, 253_402_300_799_999).Draw(t, "ms")
		i := instant.FromUnixMilli(ms)
		if i.UnixMilli() != ms {
			t.Fatalf("%d came back as %d", ms, i.UnixMilli())
		}
		if got, want := i.Unix(), i.Time().Unix(); got != want {
			t.Fatalf("Unix is %d, want %d", got, want)
		}
	})
}

// holder is how an Instant appears in the project's own types.
type holder struct {
	At       instant.Instant             `json:"at"`
	Optional instant.Instant             `json:"optional,omitzero"`
	ByTime   map[instant.Instant]float64 `json:"by_time,omitempty"`
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := instant.FromTime(anyMoment(t, "at"))
		data, err := json.Marshal(holder{At: at, Optional: at, ByTime: map[instant.Instant]float64{at: 1}})
		if err != nil {
			t.Fatal(err)
		}
		var back holder
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if back.At != at || back.Optional != at || back.ByTime[at] != 1 {
			t.Fatalf("%s came back as %+v", data, back)
		}
	})
}

func TestJSONSpelling(t *testing.T) {
	tests := []struct {
		name string
		at   instant.Instant
		want string
	}{
		{"whole second", instant.FromUnix(1_795_489_470), `"2026-11-24T03:04:30Z"`},
		{"milliseconds", instant.FromUnixMilli(1_795_489_470_250), `"2026-11-24T03:04:30.25Z"`},
		{"microseconds", instant.FromUnix(1_795_489_470).Add(7 * time.Microsecond), `"2026-11-24T03:04:30.000007Z"`},
		{"none", instant.Instant{}, `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(tt.at)
			if err != nil || string(got) != tt.want {
				t.Fatalf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
	got, err := json.Marshal(holder{})
	if err != nil || string(got) != `{"at":null}` {
		t.Fatalf("got %s, %v", got, err)
	}
}

func TestJSONReadsNoTime(t *testing.T) {
	for _, data := range []string{`{"at":null}`, `{"at":""}`, `{}`} {
		h := holder{}
		if err := json.Unmarshal([]byte(data), &h); err != nil || !h.At.IsZero() {
			t.Errorf("%s: %v, %v", data, h.At, err)
		}
	}
	at := instant.FromUnix(1)
	if err := json.Unmarshal([]byte(`null`), &at); err != nil || !at.IsZero() {
		t.Errorf("null left %v, %v", at, err)
	}
}

func TestJSONRefusesWhatIsNoTime(t *testing.T) {
	for _, data := range []string{`1795489470`, `true`, `{}`, `"noon"`, `"2026-11-24"`} {
		var at instant.Instant
		err := json.Unmarshal([]byte(data), &at)
		if err == nil || !strings.Contains(err.Error(), "2026-11-24T03:04:30Z") {
			t.Errorf("%s: the error names no remedy: %v", data, err)
		}
	}
}

func TestYearsWithoutASpellingAreRefused(t *testing.T) {
	far := instant.FromTime(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC))
	if data, err := json.Marshal(far); err == nil {
		t.Errorf("wrote %s", data)
	}
	for _, s := range []string{"9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00"} {
		if at, err := instant.Parse(s); err == nil {
			t.Errorf("%s was read as %v", s, at)
		}
	}
}

func TestParse(t *testing.T) {
	want := instant.FromUnix(1_795_489_470)
	for _, s := range []string{
		"2026-11-24T03:04:30Z",
		"2026-11-24T03:04:30.000000999Z",
		"2026-11-24T05:04:30+02:00",
		"2026-11-23T20:34:30-06:30",
	} {
		got, err := instant.Parse(s)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestParseErrorsNameTheValueAndTheRemedy(t *testing.T) {
	tests := []struct{ in, want string }{
		{"yesterday", `"yesterday" is not a time in RFC 3339; write it like 2026-11-24T03:04:30Z`},
		{"", `"" is not a time in RFC 3339; write it like 2026-11-24T03:04:30Z`},
		{"2026-11-24 03:04:30", `"2026-11-24 03:04:30" is not a time in RFC 3339; write it like 2026-11-24T03:04:30Z`},
		{"2026-02-30T00:00:00Z", `"2026-02-30T00:00:00Z" is not a time in RFC 3339; write it like 2026-11-24T03:04:30Z`},
		{"2026-11-24T03:04:30", `"2026-11-24T03:04:30" has no time zone; add Z for UTC: 2026-11-24T03:04:30Z`},
		{strings.Repeat("9", 5000), `"` + strings.Repeat("9", 48) + `…" is not a time in RFC 3339; write it like 2026-11-24T03:04:30Z`},
	}
	for _, tt := range tests {
		_, err := instant.Parse(tt.in)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%.60q: got %v, want %s", tt.in, err, tt.want)
		}
	}
}

func TestParseReadsEverySpellingOfAMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moment := anyMoment(t, "moment")
		spelling := moment.Format(time.RFC3339Nano)
		got, err := instant.Parse(spelling)
		if err != nil || got != instant.FromTime(moment) {
			t.Fatalf("%s was read as %v, %v", spelling, got, err)
		}
	})
}

func TestParseTakesAnyTextWithoutPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "anything")
		if _, err := instant.Parse(s); err != nil && err.Error() == "" {
			t.Fatal("an empty error")
		}
	})
}

func TestTextRoundTrip(t *testing.T) {
	for _, at := range []instant.Instant{{}, instant.FromUnixMilli(1_795_489_470_250)} {
		text, err := at.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		back := instant.FromUnix(1)
		if err := back.UnmarshalText(text); err != nil || back != at {
			t.Errorf("%q came back as %v, %v", text, back, err)
		}
	}
	if got := (instant.Instant{}).String(); got != "never" {
		t.Errorf("the zero Instant prints as %q", got)
	}
}

// A workflow's inputs and results travel through the SDK's default converter;
// what comes out must be the value that went in, or a replay would differ.
func TestTemporalDataConverterRoundTrip(t *testing.T) {
	dc := converter.GetDefaultDataConverter()
	rapid.Check(t, func(t *rapid.T) {
		want := holder{At: instant.FromTime(anyMoment(t, "at"))}
		payloads, err := dc.ToPayloads(want, want.At)
		if err != nil {
			t.Fatal(err)
		}
		var got holder
		var at instant.Instant
		if err := dc.FromPayloads(payloads, &got, &at); err != nil {
			t.Fatal(err)
		}
		if got.At != want.At || got.Optional != want.Optional || at != want.At {
			t.Fatalf("got %+v and %v, want %+v", got, at, want)
		}
	})
}

// pgx encodes and decodes here exactly as it does on a connection, in both wire
// formats; the store's tests do the same on a real server.
func TestPgxTimestamptzRoundTrip(t *testing.T) {
	m := pgtype.NewMap()
	rapid.Check(t, func(t *rapid.T) {
		sec := rapid.Int64Range(0, 253_402_300_799).Draw(t, "sec")
		usec := rapid.Int64Range(0, 999_999).Draw(t, "usec")
		want := instant.FromTime(time.Unix(sec, usec*1000))
		for _, format := range []int16{pgtype.TextFormatCode, pgtype.BinaryFormatCode} {
			buf, err := m.Encode(pgtype.TimestamptzOID, format, want, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got instant.Instant
			if err := m.Scan(pgtype.TimestamptzOID, format, buf, &got); err != nil {
				t.Fatalf("%q: %v", buf, err)
			}
			if got != want {
				t.Fatalf("format %d: %v came back as %v", format, want, got)
			}
		}
	})
}

func TestPgxNullIsNoTime(t *testing.T) {
	m := pgtype.NewMap()
	buf, err := m.Encode(pgtype.TimestamptzOID, pgtype.BinaryFormatCode, instant.Instant{}, nil)
	if err != nil || buf != nil {
		t.Fatalf("the zero Instant was written as %q, %v", buf, err)
	}
	got := instant.FromUnix(1)
	if err := m.Scan(pgtype.TimestamptzOID, pgtype.BinaryFormatCode, nil, &got); err != nil || !got.IsZero() {
		t.Fatalf("NULL was read as %v, %v", got, err)
	}
}

func TestScanRefusesOtherColumnTypes(t *testing.T) {
	var at instant.Instant
	for _, src := range []any{int64(5), "infinity", []byte("2026-11-24")} {
		if err := at.Scan(src); err == nil || !strings.Contains(err.Error(), "timestamptz") {
			t.Errorf("%v: %v", src, err)
		}
	}
}

func TestInstantsSortAndServeAsKeys(t *testing.T) {
	a, b, c := instant.FromUnix(1), instant.FromUnix(2), instant.FromUnix(3)
	list := []instant.Instant{c, a, b}
	slices.SortFunc(list, instant.Instant.Compare)
	if !slices.Equal(list, []instant.Instant{a, b, c}) {
		t.Fatalf("got %v", list)
	}
	seen := map[instant.Instant]bool{instant.FromTime(time.Unix(2, 0).In(time.FixedZone("x", 3600))): true}
	if !seen[b] {
		t.Fatal("the same moment was not found again as a key")
	}
}

// Instants are made and compared for every series of every observation.
func TestHotPathsDoNotAllocate(t *testing.T) {
	moment := time.Date(2026, 11, 24, 3, 4, 30, 123_456_789, time.FixedZone("x", 3600))
	other := instant.FromUnix(1)
	var sink instant.Instant
	if n := testing.AllocsPerRun(100, func() {
		sink = instant.FromTime(moment).Add(time.Second).Truncate(30 * time.Second)
		_ = sink.Before(other) || sink == other
		_ = sink.UnixMilli()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
