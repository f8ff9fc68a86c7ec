package postgrestest

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// copyInstallation copies a PostgreSQL installation, of which binDir is the
// bin directory, below target and returns the bin directory of the copy. It is
// needed when root keeps the installation where nobody else can enter, such as
// a clone in root's home directory. PostgreSQL finds its libraries and shared
// files relative to its binaries, so a copy of the whole works anywhere.
func copyInstallation(binDir, target string) (string, error) {
	binDir, err := filepath.EvalSymlinks(binDir)
	if err != nil {
		return "", err
	}
	source := filepath.Dir(binDir)
	// A distribution's /usr/bin must not make us copy /usr; its directories
	// can be entered by everyone anyway.
	if _, err := os.Stat(filepath.Join(source, "share", "postgresql")); err != nil {
		return "", fmt.Errorf("%s does not look like a PostgreSQL installation of its own: %w", source, err)
	}
	err = filepath.WalkDir(source, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		destination := filepath.Join(target, relative)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			return os.Mkdir(destination, 0o755)
		case info.Mode()&os.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, destination)
		default:
			return copyFile(path, destination, info.Mode().Perm()|0o444)
		}
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(target, filepath.Base(binDir)), nil
}

func copyFile(source, destination string, mode os.FileMode) error {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(destination, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
