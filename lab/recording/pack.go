package recording

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// pack writes the files of a directory into a compressed archive.
func pack(dir, archive string) (err error) {
	file, err := os.Create(archive)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	compressor, err := zstd.NewWriter(file, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return err
	}
	writer := tar.NewWriter(compressor)
	if err := writer.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	return errors.Join(writer.Close(), compressor.Close())
}

// unpack writes the files of a compressed archive below an existing directory.
func unpack(archive, dir string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	decompressor, err := zstd.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	defer decompressor.Close()
	// Nothing in an archive may be written outside the directory.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	reader := tar.NewReader(decompressor)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		if err := extract(root, header, reader); err != nil {
			return fmt.Errorf("%s: %s: %w", archive, header.Name, err)
		}
	}
}

func extract(root *os.Root, header *tar.Header, content io.Reader) (err error) {
	switch header.Typeflag {
	case tar.TypeDir:
		err := root.Mkdir(filepath.Clean(header.Name), 0o755)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	case tar.TypeReg:
		file, err := root.Create(header.Name)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Close())
	}
	return errors.New("neither a file nor a directory")
}
