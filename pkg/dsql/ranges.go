package dsql

import (
	"github.com/temporal-sre/copilot/pkg/instant"
)

// RangeQuery asks for a part of a cluster's record, one page at a time and the
// newest first.
type RangeQuery struct {
	Cluster string
	// From is included and To is not. Zero: open.
	From, To instant.Instant
	// Limit is the size of a page. What 0 stands for and what is most, each
	// method says; more than the most is the most.
	Limit int
	// Cursor is the Next of the page before; empty for the first page.
	Cursor string
}

// The instants that an open time range reaches to: those of RFC 3339 that are
// nearest to the ends of the calendar.
var (
	beginning = instant.FromUnix(-62135596799) // 0001-01-01T00:00:01Z
	end       = instant.FromUnix(253402300799) // 9999-12-31T23:59:59Z
)

// bounds returns the time range and the size of a page.
func (q RangeQuery) bounds(most int) (from, to instant.Instant, limit int, err error) {
	from, to, err = timeRange(q.From, q.To)
	if err != nil {
		return from, to, 0, err
	}
	if q.Cursor != "" {
		cursor, err := instant.Parse(q.Cursor)
		if err != nil {
			return from, to, 0, invalid("the cursor %q is not one that was given out; begin again without a cursor", text(q.Cursor, 64))
		}
		if cursor.Before(to) {
			to = cursor
		}
	}
	limit, err = pageSize(q.Limit, defaultPage, most)
	return from, to, limit, err
}

// timeRange fills in the open ends of a time range.
func timeRange(from, to instant.Instant) (instant.Instant, instant.Instant, error) {
	if from.IsZero() {
		from = beginning
	}
	if to.IsZero() {
		to = end
	}
	if !from.Before(to) {
		return from, to, invalid("the time range is empty: it begins at %s and ends at %s", from, to)
	}
	return from, to, nil
}

// pageSize checks a limit and fills in its default.
func pageSize(limit, fallback, most int) (int, error) {
	switch {
	case limit < 0:
		return 0, invalid("a limit must be positive, it is %d", limit)
	case limit == 0:
		return min(fallback, most), nil
	}
	return min(limit, most), nil
}

// cut keeps a page of a list that has one element more if there is a next page,
// and returns that page's cursor: the instant of the last element kept.
func cut[T any](list []T, limit int, at func(*T) instant.Instant) (page []T, next string) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], at(&list[limit-1]).String()
}
