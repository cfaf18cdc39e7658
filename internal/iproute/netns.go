package iproute

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// netnsObject is "ip netns".
func netnsObject(s *session, w *words) {
	if !w.more() {
		netnsList(s, w)
		return
	}
	if w.left() > 1 && !s.opt.all {
		checkNetnsName(w.list[w.at+1])
	}
	verbs := []verb{
		{"list", netnsList},
		{"show", netnsList},
		{"lst", netnsList},
		{"list-id", netnsListID},
		{"help", func(*session, *words) { usageOf(netnsUsage) }},
		{"add", netnsAdd},
		{"set", netnsSet},
		{"delete", netnsDelete},
		{"identify", netnsIdentify},
		{"pids", netnsPIDs},
		{"exec", netnsExec},
		{"monitor", netnsMonitor},
		{"attach", netnsAttach},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("netns", word)
	}
}

func checkNetnsName(name string) {
	if name == "" || len(name) > 255 || name == "." || name == ".." || containsSlash(name) {
		die("Invalid netns name \"%s\"", name)
	}
}

func containsSlash(name string) bool { return filepath.Base(name) != name }

func netnsPath(name string) string { return filepath.Join(netns.Dir, name) }

// namesInOrder are the names in the directory's own order, in which ip lists them.
func namesInOrder() []string {
	f, err := os.Open(netns.Dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil
	}
	return names
}

func netnsAdd(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "No netns name specified")
	}
	name := w.take()
	checkNetnsName(name)
	h, err := s.create(netnsPath(name))
	if err != nil {
		nameFailed(name, err)
	}
	s.report(name, h.Cookie())
	h.Close()
}

func (s *session) create(path string) (*netns.Handle, error) {
	if s.deps.Final && !s.inBatch {
		return netns.CreateLast(s.ctx, path)
	}
	return netns.Create(s.ctx, path, nil)
}

func nameFailed(name string, err error) {
	if errors.Is(err, netns.ErrExist) {
		fail(exitFailed, "Cannot create namespace file \"%s\": File exists", netnsPath(name))
	}
	fail(exitFailed, "Cannot create namespace \"%s\": %s", name, errnoText(err))
}

func netnsAttach(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "No netns name specified")
	}
	name := w.take()
	checkNetnsName(name)
	if !w.more() {
		fail(exitFailed, "No PID specified")
	}
	pid, ok := parseInt(w.peek())
	if !ok || pid == 0 {
		fail(exitFailed, "Invalid PID: %s", w.peek())
	}
	h, err := netns.OpenPath(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		fail(exitFailed, "Bind /proc/%d/ns/net -> %s failed: %s", pid, netnsPath(name), errnoText(err))
	}
	defer h.Close()
	if err := netns.Attach(s.ctx, netnsPath(name), h); err != nil {
		nameFailed(name, err)
	}
	s.report(name, h.Cookie())
}

func netnsDelete(s *session, w *words) {
	if s.opt.all {
		s.deleteAll()
		return
	}
	if !w.more() {
		fail(exitFailed, "No netns name specified")
	}
	name := w.take()
	checkNetnsName(name)
	o := s.deleteOptions(w)
	s.evacuate(name, o)
	if err := s.deleteName(name); err != nil {
		fail(exitFailed, "Cannot remove namespace file \"%s\": %s", netnsPath(name), errnoText(err))
	}
	if o.wait {
		if err := netns.WaitGone(s.ctx); err != nil {
			fail(exitFailed, "wait until %s is gone: %v", name, err)
		}
	}
	s.report(name, 0)
}

// deleteAll stops at the first failure and does not tell, as ip does it; under our own name it goes on and tells.
func (s *session) deleteAll() {
	for _, name := range s.spaceNames() {
		if err := s.deleteName(name); err != nil {
			fmt.Fprintf(s.stdio.Err, "Cannot remove namespace file \"%s\": %s\n", netnsPath(name), errnoText(err))
			if s.personality != Warren {
				return
			}
			s.code = exitFailed
			continue
		}
		s.report(name, 0)
	}
}

// deleteName deletes a name, which must be there. A symbolic link, with which people name a container's namespace, is
// removed; what it leads to stays.
func (s *session) deleteName(name string) error {
	info, err := os.Lstat(netnsPath(name))
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return os.Remove(netnsPath(name))
	case info.IsDir():
		return unix.EISDIR
	}
	return netns.Delete(s.ctx, netnsPath(name))
}
