// Package binary finds the programs of others that the lab runs.
package binary

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Program is a program of others.
type Program struct {
	// Name is that of its file.
	Name string
	// Env names the environment variable that holds its path.
	Env string
	// Target is the mage target that builds it.
	Target string
	// Missing is the error for when it is not there.
	Missing error
}

// Find returns the path of the program to run: the given one, that of Env, the
// one beside this program, the one that was built in the repository around the
// working directory, or the one on PATH. What was named has to be there.
func (p Program) Find(given string) (string, error) {
	for _, named := range []string{given, os.Getenv(p.Env)} {
		if named == "" {
			continue
		}
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%w: %w", p.Missing, err)
		}
		return path, nil
	}
	for _, guess := range p.guesses() {
		if path, err := exec.LookPath(guess); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: run \"go tool mage %s\" in the repository, or set %s", p.Missing, p.Target, p.Env)
}

func (p Program) guesses() []string {
	var paths []string
	if program, err := os.Executable(); err == nil {
		paths = append(paths, filepath.Join(filepath.Dir(program), p.Name))
	}
	if dir, err := os.Getwd(); err == nil {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			paths = append(paths, filepath.Join(dir, "bin", p.Name))
		}
	}
	return append(paths, p.Name)
}
