package archive

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var platforms = []string{"linux_amd64", "linux_arm64", "windows_amd64"}

// build makes a directory as a build leaves it.
func build(t *testing.T) string {
	t.Helper()
	dist := t.TempDir()
	content := map[string]string{
		"plugin.json":      `{"id": "a-b-datasource", "type": "datasource", "backend": true, "executable": "gpx_a", "info": {"version": "1.2.3"}}`,
		"hero/plugin.json": `{"id": "a-b-panel", "type": "panel", "info": {"version": "1.2.3"}}`,
	}
	for _, name := range []string{
		"MANIFEST.txt", "module.js", "module.js.map", "LICENSE", "README.md", "CHANGELOG.md", "img/logo.svg", "go_plugin_build_manifest",
		"gpx_a_linux_amd64", "gpx_a_linux_arm64", "gpx_a_windows_amd64.exe", "hero/module.js", "hero/img/logo.svg",
	} {
		content[name] = name
	}
	for name, text := range content {
		file := filepath.Join(dist, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dist
}

// names lists an archive, and fails if a mode in it is wrong.
func names(t *testing.T, archive string) []string {
	t.Helper()
	reader, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var list []string
	for _, f := range reader.File {
		list = append(list, f.Name)
		want := os.FileMode(0o644)
		if strings.Contains(f.Name, "gpx_") {
			want = 0o755
		}
		if f.Mode() != want {
			t.Errorf("%s has mode %s, expected %s", f.Name, f.Mode(), want)
		}
	}
	return list
}

func TestTheArchives(t *testing.T) {
	out := t.TempDir()
	archives, err := Pack(build(t), out, platforms)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		filepath.Join(out, "a-b-datasource-1.2.3.zip"),
		filepath.Join(out, "catalogue", "a-b-datasource-1.2.3.zip"),
		filepath.Join(out, "catalogue", "a-b-panel-1.2.3.zip"),
	}
	if !slices.Equal(archives, want) {
		t.Fatalf("got %q, expected %q", archives, want)
	}
	bundle, alone, panel := names(t, want[0]), names(t, want[1]), names(t, want[2])
	for _, name := range []string{"MANIFEST.txt", "plugin.json", "LICENSE", "README.md", "CHANGELOG.md", "gpx_a_linux_arm64", "gpx_a_windows_amd64.exe", "hero/plugin.json"} {
		if !slices.Contains(bundle, "a-b-datasource/"+name) {
			t.Errorf("the bundle lacks %s: %q", name, bundle)
		}
	}
	for _, name := range alone {
		if !strings.HasPrefix(name, "a-b-datasource/") || strings.Contains(name, "/hero/") || strings.HasSuffix(name, signature) {
			t.Errorf("the catalogue's data source holds %s", name)
		}
	}
	wantPanel := []string{
		"a-b-panel/CHANGELOG.md", "a-b-panel/LICENSE", "a-b-panel/README.md", "a-b-panel/img/logo.svg",
		"a-b-panel/module.js", "a-b-panel/plugin.json",
	}
	if !slices.Equal(panel, wantPanel) {
		t.Errorf("the panel is %q, expected %q", panel, wantPanel)
	}
}

func TestTheSameBuildGivesTheSameArchive(t *testing.T) {
	dist := build(t)
	var first []byte
	for range 2 {
		archives, err := Pack(dist, t.TempDir(), platforms)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(archives[0])
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, content) {
			t.Error("two archives of one build differ")
		}
		first = content
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for name, words := range map[string]string{
		"CHANGELOG.md":      "lacks CHANGELOG.md",
		"gpx_a_linux_arm64": "lacks gpx_a_linux_arm64",
		"plugin.json":       "has no plugin.json",
	} {
		dist := build(t)
		if err := os.Remove(filepath.Join(dist, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := Pack(dist, t.TempDir(), platforms); err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "go tool mage") {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if _, err := Pack(filepath.Join(t.TempDir(), "none"), t.TempDir(), platforms); err == nil || !strings.Contains(err.Error(), "there is no build") {
		t.Errorf("without a build: %v", err)
	}
}
