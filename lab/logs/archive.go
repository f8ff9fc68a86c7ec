package logs

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Archive writes entries in order of time into a compressed file, one JSON
// object a line.
func Archive(path string, entries []Entry) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	compressor, err := zstd.NewWriter(file, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(compressor)
	encoder.SetEscapeHTML(false)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Nanos, b.Nanos) })
	for _, entry := range entries {
		if err := encoder.Encode(entry); err != nil {
			return errors.Join(err, compressor.Close())
		}
	}
	return compressor.Close()
}

// ReadArchive hands the entries of a compressed file to take, some at a time
// and in order.
func ReadArchive(path string, take func([]Entry) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decompressor, err := zstd.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer decompressor.Close()
	if err := read(decompressor, take); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// ReadJournal reads all entries that a Collector has kept.
func ReadJournal(path string) (entries []Entry, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	err = read(bufio.NewReader(file), func(some []Entry) error {
		entries = append(entries, some...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

func read(source io.Reader, take func([]Entry) error) error {
	decoder := json.NewDecoder(source)
	var batch []Entry
	size := 0
	for {
		var entry Entry
		err := decoder.Decode(&entry)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		end := err != nil
		if !end {
			batch = append(batch, entry)
			size += len(entry.Line)
		}
		if full := len(batch) == batchLines || size >= batchBytes; len(batch) > 0 && (full || end) {
			if err := take(batch); err != nil {
				return err
			}
			batch, size = nil, 0
		}
		if end {
			return nil
		}
	}
}
