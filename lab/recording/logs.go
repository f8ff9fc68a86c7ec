package recording

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/temporal-sre/copilot/lab/logs"
	"github.com/temporal-sre/copilot/lab/loki"
	"github.com/temporal-sre/copilot/lab/score"
)

// SaveLogs writes the logs of a play, of which a logs.Collector has kept a
// journal: from the start of the servers to the end of the play. Each line is
// kept as clean returns it. It says what it kept.
func SaveLogs(dir string, truth *score.Truth, journal string, clean func(string) string) (string, error) {
	entries, err := logs.ReadJournal(journal)
	if err != nil {
		return "", fmt.Errorf("save the logs: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e logs.Entry) bool { return !e.At().Before(truth.To) })
	for i := range entries {
		entries[i].Line = clean(entries[i].Line)
	}
	path := filepath.Join(dir, LogsFile)
	if err := logs.Archive(path, entries); err != nil {
		return "", fmt.Errorf("save the logs: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("save the logs: %w", err)
	}
	return fmt.Sprintf("%d lines of logs, %d KB", len(entries), info.Size()/1000), nil
}

// holdsLogs tells whether the recording in a directory has logs.
func holdsLogs(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, LogsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// startLoki serves the recording's logs and returns when all of them can be
// queried.
func (s *Server) startLoki(ctx context.Context, archive string) error {
	binary, err := loki.Find("")
	if err != nil {
		return err
	}
	config := loki.Config{Binary: binary, Dir: filepath.Join(s.dir, "loki"), LogFile: filepath.Join(s.dir, "loki.log")}
	for _, port := range []*int{&config.Port, &config.GRPCPort} {
		if *port, err = s.ports.Pick(0); err != nil {
			return err
		}
	}
	if err := os.Mkdir(config.Dir, 0o755); err != nil {
		return err
	}
	if s.loki, err = loki.Start(config); err != nil {
		return err
	}
	if err := awaitReady(ctx, s.loki, config.ReadyURL()); err != nil {
		return err
	}
	client := loki.Client{URL: config.URL()}
	err = logs.ReadArchive(archive, func(entries []logs.Entry) error { return client.Push(ctx, entries) })
	if err != nil {
		return err
	}
	s.LokiURL = config.URL()
	return nil
}
