// Package kerneltest runs tests against the real kernel without ever touching the machine that they run on.
//
// [Main] (or [Enter], where another package wants to run the tests) starts the test binary again in fresh mount, network
// and PID namespaces, and, for an ordinary user, in a fresh user namespace. In there the test may do what it likes: /run
// is an empty tmpfs (with it /run/netns and the temporary directory), /proc and /sys show the new namespaces, lo is up,
// and everything dies with the test. [LeakCheck] compares what there is before and after a test, [Need] skips a test by
// the name of the kernel's feature that is missing, and [Eventually] waits for what happens later.
//
// The package is for tests only. See namespaces(7), pid_namespaces(7), mount_namespaces(7).
package kerneltest
