package warren

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"warren/topo"
)

// DefaultFile is the lab file that commands read when none is named.
const DefaultFile = "warren.yaml"

// Load reads and checks a lab file; "" = DefaultFile in the working directory, "-" = standard input. Without a name of its
// own the lab is called after the folder that the file is in. The error lists every problem with its place
// ([topo.Error]); errors.Is(err, fs.ErrNotExist) when there is no such file.
func Load(path string) (*topo.Lab, error) {
	if path == "" {
		path = DefaultFile
	}
	data, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	at := path
	if abs, err := filepath.Abs(path); err == nil && path != "-" {
		at = abs // "." has a name, too
	}
	return topo.ParseAt(path, at, data)
}

// maxRead is how much of a lab file is read: more than Parse takes, so that it is Parse that says so.
const maxRead = 4 << 20

// ReadFile reads a lab file's text; "-" = standard input. Of a file that is too large for any lab only the beginning is read,
// which [topo.Parse] refuses for its size.
func ReadFile(path string) ([]byte, error) {
	in := os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) && path == DefaultFile {
			return nil, fmt.Errorf("no %s here: %w%s", DefaultFile, fs.ErrNotExist, cmp.Or(filesInstead(path), " (hint: name the lab file, as in: warren up lab.yaml)"))
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("lab file %s: %w%s", path, fs.ErrNotExist, filesInstead(path))
		}
		if err != nil {
			return nil, fmt.Errorf("read lab file: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxRead))
	if err != nil {
		return nil, fmt.Errorf("read lab file %s: %w", path, err)
	}
	return data, nil
}

// mostFiles is how many lab files are named instead of one that is missing.
const mostFiles = 4

// filesInstead is a hint at the lab files that are in the folder where one was looked for; "" when there are none.
func filesInstead(path string) string {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	var files []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			files = append(files, e.Name())
		}
	}
	base := filepath.Base(path)
	near := topo.Nearest(base, files)
	for _, ext := range []string{".yaml", ".yml"} {
		if slices.Contains(files, base+ext) {
			near = base + ext // "up NAME" is "up NAME.yaml"
		}
	}
	switch {
	case near != "":
		return fmt.Sprintf(" (hint: did you mean %s?)", filepath.Join(dir, near))
	case len(files) == 0:
		return ""
	case len(files) > mostFiles:
		files = append(files[:mostFiles], "...")
	}
	where := "in " + dir
	if dir == "." {
		where = "here"
	}
	return fmt.Sprintf(" (hint: %s there is %s)", where, strings.Join(files, ", "))
}
