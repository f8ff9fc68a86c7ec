package play

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestNoBuildPaths(t *testing.T) {
	stack := string(debug.Stack())
	got := withoutBuildPaths()(stack)
	_, self, _, _ := runtime.Caller(0)
	root := strings.TrimSuffix(self, "lab/play/paths_test.go")
	if !strings.Contains(stack, root) {
		t.Fatalf("the stack trace does not name %s", root)
	}
	for _, line := range strings.Split(got, "\n") {
		if strings.HasPrefix(line, "\t/") {
			t.Errorf("a path of this machine is left: %s", line)
		}
	}
	if !strings.Contains(got, "\tlab/play/paths_test.go:") {
		t.Errorf("the file is no longer named:\n%s", got)
	}
}
