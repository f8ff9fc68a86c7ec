package play

import (
	"reflect"
	"runtime"
	"strings"

	"go.temporal.io/server/temporal"
)

// withoutBuildPaths makes stack traces look as in a build with -trimpath, so
// that recordings do not tell where on a machine the lab was built.
func withoutBuildPaths() func(string) string {
	var pairs []string
	// cut removes what stands before a part of the path of a function's file.
	cut := func(function any, part string) {
		code := runtime.FuncForPC(reflect.ValueOf(function).Pointer())
		file, _ := code.FileLine(code.Entry())
		if before, _, found := strings.Cut(file, part); found && before != "" {
			pairs = append(pairs, before, "")
		}
	}
	cut(withoutBuildPaths, "lab/play/")        // this repository
	cut(temporal.NewServer, "go.temporal.io/") // modules
	cut(strings.ToUpper, "strings/")           // Go itself
	return strings.NewReplacer(pairs...).Replace
}
