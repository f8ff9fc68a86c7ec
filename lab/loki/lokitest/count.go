// Package lokitest asks a Loki questions in tests.
package lokitest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// Count returns the values of a metric query at an instant by the label
// instance of their series; a series without one has the empty key.
func Count(t testing.TB, base, query string, at instant.Instant) map[string]int {
	t.Helper()
	address := base + "/loki/api/v1/query?" + url.Values{"query": {query}, "time": {at.String()}}.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Data struct {
			Result []struct {
				Metric struct{ Instance string }
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("%s: %s: %v", query, response.Status, err)
	}
	counts := map[string]int{}
	for _, series := range answer.Data.Result {
		text, _ := series.Value[1].(string)
		if counts[series.Metric.Instance], err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	return counts
}
