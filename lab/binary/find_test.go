package binary

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindPrefersWhatWasNamed(t *testing.T) {
	program := Program{Name: "no-such-program", Env: "LAB_TEST_BINARY", Target: "build:it", Missing: errors.New("it is missing")}
	named := filepath.Join(t.TempDir(), "it")
	if err := os.WriteFile(named, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(program.Env, "")
	if found, err := program.Find(named); err != nil || found != named {
		t.Errorf("Find(%s) = %s, %v", named, found, err)
	}
	if _, err := program.Find(""); !errors.Is(err, program.Missing) || !strings.Contains(err.Error(), "build:it") {
		t.Errorf("Find of nothing = %v, want what to do", err)
	}
	t.Setenv(program.Env, named)
	if found, err := program.Find(""); err != nil || found != named {
		t.Errorf("Find with %s = %s, %v", program.Env, found, err)
	}
	t.Setenv(program.Env, named+"-gone")
	if _, err := program.Find(""); !errors.Is(err, program.Missing) {
		t.Errorf("Find with a wrong %s = %v: it must not run another one", program.Env, err)
	}
}
