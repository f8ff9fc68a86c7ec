package prometheus

import (
	"encoding/json"
	"testing"
	"time"
)

func TestEveryTargetHasTheLabels(t *testing.T) {
	content, err := Config{
		ScrapeInterval: 5 * time.Second,
		Labels:         map[string]string{"cluster": "lab"},
		Jobs:           []Job{{Name: "temporal-server", Targets: []string{"127.0.0.1:8000"}}, {Name: "temporal-worker", Targets: []string{"127.0.0.1:9101"}}},
	}.file()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Global struct {
			Interval string `json:"scrape_interval"`
			Timeout  string `json:"scrape_timeout"`
		} `json:"global"`
		Jobs []struct {
			Name    string `json:"job_name"`
			Targets []struct {
				Labels map[string]string `json:"labels"`
			} `json:"static_configs"`
		} `json:"scrape_configs"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	if file.Global.Interval != "5s" || file.Global.Timeout != "5s" {
		t.Errorf("interval %s, timeout %s: want 5s for both", file.Global.Interval, file.Global.Timeout)
	}
	if len(file.Jobs) != 2 {
		t.Fatalf("%d jobs, want 2", len(file.Jobs))
	}
	for _, job := range file.Jobs {
		if got := job.Targets[0].Labels["cluster"]; got != "lab" {
			t.Errorf("job %s: cluster = %q, want lab", job.Name, got)
		}
	}
}
