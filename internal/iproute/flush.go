package iproute

import (
	"errors"

	"github.com/mdlayher/netlink"

	"warren/internal/nl"
)

// A flush is what a table is emptied with.
type flush struct {
	what string // is deleted, as -s says it
	typ  int    // of the message that deletes, RTM_DEL*
	most uint32 // rounds; 0 = any number
	code int    // the exit code when the kernel does not let an entry be deleted
	gone error  // what the kernel says of an entry that went by itself or with another one; nil = no entry does
	once bool   // one round is meant to be all
	// each hands over the entries that are to go, until it is told that it is enough.
	each func(yield func(data []byte) bool)
	// show prints an entry.
	show func(p *printer, data []byte)
}

// empty deletes round by round until there is nothing left, and says so with -s. It reports false when that did not come about in the
// rounds there are. What the kernel refuses to delete ends it: the entry would be there in the next round, and in all that follow.
func (s *session) empty(f *flush) bool {
	p := s.out()
	for n := uint32(0); f.most == 0 || n < f.most; n++ {
		deleted := s.flushRound(f)
		if deleted == 0 {
			switch {
			case s.opt.stats == 0:
			case n == 0:
				p.text("Nothing to flush.\n")
			default:
				plural := "s"
				if n == 1 {
					plural = ""
				}
				p.text("*** Flush is complete after %d round%s ***\n", n, plural)
			}
			return true
		}
		if s.opt.stats > 0 {
			p.text("\n*** Round %d, deleting %d %s ***\n", n+1, deleted, f.what)
			if f.once {
				p.text("*** Flush is complete after 1 round ***\n")
			}
		}
		if f.once {
			return true
		}
	}
	return false
}

// flushRound deletes what there is and returns how much it was. Requests go in pieces of iproute2's size, so that as much is gone as
// with it when one is refused.
func (s *session) flushRound(f *flush) int {
	const piece, netlinkHead = 3584, 16
	var reqs []nl.Request
	deleted, size := 0, 0
	send := func() {
		for _, err := range s.kernel().Batch(reqs) {
			if err != nil && (f.gone == nil || !errors.Is(err, f.gone)) {
				fail(f.code, "Failed to send flush request: %s", errnoText(err))
			}
		}
		reqs, size = reqs[:0], 0
	}
	for data := range f.each {
		if size+netlinkHead+len(data) > piece && size > 0 {
			send()
		}
		reqs = append(reqs, nl.Request{Type: netlink.HeaderType(f.typ), Data: data})
		size += netlinkHead + len(data)
		deleted++
		if s.opt.stats > 1 {
			f.show(s.out(), data)
		}
	}
	send()
	return deleted
}
