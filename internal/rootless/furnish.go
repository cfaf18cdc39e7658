package rootless

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// A stepError names the step of making a world that failed.
type stepError struct {
	step  string
	err   error
	asked bool // for what the system may forbid
}

func (e *stepError) Error() string { return e.step + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// furnish sets up mounts and network of a world that was just made.
func furnish(dir string) error {
	before, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	// Mounts that the host makes later come in, none goes out.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return &stepError{"separate the mounts", err, true}
	}
	if err := freshRun(); err != nil {
		return err
	}
	if after, err := os.Lstat(dir); err != nil || !os.SameFile(before, after) {
		return &stepError{"find " + dir + " again", errors.Join(fs.ErrNotExist, err), false}
	}
	if err := netns.LoopbackUp(); err != nil {
		return &stepError{"set lo up", err, true}
	}
	for _, f := range []string{"ip", "ip6", "arp"} {
		// What a switch forwards is no business of this host's rules. Labs work with 0 and 1.
		_ = os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-"+f+"tables", []byte("0"), 0)
	}
	return nil
}

// freshRun puts a tmpfs on /run and binds back what was there, but for the names of namespaces, which the world has of its
// own, and root's labs.
func freshRun() error {
	old, err := os.OpenFile("/run", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return &stepError{"open /run", err, false}
	}
	defer old.Close()
	entries, err := os.ReadDir("/run")
	if err != nil {
		return &stepError{"read /run", err, false}
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return &stepError{"mount a tmpfs on /run", err, true}
	}
	for _, e := range entries {
		if e.Name() != "netns" && e.Name() != "warren" {
			// What cannot be had is not missed by labs; what is needed is looked for afterwards.
			_ = bindBack("/proc/self/fd/"+strconv.Itoa(int(old.Fd())), e)
		}
	}
	if err := os.Mkdir(netnsDir, 0o755); err != nil {
		return &stepError{"make " + netnsDir, err, false}
	}
	return nil
}

func bindBack(from string, e fs.DirEntry) error {
	source, target := filepath.Join(from, e.Name()), filepath.Join("/run", e.Name())
	var err error
	switch {
	case e.IsDir():
		err = os.Mkdir(target, 0o755)
	case e.Type()&fs.ModeSymlink != 0:
		to, err := os.Readlink(source)
		if err != nil {
			return err
		}
		return os.Symlink(to, target)
	default:
		err = os.WriteFile(target, nil, 0o600)
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return errors.Join(fmt.Errorf("bind %s: %w", target, err), os.Remove(target))
	}
	return nil
}
