// Command prometheus-extract copies series out of the database of a Prometheus that is
// not running into one fresh block: sample by sample, so that stale markers,
// which the query API never shows, are still there when the block is served
// again.
//
//	prometheus-extract --data DIR --out DIR --match '{__name__="up"}' --match …
//
// It lives in the module of the lab's Prometheus because the library of
// Prometheus' database should not get into the lab's own module.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// blockRange is longer than any recording, so that all of it fits one block.
const blockRange = 7 * 24 * time.Hour

// appendAtOnce bounds the samples that are held uncommitted.
const appendAtOnce = 50_000

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "prometheus-extract:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("prometheus-extract", flag.ContinueOnError)
	data := flags.String("data", "", "data directory of a Prometheus that is not running")
	target := flags.String("out", "", "existing directory for the block")
	var selectors [][]*labels.Matcher
	flags.Func("match", "series to copy, as a PromQL selector; give it once or more", func(text string) error {
		matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(text)
		if err == nil {
			selectors = append(selectors, matchers)
		}
		return err
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *data == "" || *target == "" || len(selectors) == 0 {
		return errors.New("give --data, --out and at least one --match")
	}
	series, samples, err := extract(ctx, *data, *target, selectors)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d series, %d samples\n", series, samples)
	return nil
}

// extract copies the selected series and says how many there were.
func extract(ctx context.Context, data, target string, selectors [][]*labels.Matcher) (series, samples int, err error) {
	quiet := slog.New(slog.DiscardHandler)
	sandbox, err := os.MkdirTemp("", "prometheus-extract-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(sandbox)) }()
	db, err := tsdb.OpenDBReadOnly(data, sandbox, quiet)
	if err != nil {
		return 0, 0, fmt.Errorf("open the database in %s: %w", data, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	querier, err := db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return 0, 0, fmt.Errorf("read the database in %s: %w", data, err)
	}
	defer func() { err = errors.Join(err, querier.Close()) }()

	writer, err := tsdb.NewBlockWriter(quiet, target, blockRange.Milliseconds())
	if err != nil {
		return 0, 0, fmt.Errorf("write a block: %w", err)
	}
	defer func() { err = errors.Join(err, writer.Close()) }()
	c := &copier{writer: writer, appender: writer.Appender(ctx)}
	for _, matchers := range selectors {
		if err := c.copy(ctx, querier.Select(ctx, true, nil, matchers...)); err != nil {
			return 0, 0, err
		}
	}
	if err := c.appender.Commit(); err != nil {
		return 0, 0, fmt.Errorf("write a block: %w", err)
	}
	if _, err := writer.Flush(ctx); err != nil {
		return 0, 0, fmt.Errorf("write a block: %w", err)
	}
	return c.series, c.samples, nil
}

// copier appends series to a block.
type copier struct {
	writer      *tsdb.BlockWriter
	appender    storage.Appender
	uncommitted int

	series, samples int
}

func (c *copier) copy(ctx context.Context, set storage.SeriesSet) error {
	var iterator chunkenc.Iterator
	for set.Next() {
		one := set.At()
		c.series++
		iterator = one.Iterator(iterator)
		for kind := iterator.Next(); kind != chunkenc.ValNone; kind = iterator.Next() {
			if kind != chunkenc.ValFloat {
				return fmt.Errorf("%s is a native histogram, which this program does not copy", one.Labels())
			}
			at, value := iterator.At()
			if _, err := c.appender.Append(0, one.Labels(), at, value); err != nil {
				return fmt.Errorf("append to %s: %w", one.Labels(), err)
			}
			c.samples++
			c.uncommitted++
		}
		if err := iterator.Err(); err != nil {
			return fmt.Errorf("read %s: %w", one.Labels(), err)
		}
		if c.uncommitted >= appendAtOnce {
			if err := c.appender.Commit(); err != nil {
				return fmt.Errorf("write a block: %w", err)
			}
			c.appender, c.uncommitted = c.writer.Appender(ctx), 0
		}
	}
	return set.Err()
}
