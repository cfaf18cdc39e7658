package iproute

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
)

// idChunk is how many namespaces are open at a time while their ids are asked for.
const idChunk = 256

// idsOf asks for the namespaces' ids in the session's one: [rtnl.NoNSID] when there is none, or no such namespace. Each
// error is for one name.
func (s *session) idsOf(names []string) ([]int, []error) {
	ids := make([]int, 0, len(names))
	errs := make([]error, 0, len(names))
	for len(names) > 0 {
		n := min(len(names), idChunk)
		i, e := s.chunkIDs(names[:n])
		ids, errs, names = append(ids, i...), append(errs, e...), names[n:]
	}
	return ids, errs
}

func (s *session) chunkIDs(names []string) ([]int, []error) {
	ids, errs := make([]int, len(names)), make([]error, len(names))
	reqs := make([]nl.Request, 0, len(names))
	asked := make([]int, 0, len(names))
	for i, name := range names {
		ids[i] = rtnl.NoNSID
		fd, err := unix.Open(netnsPath(name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			errs[i] = err
			continue
		}
		defer unix.Close(fd)
		reqs, asked = append(reqs, rtnl.GetNSID(fd)), append(asked, i)
	}
	for k, r := range s.kernel().Query(reqs) {
		i := asked[k]
		if r.Err != nil {
			errs[i] = r.Err
			continue
		}
		for _, m := range r.Messages {
			if id, err := rtnl.DecodeNSID(m.Data); err == nil {
				ids[i] = id
			}
		}
	}
	return ids, errs
}

func netnsList(s *session, _ *words) {
	if _, err := os.Stat(netns.Dir); errors.Is(err, fs.ErrNotExist) && s.personality != Warren {
		return // nothing at all, not even an empty array
	}
	p := s.out()
	names := s.spaceNames()
	ids, errs := s.idsOf(names)
	for i, name := range names {
		if errs[i] != nil {
			fmt.Fprintln(s.stdio.Err, kernelText(errs[i]))
		}
		p.openObject("")
		p.str("name", "%s", name)
		if ids[i] >= 0 {
			num(p, "id", " (id: %d)", ids[i])
		}
		p.text("\n")
		p.closeObject()
	}
}

func netnsSet(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "No netns name specified")
	}
	name := w.take()
	checkNetnsName(name)
	if !w.more() {
		fail(exitFailed, "No nsid specified")
	}
	id := rtnl.NoNSID
	if word := w.peek(); word != "auto" {
		n, ok := parseInt(word)
		if !ok || n < 0 {
			invalid("Invalid \"netnsid\" value", word)
		}
		id = int(n)
	}
	fd, err := unix.Open(netnsPath(name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		fail(exitFailed, "Cannot open network namespace \"%s\": %s", name, errnoText(err))
	}
	defer unix.Close(fd)
	s.do(rtnl.SetNSID(fd, id), nil)
	s.report(name, 0)
}

// namesByID are the names of the namespaces that have an id here; of two names the later.
func (s *session) namesByID() map[int]string {
	names := namesInOrder()
	ids, _ := s.idsOf(names)
	byID := make(map[int]string, len(names))
	for i, id := range ids {
		if _, taken := byID[id]; id >= 0 && !taken {
			byID[id] = names[i]
		}
	}
	return byID
}

// namesOfEvent is namesByID for an event. A namespace that is gone has the name that it had when it got its id.
func (s *session) namesOfEvent() map[int]string {
	names := s.namesByID()
	if s.idNames == nil {
		s.idNames = map[int]string{}
	}
	if s.deleted {
		return s.idNames
	}
	maps.Copy(s.idNames, names)
	return names
}

func netnsListID(s *session, w *words) {
	target, one := -1, -1
	for w.more() {
		switch word := w.peek(); word {
		case "target-nsid":
			if target >= 0 {
				duplicate("target-nsid", w.next())
			}
			target = nsidWord(w.next(), "\"target-nsid\" value is invalid")
		case "nsid":
			if one >= 0 {
				duplicate("nsid", w.next())
			}
			one = nsidWord(w.next(), "\"nsid\" value is invalid")
		default:
			if word != "help" {
				fmt.Fprintf(s.stdio.Err, "Unknown argument: %s\n", word)
			}
			usageOf(netnsUsage)
		}
		w.skip()
	}
	names := s.namesByID()
	m := rtnl.NewMessage(rtnl.RtgenLen)
	if target >= 0 {
		m.U32(unix.NETNSA_TARGET_NSID, uint32(target))
	}
	if one >= 0 {
		m.U32(unix.NETNSA_NSID, uint32(one))
		req, err := m.Request(unix.RTM_GETNSID, 0)
		if err != nil {
			die("%v", err)
		}
		msgs, err := s.ask(req)
		refused(err)
		p := s.out()
		for _, msg := range msgs {
			printNSID(p, rtnl.ParseAttrs(msg.Data[rtnl.RtgenLen:]), names)
		}
		return
	}
	req, err := m.Request(unix.RTM_GETNSID, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	for _, msg := range s.dump(req) {
		printNSID(p, rtnl.ParseAttrs(msg.Data[rtnl.RtgenLen:]), names)
	}
}

func nsidWord(word, what string) int {
	n, ok := parseInt(word)
	if !ok || n < 0 {
		invalid(what, word)
	}
	return int(n)
}

func printNSID(p *printer, a rtnl.Attrs, names map[int]string) {
	p.openObject("")
	id := a.S32(unix.NETNSA_NSID)
	if id < 0 {
		p.str("nsid", "nsid %s ", "not assigned")
	} else {
		num(p, "nsid", "nsid %d ", id)
	}
	current := id
	if a.Has(unix.NETNSA_CURRENT_NSID) {
		current = a.S32(unix.NETNSA_CURRENT_NSID)
		if current < 0 {
			p.str("current-nsid", "current-nsid %s ", "not assigned")
		} else {
			num(p, "current-nsid", "current-nsid %d ", current)
		}
	}
	if name, ok := names[int(current)]; ok && current >= 0 {
		p.str("name", "(iproute2 netns name: %s)", name)
	}
	p.text("\n")
	p.closeObject()
}
