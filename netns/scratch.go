package netns

import "golang.org/x/sys/unix"

// Scratch calls f inside of a new namespace that never gets a name: for finding out what the kernel can do, and what a
// fresh namespace holds. Unless f gives away a socket, the namespace is gone afterwards. The rules are those of [Handle.Do].
func Scratch(f func(*Inside) error) error {
	return onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return opError("create", "scratch namespace", err)
		}
		return f(&Inside{})
	})
}
