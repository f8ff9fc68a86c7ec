package health

import (
	"encoding/json"
	"fmt"
	"math"
)

// Quantity is a number that may be unknown. An unknown quantity is NaN, so
// that arithmetic keeps it unknown and every comparison with it is false; in
// JSON it is null. The zero value is a known 0.
type Quantity float64

// unknownQuantity is the quantity that was not measured.
var unknownQuantity = Quantity(math.NaN())

// Known tells whether the quantity was measured.
func (q Quantity) Known() bool { return !math.IsNaN(float64(q)) }

// Or returns the quantity, or fallback when it is unknown.
func (q Quantity) Or(fallback float64) float64 {
	if q.Known() {
		return float64(q)
	}
	return fallback
}

// ptr returns the quantity as JSON structures carry it: nil when unknown.
func (q Quantity) ptr() *float64 {
	if !q.Known() || math.IsInf(float64(q), 0) {
		return nil
	}
	v := float64(q)
	return &v
}

// MarshalJSON writes a number, or null when unknown.
func (q Quantity) MarshalJSON() ([]byte, error) {
	if p := q.ptr(); p != nil {
		return json.Marshal(*p)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads a number or null.
func (q *Quantity) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*q = unknownQuantity
		return nil
	}
	var v float64
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("quantity %s: want a number or null: %w", data, err)
	}
	*q = Quantity(v)
	return nil
}
