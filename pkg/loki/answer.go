package loki

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// nanos writes an instant as Loki reads it.
func nanos(at instant.Instant) string { return strconv.FormatInt(at.Time().UnixNano(), 10) }

// nextNano writes the first moment after an instant as Loki reads it.
func nextNano(at instant.Instant) string { return strconv.FormatInt(at.Time().UnixNano()+1, 10) }

// fromNanos reads one of Loki's times.
func fromNanos(n int64) instant.Instant { return instant.FromTime(time.Unix(0, n)) }

// pair reads a value with its time, as the answers to metric queries have them:
// a number of seconds and a number as text.
func pair(data []byte) (at, value float64, err error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil || len(parts) != 2 {
		return 0, 0, fmt.Errorf("%s is not a time with a value", data)
	}
	var text string
	if err := json.Unmarshal(parts[0], &at); err != nil {
		return 0, 0, err
	}
	if err := json.Unmarshal(parts[1], &text); err != nil {
		return 0, 0, err
	}
	value, err = strconv.ParseFloat(text, 64)
	return at, value, err
}
