package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// runbooks is the directory that "View guide" leads to.
var runbooks = filepath.Join("..", "runbooks")

// runbookParts are the headings of every runbook, in their order.
var runbookParts = []string{"What you see", "Why it matters", "Confirm", "Do", "Do not", "How you know it is over"}

// maxRunbook is a page and a half.
const maxRunbook = 400 // words

// guideIDs are the runbooks that the catalogue of actions and the status name.
func guideIDs(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "pkg", "health", "actions.go"))
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{sightGuideID}
	for _, found := range regexp.MustCompile(`guide: "([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		ids = append(ids, found[1])
	}
	if len(ids) < 10 {
		t.Fatalf("only %d guides; the catalogue is written otherwise than this test reads it", len(ids))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func TestEveryGuideLeadsToARunbook(t *testing.T) {
	_, inRepository, found := strings.Cut(guides, "/blob/main/")
	if !found {
		t.Fatalf("guides are read at %s, which is no file of the repository", guides)
	}
	ids := guideIDs(t)
	for _, id := range ids {
		file := strings.ReplaceAll(inRepository, "${__value.raw}", id)
		if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(file))); err != nil {
			t.Errorf("guide %q leads nowhere: %v", id, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(runbooks, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		id := strings.TrimSuffix(filepath.Base(file), ".md")
		if id == "README" {
			continue
		}
		if !slices.Contains(ids, id) {
			t.Errorf("nothing leads to the runbook %s", id)
		}
		if !strings.Contains(string(index), "["+id+"]("+id+".md)") {
			t.Errorf("the index does not list the runbook %s", id)
		}
	}
}

func TestTheRunbooksAreAlike(t *testing.T) {
	for _, id := range guideIDs(t) {
		content, err := os.ReadFile(filepath.Join(runbooks, id+".md"))
		if err != nil {
			t.Fatal(err)
		}
		text := string(content)
		var parts []string
		for _, heading := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(text, -1) {
			parts = append(parts, heading[1])
		}
		if !slices.Equal(parts, runbookParts) {
			t.Errorf("%s has the parts %q, expected %q", id, parts, runbookParts)
		}
		if words := len(strings.Fields(text)); words > maxRunbook {
			t.Errorf("%s has %d words, more than %d", id, words, maxRunbook)
		}
		if !strings.Contains(text, "```promql\n") {
			t.Errorf("%s has no query to confirm it with", id)
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(runbooks, filepath.FromSlash(link[1]))); err != nil {
				t.Errorf("%s links to %s: %v", id, link[1], err)
			}
		}
	}
}
