package rootless

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// become replaces this process by the command inside the world. It returns only when that does not work.
func (w *World) become(nsenter string, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	wd, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("working directory: %w", err)
	}
	// The lock goes along: between here and there the world must not end.
	if _, err := unix.FcntlInt(w.lock.Fd(), unix.F_SETFD, 0); err != nil {
		return err
	}
	for name, value := range map[string]string{
		worldEnv: w.rec.Token + ":" + w.dir,
		enterEnv: strconv.Itoa(int(w.lock.Fd())) + ":" + wd,
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	if os.Getenv(runDirEnv) == "" {
		if err := os.Setenv(runDirEnv, w.dir); err != nil {
			return err
		}
	}
	argv := append([]string{
		"nsenter", "--target", strconv.Itoa(w.rec.PID), "--user", "--mount", "--net",
		"--preserve-credentials", "--", self,
	}, args[1:]...)
	return fmt.Errorf("enter the world: exec %s: %w", nsenter, syscall.Exec(nsenter, argv, os.Environ()))
}

// findNsenter looks where util-linux is installed too, because an ordinary user's PATH may lack it.
func findNsenter() (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin", "/bin", "/usr/sbin", "/sbin") {
		path := filepath.Join(dir, "nsenter")
		if fi, err := os.Stat(path); err == nil && filepath.IsAbs(path) && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", errors.New("an ordinary user's warren needs nsenter, which is missing (hint: install util-linux, or run warren as root)")
}
