package seetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"warren"
	"warren/netns"
	"warren/state"
)

// names are the situations that a namespace's name can be in.
func names() []situation {
	odd := func(name, file string, isKey bool) situation {
		return situation{name: name, make: func(w *world) func(*seen) {
			cookie := w.mounted(netns.Dir + "/" + file)
			return func(s *seen) {
				n := s.cookie(cookie)
				s.is("names", n.Names, []string{file})
				want := file
				if !isKey {
					want = fmt.Sprint("cookie:", cookie)
				}
				s.is("key", n.Name, want)
				s.heldBy(n, "mount", "ip-netns")
				s.page(n.Name, "lo")
				s.is("found by its name", len(warren.Find(s.snap, file)), 1)
			}
		}}
	}
	return []situation{
		{name: "named", make: func(w *world) func(*seen) {
			w.add("z-named")
			return func(s *seen) {
				n := s.ns("z-named")
				s.heldBy(n, "mount", "ip-netns")
				s.is("names", n.Names, []string{"z-named"})
				s.is("paths", n.Paths, []string{netns.Dir + "/z-named"})
				s.finds("z-named", "z-named", "name")
				s.finds(netns.Dir+"/z-named", "z-named", "path")
				s.finds(fmt.Sprint("cookie:", n.Cookie), "z-named", "cookie")
				s.finds(fmt.Sprint("inode:", n.Inode), "z-named", "inode")
				fi, err := os.Stat(netns.Dir + "/z-named")
				if err != nil || !fi.ModTime().Equal(n.Created) {
					s.Errorf("made %v, its file is of %v (%v)", n.Created, fi.ModTime(), err)
				}
			}
		}},
		{name: "two-names", make: func(w *world) func(*seen) {
			w.add("z-two")
			w.bind(netns.Dir+"/z-two", netns.Dir+"/z-second")
			return func(s *seen) {
				n := s.ns("z-second")
				s.is("names", n.Names, []string{"z-second", "z-two"})
				s.heldBy(n, "mount mount", "ip-netns")
				s.is("of its other name", s.snap.Namespace("z-two") == nil, true)
			}
		}},
		{name: "mounted-twice-on-one-name", make: func(w *world) func(*seen) {
			w.add("z-below")
			above := w.mounted(netns.Dir + "/z-below")
			return func(s *seen) { s.is("what is on top", s.ns("z-below").Cookie, above) }
		}},
		odd("name-with-blank", "z a b", false),
		odd("name-with-shell-words", `z;$(id)"'&`, true),
		odd("name-in-unicode", "z-ünïcødé-名前", true),
		odd("name-with-escape", "z\x1b[31mred\n", false),
		odd("name-with-colon", "z:pid:1", true),
		odd("name-of-255-bytes", "z"+strings.Repeat("n", 254), true),
		{name: "name-of-a-lab", make: func(w *world) func(*seen) {
			w.add("shop.web")
			w.sh("ip -n shop.web link property add dev lo altname warren.shop.web")
			return func(s *seen) {
				s.is("mark", s.ns("shop.web").Mark, state.Mark{Lab: "shop", Node: "web"})
				s.heldBy(s.ns("shop.web"), "mount", "lab")
				s.finds("web", "shop.web", "name")
			}
		}},
		{name: "name-like-a-lab-without-mark", make: func(w *world) func(*seen) {
			w.add("shop.not")
			return func(s *seen) { s.heldBy(s.ns("shop.not"), "mount", "ip-netns") }
		}},
		{name: "link-to-a-process", make: func(w *world) func(*seen) { // how names were given to containers before
			pid := w.live("unshare", "-n", "sh", "-c", thereAndSleep)
			w.sh("ln -s /proc/%d/ns/net %s/z-linked", pid, netns.Dir)
			w.Cleanup(func() { w.sh("rm %s/z-linked", netns.Dir) })
			return func(s *seen) {
				s.is("names", s.of(pid).Names, []string{"z-linked"})
				s.finds("z-linked", s.of(pid).Name, "name")
			}
		}},
		{name: "name-of-another-kind", make: func(w *world) func(*seen) {
			w.bind("/proc/self/ns/uts", netns.Dir+"/z-uts")
			return func(s *seen) { s.is("there", s.snap.Namespace("z-uts") != nil, false) }
		}},
	}
}

// bind mounts one file on another, which it makes.
func (w *world) bind(from, to string) {
	w.Helper()
	_, statErr := os.Lstat(to)
	if statErr != nil {
		if err := os.WriteFile(to, nil, 0o600); err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() {
			if err := os.Remove(to); err != nil {
				w.Error(err)
			}
		})
	}
	w.sh("mount --bind '%s' '%s'", quoted(from), quoted(to))
	w.Cleanup(func() { w.sh("umount '%s'", quoted(to)) })
}

// quoted is a text between apostrophes of a shell.
func quoted(s string) string { return strings.ReplaceAll(s, "'", `'\''`) }

// mounted mounts a new namespace on a file.
func (w *world) mounted(path string) uint64 {
	w.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.Fatal(err)
	}
	return w.fresh(func(_ *netns.Handle, at string) { w.bind(at, path) })
}
