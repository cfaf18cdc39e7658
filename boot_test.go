package warren_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warren"
	"warren/topo"
)

// TestBootUnit asks systemd itself, where it is installed, whether it can read our units, whatever the paths.
func TestBootUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze here: only the text is looked at")
	}
	for _, name := range []string{"lab.yaml", `a b/100%n $HOME $$ "q" 'r' \x41.yaml`, "ü/日本.yaml", "-.yaml", "*.yaml"} {
		dir := t.TempDir()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("nets: {lan: [h1, h2]}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, user := range []bool{false, true} {
			u, err := warren.NewBootUnit(&topo.Lab{Name: "lab-1", File: file}, warren.BootOptions{User: user, Config: dir, Program: "/bin/sh"})
			if err != nil {
				t.Fatal(err)
			}
			if u.File != file {
				t.Errorf("the unit's file is %q, want %q", u.File, file)
			}
			if args := execArgs(t, u.Text, "ExecStart="); len(args) != 5 || args[4] != file {
				t.Errorf("systemd would run %q, want %q at the end", args, file)
			}
			if analyze == "" {
				continue
			}
			path := filepath.Join(dir, "warren-lab-1.service")
			if err := os.WriteFile(path, []byte(u.Text), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"verify", "--man=no", path}
			if user {
				args = append([]string{"--user"}, args...)
			}
			cmd := exec.CommandContext(t.Context(), analyze, args...)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
			if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), path) {
				t.Errorf("systemd-analyze verify: %v\n%s\n%s", err, out, u.Text)
			}
		}
	}
	for _, file := range []string{"/a\nb.yaml", "/a\x00.yaml"} {
		if u, err := warren.NewBootUnit(&topo.Lab{Name: "lab", File: file}, warren.BootOptions{Program: "/bin/sh", Copy: false}); err == nil && strings.Contains(u.Text, file) {
			t.Errorf("a path with control characters stands in the unit: %q", file)
		}
	}
	for _, program := range []string{"", "warren", "/opt/$x/warren"} {
		if _, err := warren.NewBootUnit(&topo.Lab{Name: "lab"}, warren.BootOptions{Program: program}); err == nil {
			t.Errorf("program %q was taken", program)
		}
	}
}

// execArgs splits a command line as systemd.service(5) says: quotes, escapes, "%%" and "$$".
func execArgs(t rapid.TB, unit, key string) []string {
	t.Helper()
	for line := range strings.Lines(unit) {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), key)
		if !ok {
			continue
		}
		var args []string
		var word strings.Builder
		quoted, any := false, false
		for i := 0; i < len(rest); i++ {
			switch c := rest[i]; {
			case c == '"':
				quoted, any = !quoted, true
			case c == '\\':
				i++
				word.WriteByte(rest[i])
			case (c == '%' || c == '$') && i+1 < len(rest) && rest[i+1] == c:
				i++
				word.WriteByte(c)
			case c == '%' || c == '$':
				t.Fatalf("%q would be expanded", rest[i:])
			case c == ' ' && !quoted:
				if any || word.Len() > 0 {
					args = append(args, word.String())
				}
				word.Reset()
				any = false
			default:
				word.WriteByte(c)
			}
		}
		return append(args, word.String())
	}
	t.Fatalf("no %s in\n%s", key, unit)
	return nil
}

// TestBootUnitPaths: every path is either refused or comes out as it went in.
func TestBootUnitPaths(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[ -~]{1,40}`).Draw(t, "name")
		name = strings.ReplaceAll(name, "/", "_")
		if name == "." || name == ".." {
			return
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file)
		u, err := warren.NewBootUnit(&topo.Lab{Name: "lab", File: file}, warren.BootOptions{Program: "/usr/bin/warren"})
		if err != nil {
			t.Fatal(err)
		}
		if args := execArgs(t, u.Text, "ExecStart="); len(args) != 5 || args[4] != file {
			t.Fatalf("%q becomes %q", file, args)
		}
	})
}
