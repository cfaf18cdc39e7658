package seetest_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
	"warren/state"
)

// holders are the situations of what keeps a namespace alive that has no name.
func holders() []situation {
	return []situation{
		{name: "process", make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-n", "sh", "-c", thereAndSleep)
			return func(s *seen) {
				n := s.of(pid)
				s.heldBy(n, "process", "process")
				p := n.Processes[0]
				s.is("process", fmt.Sprint(p.PID, p.Command, p.User), fmt.Sprint(pid, "sleep 1000", "root"))
				s.is("started", p.Started.IsZero() || n.Created.IsZero(), false)
				s.finds(fmt.Sprint("pid:", pid), n.Name, "pid")
				s.page(n.Name, "sleep 1000", strconv.Itoa(pid))
			}
		}},
		{name: "two-processes", make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-n", "sh", "-c", "sleep 1000 & "+thereAndSleep)
			w.Cleanup(func() { w.sh("kill $(cat /proc/%d/task/%d/children)", pid, pid) })
			return func(s *seen) { s.heldBy(s.of(pid), "process process", "process") }
		}},
		{name: "process-of-another-user", needs: []string{"exec:setpriv"}, make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-n", "setpriv", "--reuid", "65534", "--clear-groups", "sh", "-c", thereAndSleep)
			return func(s *seen) {
				s.is("user", fmt.Sprint(s.of(pid).Processes[0].UID, s.of(pid).Processes[0].User), "65534nobody")
			}
		}},
		{name: "process-with-odd-words", make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-n", "sh", "-c", "echo there; sleep 1000; :", "od\x1b[31md\nwords")
			w.Cleanup(func() { w.sh("kill $(cat /proc/%d/task/%d/children)", pid, pid) })
			return func(s *seen) { s.page(s.of(pid).Name, "od", "words") }
		}},
		{name: "thread-only", make: func(w *world) func(*seen) {
			cookie := w.thread()
			return func(s *seen) { s.heldBy(s.cookie(cookie), "thread", "process") }
		}},
		{name: "open-file", make: func(w *world) func(*seen) {
			cookie := w.fresh(func(h *netns.Handle, _ string) {
				w.keep(unix.Open(fmt.Sprintf("/proc/self/fd/%d", h.FD()), unix.O_RDONLY|unix.O_CLOEXEC, 0))
			})
			return func(s *seen) {
				s.heldBy(s.cookie(cookie), "file", "process")
				s.is("who", s.cookie(cookie).Holders[0].PID, os.Getpid())
			}
		}},
		{name: "open-file-of-another-process", make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-n", "sh", "-c", fmt.Sprintf("exec 5</proc/self/ns/net; exec nsenter -t %d -n sh -c '%s'", os.Getpid(), thereAndSleep))
			return func(s *seen) {
				for i := range s.snap.Namespaces {
					for _, h := range s.snap.Namespaces[i].Holders {
						if h.PID == pid && h.Kind == "file" {
							s.is("what it is", fmt.Sprint(h.FD, h.Command), "5sleep")
							return
						}
					}
				}
				s.Error("nobody holds a file")
			}
		}},
		{name: "socket-only", make: func(w *world) func(*seen) {
			cookie := w.fresh(func(h *netns.Handle, _ string) { w.keep(h.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)) })
			return func(s *seen) { s.heldBy(s.cookie(cookie), "socket", "process") }
		}},
		{name: "netlink-socket-only", make: func(w *world) func(*seen) {
			cookie := w.fresh(func(h *netns.Handle, _ string) { w.keep(h.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)) })
			return func(s *seen) { s.heldBy(s.cookie(cookie), "socket", "process") }
		}},
		{name: "listener-only", make: func(w *world) func(*seen) {
			cookie := w.fresh(func(h *netns.Handle, _ string) {
				fd := w.keep(h.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
				if err := unix.Bind(fd, &unix.SockaddrInet4{Port: 8111}); err != nil {
					w.Fatal(err)
				}
				if err := unix.Listen(fd, 3); err != nil {
					w.Fatal(err)
				}
			})
			return func(s *seen) {
				n := s.cookie(cookie)
				s.heldBy(n, "socket", "process")
				s.finds("port:8111", n.Name, "port")
				s.page(n.Name, "8111")
			}
		}},
		{name: "tun-descriptor", needs: []string{"tun"}, make: func(w *world) func(*seen) {
			cookie := w.fresh(func(h *netns.Handle, _ string) {
				fd := -1
				err := h.Do(func() (err error) { fd, err = openTap("tap0"); return err })
				w.keep(fd, err)
			})
			return func(s *seen) {
				s.heldBy(s.cookie(cookie), "tun", "process")
				s.is("kind", s.cookie(cookie).Link("tap0").Kind, "tun")
			}
		}},
		{name: "mount-elsewhere", make: func(w *world) func(*seen) {
			path := w.TempDir() + "/odd\tplace \\040 here"
			cookie := w.mounted(path)
			return func(s *seen) {
				s.heldBy(s.cookie(cookie), "mount", "process")
				s.is("paths", s.cookie(cookie).Paths, []string{path})
			}
		}},
		{name: "mount-in-another-mount-namespace", make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-m", "--propagation", "private", "unshare", "-n", "sh", "-euc",
				fmt.Sprintf(`mkdir -p /run/z-far; mount -t tmpfs t /run/z-far; touch "/run/z-far/x y"; mount --bind /proc/thread-self/ns/net "/run/z-far/x y"; exec nsenter -t %d -n sh -c '%s'`, os.Getpid(), thereAndSleep))
			w.Cleanup(func() { w.sh("rmdir /run/z-far") })
			return func(s *seen) {
				for i := range s.snap.Namespaces {
					for _, h := range s.snap.Namespaces[i].Holders {
						if h.Path == "/run/z-far/x y" {
							s.is("whose mount namespace", h.PID, pid)
							s.is("other holders", len(s.snap.Namespaces[i].Holders), 1)
							return
						}
					}
				}
				s.Error("not found")
			}
		}},
		{name: "in-a-user-namespace", make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-Urn", "sh", "-c", thereAndSleep)
			return func(s *seen) {
				n := s.of(pid)
				s.heldBy(n, "process", "process")
				link := strings.TrimSpace(w.sh("readlink /proc/%d/ns/user", pid))
				s.is("user namespace", fmt.Sprintf("user:[%d]", n.UserNS), link)
				s.is("user as seen from here", n.Processes[0].User, "root")
				s.is("that of the host", s.ns(state.HostNS).UserNS == n.UserNS, false)
			}
		}},
		{name: "nested-user-namespaces", make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-Urn", "unshare", "-Urn", "sh", "-c", thereAndSleep)
			return func(s *seen) {
				link := strings.TrimSpace(w.sh("readlink /proc/%d/ns/user", pid))
				s.is("user namespace", fmt.Sprintf("user:[%d]", s.of(pid).UserNS), link)
			}
		}},
		{name: "in-a-pid-namespace", make: func(w *world) func(*seen) {
			pid := w.live("unshare", "-npf", "--kill-child", "sh", "-c", thereAndSleep)
			return func(s *seen) {
				list := s.of(pid).Processes
				if len(list) != 2 || list[1].InnerPID != 1 {
					s.Errorf("processes %+v", list)
				}
			}
		}},
		{name: "zombie", make: func(w *world) func(*seen) {
			cmd := exec.CommandContext(w.Context(), "unshare", "-n", "true")
			if err := cmd.Start(); err != nil {
				w.Fatal(err)
			}
			w.Cleanup(func() { _ = cmd.Wait() })
			kerneltest.Eventually(w.T, patience, func() error {
				b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
				if err != nil || !strings.Contains(string(b), ") Z ") {
					return fmt.Errorf("not a zombie: %s %w", b, err)
				}
				return nil
			})
			return func(s *seen) {
				for _, u := range s.snap.Unread {
					if strings.Contains(u.Object, strconv.Itoa(cmd.Process.Pid)) {
						s.Errorf("it is told: %+v", u)
					}
				}
				for _, n := range s.snap.Namespaces {
					for _, p := range n.Processes {
						if p.PID == cmd.Process.Pid {
							s.Errorf("it lives in %s", n.Name)
						}
					}
				}
			}
		}},
	}
}

// thread keeps a thread in a new namespace until the test ends.
func (w *world) thread() (cookie uint64) {
	w.Helper()
	stop, there, done := make(chan struct{}), make(chan uint64, 1), make(chan error, 1)
	go func() {
		done <- netns.Scratch(func(*netns.Inside) error {
			h, err := netns.OpenPath("/proc/thread-self/ns/net")
			if err != nil {
				close(there)
				return err
			}
			there <- h.Cookie()
			h.Close()
			<-stop
			return nil
		})
	}()
	w.Cleanup(func() {
		close(stop)
		if err := <-done; err != nil {
			w.Error(err)
		}
	})
	return <-there
}

// openTap makes a tap device that lives as long as its descriptor.
func openTap(name string) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var req struct {
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], name)
	req.flags = unix.IFF_TAP | unix.IFF_NO_PI
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&req))); errno != 0 {
		_ = unix.Close(fd)
		return -1, errno
	}
	return fd, nil
}
