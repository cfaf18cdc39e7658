package rootless_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

// tmpOf gives the tests a /tmp of their own.
func tmpOf(t *testing.T, options string) {
	t.Helper()
	t.Chdir("/") // the repository may be in /tmp
	if err := unix.Mount("tmpfs", "/tmp", "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount("/tmp", unix.MNT_DETACH) })
}

// TestHomeless: neither a home nor a runtime directory is needed, and a runtime directory that is not the user's does not count.
func TestHomeless(t *testing.T) {
	for _, tt := range []struct{ name, home, runtime string }{
		{"none", "", ""},
		{"missing", "/nonexistent", "/nonexistent"},
		{"relative", "relative", "relative"},
		{"roots", "/root", "/run"},
		{"file", "/etc/passwd", "/etc/passwd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUser(t)
			if u.attr.Credential == nil && tt.name == "roots" {
				t.Log("there is one user only: /run is the user's own")
				return
			}
			tmpOf(t, "mode=1777")
			u.env = append(u.env, "HOME="+tt.home, "XDG_RUNTIME_DIR="+tt.runtime) // the last one counts
			u.run(t, "up", u.lab(t, "homeless", pair))
			dir := fmt.Sprintf("/tmp/warren-%d", u.uid)
			if fi, err := os.Lstat(dir); err != nil || fi.Mode() != os.ModeDir|0o700 {
				t.Errorf("%s: %v, %v", dir, fi, err)
			}
			u.run(t, "down", "homeless")
			if left, err := os.ReadDir("/tmp"); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
			u.gone(t)
		})
	}
}

// TestFullDisk: a file system without room for the record is named, not taken for a limit of namespaces.
func TestFullDisk(t *testing.T) {
	u := newUser(t)
	u.env = append(u.env, "XDG_RUNTIME_DIR=")
	tmpOf(t, "mode=1777,size=4k")
	if err := os.WriteFile("/tmp/full", make([]byte, 4096), 0o644); err != nil {
		t.Fatal(err)
	}
	u.refused(t, []string{"labs"}, "no space left on device", fmt.Sprintf("/tmp/warren-%d", u.uid))
	if left, err := os.ReadDir("/tmp"); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	u.gone(t)
	if err := os.Remove("/tmp/full"); err != nil {
		t.Fatal(err)
	}
	u.run(t, "labs")
	u.gone(t)
}

// TestLongPath: a runtime directory whose name is longer than a socket's address may be.
func TestLongPath(t *testing.T) {
	u := newUser(t)
	deep := u.home
	for range 6 {
		deep = filepath.Join(deep, strings.Repeat("long", 10))
		if err := errors.Join(os.Mkdir(deep, 0o755), u.own(deep)); err != nil {
			t.Fatal(err)
		}
	}
	u.env = append(u.env, "XDG_RUNTIME_DIR="+deep)
	hide(t, "pasta", "slirp4netns")
	u.run(t, "up", u.who(t, "deep", `publish: ["8080:80"]`))
	var machine *internet
	machine.wants(t, "tcp", "127.0.0.1:8080", "h1 10.0.0.1")
	u.run(t, "down", "deep")
	u.gone(t)
}

// TestReusedPID: the number in the record is another process's by now. That one is left alone; the world is made anew.
func TestReusedPID(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(record map[string]any)
	}{
		{"other-process", func(r map[string]any) { r["pid"] = os.Getpid() }},
		{"other-start", func(r map[string]any) { r["start"] = 1 }},
		{"other-boot", func(r map[string]any) { r["boot"] = "00000000-0000-0000-0000-000000000000" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUser(t)
			file := u.lab(t, "reused", pair)
			u.run(t, "up", file)
			path := filepath.Join(u.dir(), "@world")
			data, err := os.ReadFile(path)
			record := map[string]any{}
			if err = errors.Join(err, json.Unmarshal(data, &record)); err != nil {
				t.Fatal(err)
			}
			tt.change(record)
			if data, err = json.Marshal(record); err == nil {
				err = os.WriteFile(path, data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, stderr, code := u.try(t, "up", file)
			if code != 0 || !strings.Contains(stderr, "gone with it: reused") {
				t.Errorf("exit %d, %q", code, stderr)
			}
			if p := holders(t); len(p) != 1 {
				t.Errorf("holders %v, want one", p)
			}
			if p := outside(t, "@outside"); len(p) != 1 {
				t.Errorf("agents %v, want one", p)
			}
			u.run(t, "down", "reused")
			u.gone(t)
		})
	}
}

// TestGarbageInTheWay: what should be the record, the lock or the socket is something else.
func TestGarbageInTheWay(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       string // "" = it is got over
		make       func(path string) error
	}{
		{"no-json", "@world", "", func(p string) error { return os.WriteFile(p, []byte("{"), 0o600) }},
		{"empty", "@world", "", func(p string) error { return os.WriteFile(p, nil, 0o600) }},
		{"directory", "@world", "is a directory", func(p string) error { return os.Mkdir(p, 0o700) }},
		{"link", "@lock", "too many levels of symbolic links", func(p string) error { return os.Symlink("/etc/passwd", p) }},
		{"socket", "@outside", "", func(p string) error { return os.WriteFile(p, nil, 0o600) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := newUser(t)
			path := filepath.Join(u.dir(), tt.file)
			if err := errors.Join(os.Mkdir(u.dir(), 0o700), tt.make(path), u.own(u.dir()), u.ownLink(path)); err != nil {
				t.Fatal(err)
			}
			file := u.lab(t, "way", pair)
			if tt.want != "" {
				u.refused(t, []string{"up", file}, tt.want, path)
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
			}
			u.run(t, "up", file)
			u.run(t, "down", "way")
			u.gone(t)
		})
	}
}

func (u *user) ownLink(path string) error {
	if u.attr.Credential == nil {
		return nil
	}
	return os.Lchown(path, u.uid, u.uid)
}

// TestEveryCommand: what root's warren does an ordinary user's does, from one shell or another.
func TestEveryCommand(t *testing.T) {
	u := newUser(t)
	kerneltest.Need(t, "exec:python3")
	file := u.lab(t, "all", pair+"nodes:\n  h1: {run: \"sh -c 'while :; do echo tick; sleep 0.1; done'\"}\nchecks:\n  - h1 can ping h2\n")
	path, _ := binary()
	u.run(t, "up", file)
	for _, args := range [][]string{
		{"plan", file},
		{"check", "all"},
		{"status", "all"},
		{"status", "all", "--json"},
		{"labs"},
		{"ls"},
		{"graph"},
		{"graph", file},
		{"logs", "--lab", "all"},
		{"repair", "all"},
		{"fmt", file},
		{"exec", "h1", "--", "true"},
		{"up", file},
	} {
		out := u.run(t, args...)
		switch args[0] {
		case "labs", "ls":
			if !strings.Contains(out, "all") {
				t.Errorf("%v: %q", args, out)
			}
		}
	}
	shell := u.cmd(t, path, "shell", "h2")
	shell.Stdin = strings.NewReader("ls /sys/class/net\nexit 5\n")
	shell.Env = append(shell.Env, "SHELL=/bin/sh")
	if o, e, code := output(t, shell); code != 5 || !strings.Contains(o, "lan") {
		t.Errorf("shell: exit %d\n%s%s", code, o, e)
	}
	logs := u.cmd(t, path, "logs", "-f", "--lab", "all")
	lines := make(chan struct{}, 1)
	logs.Stdout = writer(func() {
		select {
		case lines <- struct{}{}:
		default:
		}
	})
	if err := logs.Start(); err != nil {
		t.Fatal(err)
	}
	<-lines
	u.run(t, "down", "all") // while somebody reads its logs, from another shell
	if err := logs.Wait(); err != nil {
		t.Errorf("logs -f: %v", err)
	}
	kerneltest.Eventually(t, wait, func() error {
		if p := holders(t); len(p) > 0 {
			return fmt.Errorf("holders %v", p)
		}
		return nil
	})
	u.gone(t)
}
