package docs_test

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// sh runs a script in a folder.
func sh(t *testing.T, dir string, env []string, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// sources copies the tree as it is now with a VERSION file as a source archive has it.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(sh(t, "..", nil, "git ls-files -z --cached --others --exclude-standard"), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join("..", name))
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		}
		fi, serr := os.Stat(filepath.Join("..", name))
		if err != nil || serr != nil {
			t.Fatal(err, serr)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, fi.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "VERSION"), []byte("1.2.3 1790000000\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRelease builds what a release has in two folders, at different times of the world, and compares the bytes; then it
// installs the package and runs what is in it. The other architecture, which takes a minute where nothing is cached, is built
// when WARREN_RELEASE is set; "make release" always does.
func TestRelease(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Log("no dpkg-deb here: packages are Debian's")
		return
	}
	arches := []string{runtime.GOARCH}
	if os.Getenv("WARREN_RELEASE") != "" {
		arches = []string{"amd64", "arm64"}
	}
	one := sources(t)
	two := filepath.Join(t.TempDir(), "a longer path", "to it")
	sh(t, one, nil, "mkdir -p '"+filepath.Dir(two)+"'; cp -R . '"+two+"'")
	build := "tools/release " + strings.Join(arches, " ")
	sh(t, one, []string{"TZ=UTC", "LC_ALL=C", "SOURCE_DATE_EPOCH="}, "umask 022; COMPRESS=-Zgzip "+build)
	sh(t, two, []string{"TZ=Asia/Tokyo", "LC_ALL=C.UTF-8", "GOAMD64=v3", "SOURCE_DATE_EPOCH="}, "umask 077; COMPRESS=-Zgzip "+build)
	entries, err := os.ReadDir(filepath.Join(one, "dist"))
	if err != nil || len(entries) != 2*len(arches)+1 {
		t.Fatal(err, entries)
	}
	for _, e := range entries {
		a, err := os.ReadFile(filepath.Join(one, "dist", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(two, "dist", e.Name())); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s is another one in another folder: %d and %d bytes, %v", e.Name(), len(a), len(b), err)
		}
		if bytes.Contains(a, []byte(one)) {
			t.Errorf("%s tells where it was built", e.Name())
		}
	}
	for _, arch := range arches {
		binary := filepath.Join(one, "dist", "warren-1.2.3-linux-"+arch)
		static(t, binary, arch)
		packaged(t, one, filepath.Join(one, "dist", "warren_1.2.3_"+arch+".deb"), arch)
	}
	installed(t, one, filepath.Join(one, "dist", "warren-1.2.3-linux-"+runtime.GOARCH))
}

// static: no interpreter, so nothing of the system is needed; and it is of the right architecture.
func static(t *testing.T, path, arch string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]; f.Machine != want {
		t.Errorf("%s is for %v", path, f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s is linked dynamically", path)
		}
	}
}

// inPackage are files that the package must have, and some of what it must not.
var inPackage = []string{
	"usr/bin/warren", "usr/share/man/man1/warren.1.gz", "usr/share/man/man1/warren-up.1.gz", "usr/share/man/man7/warren-labfile.7.gz",
	"usr/share/bash-completion/completions/warren", "usr/share/zsh/vendor-completions/_warren", "usr/share/fish/vendor_completions.d/warren.fish",
	"usr/share/doc/warren/copyright", "usr/share/doc/warren/changelog.gz", "usr/share/doc/warren/tutorial.md", "usr/share/doc/warren/examples/classic.yaml",
}

// packaged lists the package and installs it into a root of its own, runs the program, and removes it again.
func packaged(t *testing.T, dir, deb, arch string) {
	t.Helper()
	list := sh(t, dir, nil, "dpkg-deb -c '"+deb+"'")
	for _, name := range inPackage {
		if !strings.Contains(list, " ./"+name+"\n") {
			t.Errorf("%s lacks %s", filepath.Base(deb), name)
		}
	}
	for line := range strings.Lines(list) {
		mode, rest, _ := strings.Cut(line, " ")
		switch {
		case !strings.HasPrefix(rest, "root/root "):
			t.Errorf("not root's: %s", line)
		case !slices.Contains([]string{"drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"}, mode) || mode == "-rwxr-xr-x" && !strings.HasSuffix(line, "./usr/bin/warren\n"):
			t.Errorf("mode: %s", line)
		}
	}
	if info := sh(t, dir, nil, "dpkg-deb -f '"+deb+"'"); !strings.Contains(info, "Version: 1.2.3\n") || !strings.Contains(info, "Architecture: "+arch+"\n") {
		t.Errorf("control file:\n%s", info)
	}
	if lintian, err := exec.LookPath("lintian"); err == nil {
		t.Log(sh(t, dir, nil, lintian+" --fail-on error '"+deb+"' 2>&1"))
	}
	if arch != runtime.GOARCH {
		return
	}
	root := t.TempDir()
	dpkg := "dpkg --root='" + root + "' --admindir='" + root + "/var/lib/dpkg' --log=/dev/null --force-not-root "
	sh(t, dir, nil, "mkdir -p '"+root+"/var/lib/dpkg/info' '"+root+"/var/lib/dpkg/updates' '"+root+"/var/lib/dpkg/triggers'; : >'"+root+"/var/lib/dpkg/status'; PATH=$PATH:/usr/sbin:/sbin; "+dpkg+"-i '"+deb+"'")
	if out := sh(t, root, nil, "usr/bin/warren version"); !strings.HasPrefix(out, "warren 1.2.3 ") {
		t.Errorf("the installed program says %q", out)
	}
	sh(t, root, nil, "md5sum --quiet -c var/lib/dpkg/info/warren.md5sums; usr/bin/warren fmt --check usr/share/doc/warren/examples/*.yaml")
	if bash, err := exec.LookPath("bash"); err == nil {
		if out := sh(t, root, nil, bash+" -c '. usr/share/bash-completion/completions/warren; complete -p warren'"); !strings.Contains(out, "warren") {
			t.Errorf("bash completes: %q", out)
		}
	}
	sh(t, root, nil, "PATH=$PATH:/usr/sbin:/sbin; "+dpkg+"-r warren")
	if files := filesIn(t, filepath.Join(root, "usr")); len(files) > 0 {
		t.Errorf("left by the removal: %s", files)
	}
}

// installed: make install, with DESTDIR and PREFIX, and make uninstall.
func installed(t *testing.T, dir, binary string) {
	t.Helper()
	dest := t.TempDir()
	run := func(target string) {
		t.Helper()
		sh(t, dir, []string{"MAKEFLAGS=", "MAKELEVEL="}, "cp '"+binary+"' warren; make -o build "+target+" DESTDIR='"+dest+"' PREFIX=/opt/w")
	}
	run("install")
	files := filesIn(t, dest)
	for _, name := range []string{"bin/warren", "share/man/man1/warren-boot-enable.1", "share/bash-completion/completions/warren", "share/zsh/site-functions/_warren", "share/fish/vendor_completions.d/warren.fish", "share/doc/warren/reference/README.md"} {
		if !slices.Contains(files, "opt/w/"+name) {
			t.Errorf("make install puts no %s", name)
		}
	}
	run("uninstall")
	if files := filesIn(t, dest); len(files) > 0 {
		t.Errorf("left by make uninstall: %s", files)
	}
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !d.IsDir() {
			rel, rerr := filepath.Rel(dir, path)
			out, err = append(out, rel), rerr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
