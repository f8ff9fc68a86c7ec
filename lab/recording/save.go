package recording

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/temporal-sre/copilot/lab/score"
)

// Files of a recording.
const (
	TruthFile    = "truth.json"
	MetricsFile  = "metrics.tar.zst"
	LogsFile     = "logs.ndjson.zst"
	ScenarioFile = "scenario.yaml"
	VerdictsFile = "verdicts.jsonl"
)

// ExtractorEnv names the environment variable that holds the path of the
// program that copies series out of Prometheus' database.
const ExtractorEnv = "COPILOT_LAB_EXTRACT"

// ErrNoExtractor reports that the program that copies series is not there.
var ErrNoExtractor = errors.New("no program to read Prometheus' database with")

// FindExtractor returns the path of the program that copies series: that of
// ExtractorEnv, or the one beside Prometheus.
func FindExtractor(prometheus string) (string, error) {
	path := os.Getenv(ExtractorEnv)
	if path == "" {
		path = filepath.Join(filepath.Dir(prometheus), "prometheus-extract")
	}
	if _, err := exec.LookPath(path); err != nil {
		return "", fmt.Errorf("%w (%w): run \"go tool mage build:prometheus\" in the repository, or set %s", ErrNoExtractor, err, ExtractorEnv)
	}
	return path, nil
}

// Save writes the recording of a play: the truth, and what a Prometheus that
// has been stopped holds in its data directory. It says what it kept.
func Save(ctx context.Context, dir string, truth *score.Truth, extractor, data string) (string, error) {
	content, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, TruthFile), append(content, '\n'), 0o644); err != nil {
		return "", fmt.Errorf("save the recording: %w", err)
	}
	block, err := os.MkdirTemp("", "lab-recording-")
	if err != nil {
		return "", fmt.Errorf("save the recording: %w", err)
	}
	defer os.RemoveAll(block)
	args := []string{"--data", data, "--out", block}
	for _, selector := range Selectors() {
		args = append(args, "--match", selector)
	}
	out, err := exec.CommandContext(ctx, extractor, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("save the recording: %w: %s", err, strings.TrimSpace(string(out)))
	}
	if err := pack(block, filepath.Join(dir, MetricsFile)); err != nil {
		return "", fmt.Errorf("save the recording: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// ReadTruth reads the truth of a recording.
func ReadTruth(dir string) (*score.Truth, error) {
	content, err := os.ReadFile(filepath.Join(dir, TruthFile))
	if err != nil {
		return nil, fmt.Errorf("%s is no recording: %w", dir, err)
	}
	var truth score.Truth
	if err := json.Unmarshal(content, &truth); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, TruthFile), err)
	}
	if truth.StepSeconds < 1 || !truth.From.Before(truth.To) {
		return nil, fmt.Errorf("%s holds no range of time", filepath.Join(dir, TruthFile))
	}
	return &truth, nil
}
