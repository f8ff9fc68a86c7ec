package logs

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"time"

	"github.com/temporal-sre/copilot/pkg/instant"
)

const (
	// lookEvery is how often a log file is looked at for new lines.
	lookEvery = 200 * time.Millisecond
	// A batch ends with the line that reaches one of these.
	batchLines = 2000
	batchBytes = 1 << 20
)

// Source is the log file of one part of the lab. It need not exist yet.
type Source struct {
	File   string
	Labels map[string]string
}

// follower reads one file and hands on its lines in order. What cannot be
// handed on stays in the file: it waits, and reads no further.
type follower struct {
	source  Source
	clock   instant.Clock
	deliver func(context.Context, []Entry) error
	flushes chan chan<- struct{}

	file   *os.File
	reader *bufio.Reader
	part   []byte // of a line that has no end yet
	waited bool   // since the line before, for the next one to be written
	newest int64  // time of the line before
}

// run follows the file until the context ends.
func (f *follower) run(ctx context.Context) {
	defer func() {
		if f.file != nil {
			f.file.Close()
		}
	}()
	f.waited = true
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		var flushed chan<- struct{}
		select {
		case <-ctx.Done():
			return
		case flushed = <-f.flushes:
		case <-look.C:
		}
		if f.catchUp(ctx) != nil {
			return // the context has ended
		}
		if flushed != nil {
			close(flushed)
		}
	}
}

// catchUp hands on all lines that are in the file.
func (f *follower) catchUp(ctx context.Context) error {
	if f.file == nil {
		file, err := os.Open(f.source.File)
		if err != nil {
			return nil //nolint:nilerr // it comes with the start of its part
		}
		f.file, f.reader = file, bufio.NewReader(file)
	}
	for {
		entries, end := f.next()
		if len(entries) > 0 {
			if err := f.deliver(ctx, entries); err != nil {
				return err
			}
		}
		if end {
			f.waited = true
			return nil
		}
	}
}

// next reads a batch of lines, and whether it met the end of the file.
func (f *follower) next() (entries []Entry, end bool) {
	for size := 0; len(entries) < batchLines && size < batchBytes; {
		part, err := f.reader.ReadSlice('\n')
		f.part = append(f.part, part...)
		switch {
		case err == bufio.ErrBufferFull: //nolint:errorlint // as documented of ReadSlice
			continue
		case err != nil:
			return entries, true
		}
		line := bytes.TrimRight(f.part, "\r\n")
		if len(line) > 0 {
			entries = append(entries, f.entry(line))
			size += len(line)
		}
		f.part = f.part[:0]
	}
	return entries, false
}

// entry gives a line its time: its own or, if it holds none, that of the line
// before, which it goes on with; after a pause, when it was read. No two lines
// of a file get the same, since Loki drops what equals another in time and
// text, nor an earlier one than the line before.
func (f *follower) entry(line []byte) Entry {
	nanos, ok := stampOf(line)
	if !ok && f.waited {
		nanos = f.clock.Now().Time().UnixNano()
	}
	f.newest = max(nanos, f.newest+1)
	f.waited = false
	return Entry{Nanos: f.newest, Labels: f.source.Labels, Line: string(line)}
}
