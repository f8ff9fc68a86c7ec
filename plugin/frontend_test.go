package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/temporal-sre/copilot/pkg/health"
)

// The front end writes what the backend reads; the compiler sees only one side.
func TestTheFrontEndSpeaksOfTheSameThings(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "src", "types.ts"))
	if err != nil {
		t.Fatal(err)
	}
	types := string(content)

	names := make([]string, len(queryTypes))
	for i, q := range queryTypes {
		names[i] = q.name
	}
	kinds := make([]string, len(scopeKinds))
	for i, k := range scopeKinds {
		kinds[i] = string(k)
	}
	for name, want := range map[string][]string{
		"QueryType": names,
		"ScopeKind": kinds,
		"StoreKind": {kindPostgres, kindDSQL},
		"SSLMode":   slices.Clone(sslModes),
	} {
		_, after, _ := strings.Cut(types, "export type "+name+" =")
		union, _, _ := strings.Cut(after, ";")
		got := quoted(union)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the front end has %q, the backend %q", name, got, want)
		}
	}

	for name, want := range map[string]any{
		"CopilotOptions": settings{},
		"Scope":          health.Scope{},
	} {
		for _, member := range members(types, name) {
			if !slices.Contains(jsonNames(want), member) {
				t.Errorf("%s: the backend does not read %q", name, member)
			}
		}
	}
	for _, member := range members(types, "CopilotQuery") {
		if !slices.Contains(ours, member) && !slices.Contains(grafanas, member) {
			t.Errorf("CopilotQuery: the backend does not read %q", member)
		}
	}
}

// quoted returns the texts between quotes.
func quoted(text string) []string {
	var found []string
	for _, match := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// members returns the names of an interface's members.
func members(types, name string) []string {
	_, after, _ := strings.Cut(types, "export interface "+name+" ")
	body, _, _ := strings.Cut(after, "\n}")
	var found []string
	for _, match := range regexp.MustCompile(`(?m)^  (\w+)\??:`).FindAllStringSubmatch(body, -1) {
		found = append(found, match[1])
	}
	return found
}

// jsonNames returns the names that a struct's fields have in JSON.
func jsonNames(of any) []string {
	var names []string
	structure := reflect.TypeOf(of)
	for i := range structure.NumField() {
		name, _, _ := strings.Cut(structure.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
