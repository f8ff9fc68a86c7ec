package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// A part of ten seconds is played over and over, and a query is asked for once.
func TestAPlayerRepeatsItsPart(t *testing.T) {
	asked := 0
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		start, err := strconv.ParseFloat(r.FormValue("start"), 64)
		if err != nil || r.FormValue("step") != "1" {
			t.Errorf("asked for %v", r.Form)
		}
		// The value is the second of the recording; the second after 1004 has none.
		var values []string
		for at := start; at < start+10; at++ {
			if at != 1004 {
				values = append(values, fmt.Sprintf(`[%g,"%g"]`, at, at))
			}
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"job":"x"},"values":[%s]}]}}`, strings.Join(values, ","))
	}))
	defer upstream.Close()
	player := httptest.NewServer(NewPlayer(upstream.URL, instant.FromUnix(1000), instant.FromUnix(1010), instant.FromUnix(5000)))
	defer player.Close()

	for _, c := range []struct {
		start, end, step string
		want             string
	}{
		{"5000", "5000", "2", `[[5000,"1000"]]`},
		{"5003", "5005", "1", `[[5003,"1003"],[5005,"1005"]]`},
		{"5008", "5014", "2", `[[5008,"1008"],[5010,"1000"],[5012,"1002"]]`},
		{"4999", "4999", "1", `[[4999,"1009"]]`},
		{"5107.5", "5107.5", "1", `[[5107.5,"1007"]]`},
		{"5004", "5004", "1", `null`},
	} {
		response, err := http.PostForm(player.URL+"/api/v1/query_range", url.Values{
			"query": {"up"}, "start": {c.start}, "end": {c.end}, "step": {c.step},
		})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Data struct {
				Result []struct {
					Metric map[string]string
					Values json.RawMessage
				}
			}
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		got := "null"
		if len(answer.Data.Result) > 0 {
			got = string(answer.Data.Result[0].Values)
		}
		if got != c.want {
			t.Errorf("from %s to %s: %s, want %s", c.start, c.end, got, c.want)
		}
	}
	if asked != 1 {
		t.Errorf("the recording was asked %d times", asked)
	}

	for _, bad := range []url.Values{
		{"query": {"up"}, "start": {"x"}, "end": {"1"}, "step": {"1"}},
		{"query": {"up"}, "start": {"2"}, "end": {"1"}, "step": {"1"}},
		{"query": {"up"}, "start": {"1"}, "end": {"2"}, "step": {"0"}},
	} {
		response, err := http.PostForm(player.URL+"/api/v1/query_range", bad)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusBadGateway {
			t.Errorf("%v: %s", bad, response.Status)
		}
	}
}

func TestAPlayerNeedsNoRecordingForUnknownPaths(t *testing.T) {
	player := NewPlayer("http://127.0.0.1:1", instant.FromUnix(0), instant.FromUnix(60), instant.FromUnix(0))
	w := httptest.NewRecorder()
	player.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/targets", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("status %d", w.Code)
	}
}
