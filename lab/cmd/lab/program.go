package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// find returns the path of one of the project's programs: beside this one,
// where the build puts them all, or on PATH. It returns an empty path if there
// is none.
func find(name string) string {
	if self, err := os.Executable(); err == nil {
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// program returns how to call one of the project's programs from here, for
// people to paste.
func program(name string) string {
	path := find(name)
	if onPath, err := exec.LookPath(name); path == "" || err == nil && onPath == path {
		return name
	}
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(dir, path)
	if err != nil || strings.HasPrefix(relative, "..") {
		return path
	}
	return "." + string(filepath.Separator) + relative
}
