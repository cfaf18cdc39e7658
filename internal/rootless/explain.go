package rootless

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Explain names the setting of the system that made the making of a world fail with err, and the remedy. setting reads a
// sysctl, "" when there is none of that name.
func Explain(err error, setting func(name string) string) error {
	const asRoot = "; or run warren as root"
	sysctl := func(name, value string) error {
		return fmt.Errorf("an ordinary user's labs need a user namespace, which this system forbids: %s is %s: %w (hint: as root: sysctl -w %s=%s%s)",
			name, setting(name), err, name, value, asRoot)
	}
	denied := errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)
	if denied || errors.Is(err, unix.ENOSPC) {
		switch {
		case setting("kernel.unprivileged_userns_clone") == "0":
			return sysctl("kernel.unprivileged_userns_clone", "1")
		case denied && setting("kernel.apparmor_restrict_unprivileged_userns") == "1":
			return sysctl("kernel.apparmor_restrict_unprivileged_userns", "0")
		}
		for _, kind := range []string{"user", "net", "mnt"} {
			if name := "user.max_" + kind + "_namespaces"; setting(name) == "0" {
				return sysctl(name, "15000")
			}
		}
	}
	switch {
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("an ordinary user's labs need a user namespace, and there are too many namespaces: %w (hint: as root raise user.max_user_namespaces and user.max_net_namespaces%s)", err, asRoot)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("an ordinary user's labs need a user namespace: %w (hint: a kernel with CONFIG_USER_NS%s)", err, asRoot)
	case denied:
		return fmt.Errorf("an ordinary user's labs need a user namespace, which something forbids: %w (hint: in a container its seccomp profile does, and a chroot does%s)", err, asRoot)
	default:
		return fmt.Errorf("make a world for an ordinary user: %w", err)
	}
}

func readSetting(name string) string {
	data, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
