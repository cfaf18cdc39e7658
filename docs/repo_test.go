// Package docs_test keeps the habits of the repository: what no compiler sees.
package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/deps.txt")

// A pkg is what go list says of a package.
type pkg struct {
	ImportPath, Name, Doc, Dir         string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, Deps         []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	fields := "-json=ImportPath,Name,Doc,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,Deps"
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", fields}, args...)...)
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestEveryPackageIsDocumented(t *testing.T) {
	for _, p := range list(t, "./...") {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if p.Name != "main" && len(p.GoFiles) > 1 && !slices.Contains(p.GoFiles, "doc.go") && !slices.Contains(p.GoFiles, p.Name+".go") {
			t.Errorf("%s has its package comment in neither doc.go nor %s.go", p.ImportPath, p.Name)
		}
	}
}

func TestNoReplaceDirectives(t *testing.T) {
	for _, path := range []string{"go.mod", "tools/go.mod", "tools/lint/go.mod"} {
		data, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word == "replace" || word == "exclude" {
				t.Errorf("%s: %s", path, line)
			}
		}
	}
}

// TestDependencies compares the packages that are linked into the binary, those of the standard library aside, with the
// checked-in list: a new one is seen by whoever reads the change.
func TestDependencies(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/warren")
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	lines := strings.Fields(string(out))
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile("deps.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("deps.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the binary is linked from other packages than docs/deps.txt says (run: make deps): -deps.txt +binary\n%s", diff)
	}
}

// TestForbiddenImports holds what the linter's rules cannot say: what the whole program must not pull in, and what the
// facade must not use.
func TestForbiddenImports(t *testing.T) {
	forbidden := map[string]string{
		"testing":                      "a test helper is linked into the program",
		"net/http/pprof":               "a debug server",
		"warren/internal/kerneltest":   "a test helper",
		"github.com/google/go-cmp/cmp": "for tests only",
		"pgregory.net/rapid":           "for tests only",
	}
	for _, p := range list(t, "-deps", "./cmd/warren") {
		if why, bad := forbidden[p.ImportPath]; bad {
			t.Errorf("the program links %s: %s", p.ImportPath, why)
		}
	}
	for _, p := range list(t, "./...") {
		front := strings.HasPrefix(p.ImportPath, "warren/internal/cli") || strings.HasPrefix(p.ImportPath, "warren/cmd/") ||
			strings.HasPrefix(p.ImportPath, "warren/docs") || strings.HasPrefix(p.ImportPath, "warren/bench")
		if !front && slices.Contains(p.Imports, "warren/internal/cli") {
			t.Errorf("%s imports the command line", p.ImportPath)
		}
	}
}

// TestTestsAreExternal: a test sees a package as its users do. Tests of main packages, and files called
// NAME_internal_test.go and export_test.go, are the exceptions.
func TestTestsAreExternal(t *testing.T) {
	for _, p := range list(t, "./...") {
		if p.Name == "main" {
			continue
		}
		for _, f := range p.TestGoFiles {
			if f != "export_test.go" && !strings.HasSuffix(f, "_internal_test.go") {
				t.Errorf("%s/%s is in the package that it tests", p.ImportPath, f)
			}
		}
	}
}

// TestFilesStaySmall: a file is one concept.
func TestFilesStaySmall(t *testing.T) {
	const most = 450 // lines; past 400 look for the second concept
	for _, p := range list(t, "./...") {
		for _, f := range p.GoFiles {
			data, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(data, []byte("\n")); n > most {
				t.Errorf("%s/%s has %d lines", p.ImportPath, f, n)
			}
		}
	}
}

// TestDecisionsForDependencies: every module that is required directly has a record.
func TestDecisionsForDependencies(t *testing.T) {
	files, err := filepath.Glob("decisions/*.md")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	var all strings.Builder
	for i, f := range files {
		if !strings.HasPrefix(filepath.Base(f), fmt.Sprintf("%04d-", i+1)) {
			t.Errorf("%s: the numbers have a gap", f)
		}
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"**Context.**", "**Choice.**", "**Price.**"} {
			if !bytes.Contains(data, []byte(part)) {
				t.Errorf("%s has no %s", f, part)
			}
		}
		all.Write(data)
	}
	data, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) != 2 || !strings.Contains(f[0], ".") || strings.Contains(line, "//") {
			continue
		}
		path := strings.Split(f[0], "/")
		name := path[len(path)-1]
		if len(name) > 1 && name[0] == 'v' && name[1] >= '0' && name[1] <= '9' {
			name = path[len(path)-2]
		}
		short := path[max(0, len(path)-2)] + "/" + name
		if !strings.Contains(all.String(), name) && !strings.Contains(all.String(), short) {
			t.Errorf("no record in docs/decisions names %s", f[0])
		}
	}
}
