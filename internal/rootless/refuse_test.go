package rootless_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/rootless"
)

func TestDirectoryInTheWay(t *testing.T) {
	u := newUser(t)
	labs := []string{"labs"}
	for _, tt := range []struct {
		name string
		make func(dir string) error
		want string
	}{
		{"symlink", func(d string) error { return os.Symlink("/run", d) }, "not a directory"},
		{"file", func(d string) error { return os.WriteFile(d, nil, 0o600) }, "not a directory"},
		{"open-to-others", func(d string) error { return errors.Join(os.Mkdir(d, 0o755), u.own(d)) }, "chmod 700 " + u.dir()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.make(u.dir()); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(u.dir())
			u.refused(t, labs, u.dir(), tt.want)
		})
	}
}

func (u *user) own(path string) error {
	if u.attr.Credential == nil {
		return nil
	}
	return os.Chown(path, u.uid, u.uid)
}

// TestTemporaryDirectory: without XDG_RUNTIME_DIR it is /tmp/warren-UID, where others can be in the way.
func TestTemporaryDirectory(t *testing.T) {
	u := newUser(t)
	u.env = append(u.env, "XDG_RUNTIME_DIR=") // the last one counts
	mount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("tmpfs", "/tmp", "tmpfs", flags, "mode=1777"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount("/tmp", unix.MNT_DETACH) })
	}
	t.Chdir("/") // the repository may be in /tmp
	mount(0)
	dir := fmt.Sprintf("/tmp/warren-%d", u.uid)
	file := u.lab(t, "tmp", pair)
	u.run(t, "up", file)
	if fi, err := os.Lstat(dir); err != nil || fi.Mode() != os.ModeDir|0o700 {
		t.Errorf("%s: %v, %v", dir, fi, err)
	}
	u.run(t, "down", "tmp")
	if left, err := os.ReadDir("/tmp"); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if u.attr.Credential != nil {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		u.refused(t, []string{"labs"}, dir, "belongs to user 0", "XDG_RUNTIME_DIR")
	}
	mount(unix.MS_RDONLY)
	u.refused(t, []string{"labs"}, dir, "read-only file system", "XDG_RUNTIME_DIR")
}

func TestOlderWorld(t *testing.T) {
	u := newUser(t)
	u.run(t, "up", u.lab(t, "old", pair))
	path := filepath.Join(u.dir(), "@world")
	now, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.Replace(string(now), `"format":1`, `"format":0`, 1)
	if err := os.WriteFile(path, []byte(older), 0o600); err != nil || older == string(now) {
		t.Fatal(older, err)
	}
	u.refused(t, []string{"labs"}, "incompatible version", fmt.Sprintf("kill %d", holders(t)[0]))
	if err := os.WriteFile(path, now, 0o600); err != nil {
		t.Fatal(err)
	}
	u.run(t, "down", "old")
	u.gone(t)
}

func TestNoNsenter(t *testing.T) {
	u := newUser(t)
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin", "/bin", "/usr/sbin", "/sbin") {
		path := filepath.Join(dir, "nsenter")
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() {
			if err := unix.Mount("/dev/null", path, "", unix.MS_BIND, ""); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = unix.Unmount(path, unix.MNT_DETACH) }()
		}
	}
	u.refused(t, []string{"labs"}, "nsenter", "install util-linux")
	u.gone(t)
}

// TestNoUserNamespaces: in a user namespace whose limit is 0 there is no further one.
func TestNoUserNamespaces(t *testing.T) {
	u := newUser(t)
	path, _ := binary()
	// What makes the ordinary user in there: setpriv, where there are two users; else the loss of all capabilities.
	script := `echo 0 >/proc/sys/user/max_user_namespaces; setpriv --bounding-set=-all --inh-caps=-all "$0" labs`
	size := 1
	if manyUsers(t) {
		script = `echo 0 >/proc/sys/user/max_user_namespaces; setpriv --reuid=65534 --regid=65534 --clear-groups "$0" labs`
		size = 65535
	}
	cmd := u.cmd(t, "sh", "-c", script, path)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:                 unix.CLONE_NEWUSER,
		UidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: size}},
		GidMappings:                []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: size}},
		GidMappingsEnableSetgroups: size > 1,
	}
	o, e, code := output(t, cmd)
	if code != 1 || o != "" || !strings.Contains(e, "user.max_user_namespaces is 0") || !strings.Contains(e, "sysctl -w user.max_user_namespaces=") {
		t.Errorf("exit %d\n%s%s", code, o, e)
	}
	u.gone(t)
}

func TestExplain(t *testing.T) {
	kerneltest.LeakCheck(t)
	for _, tt := range []struct {
		name     string
		err      error
		settings map[string]string
		want     string
	}{
		{"apparmor", unix.EACCES, map[string]string{"kernel.apparmor_restrict_unprivileged_userns": "1"}, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{"debian", unix.EPERM, map[string]string{"kernel.unprivileged_userns_clone": "0", "kernel.apparmor_restrict_unprivileged_userns": "1"}, "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"limit", unix.ENOSPC, map[string]string{"user.max_user_namespaces": "0"}, "sysctl -w user.max_user_namespaces=15000"},
		{"limit-of-networks", unix.ENOSPC, map[string]string{"user.max_user_namespaces": "9", "user.max_net_namespaces": "0"}, "sysctl -w user.max_net_namespaces=15000"},
		{"too-many", unix.ENOSPC, map[string]string{"user.max_user_namespaces": "9"}, "raise user.max_user_namespaces"},
		{"container", unix.EPERM, nil, "seccomp profile"},
		{"kernel", unix.EINVAL, nil, "CONFIG_USER_NS"},
		{"other", unix.ENOMEM, nil, "cannot allocate memory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := rootless.Explain(fmt.Errorf("try: %w", tt.err), func(name string) string { return tt.settings[name] })
			if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v does not say %q, or is not %v", err, tt.want, tt.err)
			}
		})
	}
}
