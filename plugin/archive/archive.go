// Package archive packs the built plugin as Grafana's catalogue, and
// grafana-cli, want it: a zip with one folder that is named as the plugin's id.
//
// It makes two layouts of one build. The bundle is the data source with the
// hero panel inside, which one private signature covers. The catalogue takes no
// plugin inside of a data source, so for it there is an archive of each.
package archive

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/temporal-sre/copilot/pkg/instant"
)

// nested is the directory of the hero panel in the build.
const nested = "hero"

// signature is the file that signs the bundle. It is made before packing, with a
// token of grafana.com, and goes in if it is there. What goes to the catalogue is
// signed there, and its files are others.
const signature = "MANIFEST.txt"

// shared are the files of the data source that the panel needs a copy of when
// it goes alone.
var shared = []string{"LICENSE", "README.md", "CHANGELOG.md"}

// wanted are the files without which Grafana or its catalogue refuses a plugin.
var wanted = []string{"plugin.json", "module.js", "LICENSE", "README.md", "CHANGELOG.md", "img/logo.svg"}

// manifest is what is read of a plugin.json.
type manifest struct {
	ID, Type, Executable string
	Backend              bool
	Info                 struct{ Version string }
}

// file is a file in an archive.
type file struct{ name, source string }

// Pack packs the build in dist and returns the archives that it wrote: the
// bundle to out, and those for the catalogue to out/catalogue. The backend has
// to be there for every platform, each an operating system and an architecture
// as Go names them, as in "linux_amd64".
func Pack(dist, out string, platforms []string) ([]string, error) {
	all, err := files(dist)
	if err != nil {
		return nil, err
	}
	alone := slices.DeleteFunc(slices.Clone(all), func(f file) bool {
		return strings.HasPrefix(f.name, nested+"/") || f.name == signature
	})
	panel, err := files(filepath.Join(dist, nested))
	if err != nil {
		return nil, err
	}
	for _, name := range shared {
		panel = append(panel, file{name, filepath.Join(dist, name)})
	}
	catalogue := filepath.Join(out, "catalogue")
	var archives []string
	for _, layout := range []struct {
		dir   string
		files []file
	}{{out, all}, {catalogue, alone}, {catalogue, panel}} {
		name, err := pack(layout.dir, layout.files, platforms)
		if err != nil {
			return nil, err
		}
		archives = append(archives, name)
	}
	return archives, nil
}

// files lists what is in a directory, by slash-separated names below it.
func files(dir string) ([]file, error) {
	var list []file
	err := filepath.WalkDir(dir, func(source string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, source)
		list = append(list, file{filepath.ToSlash(name), source})
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no build in %s: run \"go tool mage build:frontend build:backends\"", dir)
	}
	return list, err
}

// pack writes one archive and returns its name.
func pack(dir string, files []file, platforms []string) (string, error) {
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	m, err := check(files, platforms)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	name := filepath.Join(dir, m.ID+"-"+m.Info.Version+".zip")
	return name, write(name, m, files)
}

// check tells what is missing, all at once.
func check(files []file, platforms []string) (manifest, error) {
	var m manifest
	i := slices.IndexFunc(files, func(f file) bool { return f.name == "plugin.json" })
	if i < 0 {
		return m, errors.New("the build has no plugin.json: run \"go tool mage build:frontend\"")
	}
	content, err := os.ReadFile(files[i].source)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return m, fmt.Errorf("%s: %w", files[i].source, err)
	}
	if m.ID == "" || m.Info.Version == "" || strings.Contains(m.Info.Version, "%") {
		return m, fmt.Errorf("%s has the id %q and the version %q: build the front end, which fills them in", files[i].source, m.ID, m.Info.Version)
	}
	needed := slices.Clone(wanted)
	if m.Backend {
		needed = append(needed, "go_plugin_build_manifest")
		for _, platform := range platforms {
			name := m.Executable + "_" + platform
			if strings.HasPrefix(platform, "windows") {
				name += ".exe"
			}
			needed = append(needed, name)
		}
	}
	var missing []string
	for _, name := range needed {
		if !slices.ContainsFunc(files, func(f file) bool { return f.name == name }) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return m, fmt.Errorf("the build of %s lacks %s: run \"go tool mage build:frontend build:backends\"", m.ID, strings.Join(missing, ", "))
	}
	return m, nil
}

// epoch is the time of every file, the first that a zip can hold: the same build
// gives the same archive.
var epoch = instant.FromUnix(315_532_800) // 1980-01-01T00:00:00Z

// write writes an archive.
func write(name string, m manifest, files []file) (err error) {
	target, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	archive := zip.NewWriter(target)
	for _, f := range files {
		if err := add(archive, path.Join(m.ID, f.name), f.source, m.isExecutable(f.name)); err != nil {
			return err
		}
	}
	return archive.Close()
}

// isExecutable tells whether a file is a binary of the backend.
func (m manifest) isExecutable(name string) bool {
	return m.Backend && strings.HasPrefix(name, m.Executable+"_")
}

// add adds one file.
func add(archive *zip.Writer, name, source string, executable bool) (err error) {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch.Time()}
	header.SetMode(0o644)
	if executable {
		header.SetMode(0o755)
	}
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	content, err := os.Open(source)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(entry, content)
	return err
}
