package iproute

import (
	"slices"
	"strconv"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

// xfrmObject is "ip xfrm": the states and policies of IPsec and its relatives. All of it is text, whatever -json says.
func xfrmObject(s *session, w *words) {
	if !w.more() {
		usageOf(xfrmUsage)
	}
	defer func(json bool) { s.opt.json = json }(s.opt.json)
	s.opt.json = false
	on := func(run func(*xfrmCommand, *words)) func(*session, *words) {
		return func(s *session, w *words) { run(newXfrmCommand(s), w) }
	}
	if !dispatch(s, w, []verb{
		{"state", on((*xfrmCommand).states)},
		{"sa", on((*xfrmCommand).states)},
		{"policy", on((*xfrmCommand).policies)},
		{"monitor", on((*xfrmCommand).watch)},
	}) {
		usageOf(xfrmUsage)
	}
}

func newXfrmCommand(s *session) *xfrmCommand {
	x := &xfrmCommand{session: s, family: uint16(s.opt.family)}
	x.open = x.dial
	return x
}

// An xfrmCommand is one command about transforms.
type xfrmCommand struct {
	*session
	// open opens a socket.
	open func() *nl.Conn
	// family is what addresses have to be of. As in iproute2 the words change it as they go: the first address decides.
	family uint16
	nokeys bool
	// showsAnyway: as iproute2, whose monitor hides the keys of reports alone. Under our own name it hides all of them.
	showsAnyway bool
	filter      xfrmFilter
}

// An xfrmFilter says which states or policies are meant; it is used when there was a word.
type xfrmFilter struct {
	use       bool
	state     xfrm.State
	policy    xfrm.Policy
	ptype     uint8
	src, dst  int // lengths of prefixes
	given     xfrmGiven
	noSockets bool
}

// An xfrmGiven is which words there were.
type xfrmGiven struct {
	proto, spi, mode, reqid, flags                   bool // of a state
	dir, index, ptype, action, priority, policyFlags bool // of a policy
	link, upper, sport, dport                        bool // of a selector
}

// dial opens a socket in the namespace.
func (x *xfrmCommand) dial() *nl.Conn {
	c, err := x.space().Netlink(unix.NETLINK_XFRM)
	if err != nil {
		exit("Cannot open netlink socket: %s", errnoText(err))
	}
	return c
}

// xfrmRefused ends the program with the kernel's refusal: iproute2 leaves a batch then, even a forced one.
func xfrmRefused(err error) {
	if err != nil {
		panic(&failure{code: exitKernel, text: kernelText(err), abort: true, exact: true})
	}
}

// talk sends a message that the kernel only acknowledges.
func (x *xfrmCommand) talk(typ int, m *rtnl.Message) {
	c := x.open()
	defer c.Close()
	req, err := m.Request(typ, 0)
	if err != nil {
		die("%v", err)
	}
	xfrmRefused(c.Batch([]nl.Request{req})[0])
}

// query sends a message and returns the answer.
func (x *xfrmCommand) query(typ int, m *rtnl.Message) netlink.Message {
	c := x.open()
	defer c.Close()
	req, err := m.Request(typ, 0)
	if err != nil {
		die("%v", err)
	}
	r := c.Query([]nl.Request{req})[0]
	xfrmRefused(r.Err)
	if len(r.Messages) == 0 {
		exit("the kernel has not answered")
	}
	return r.Messages[0]
}

// table reads a table whole; what iproute2 says when it cannot comes after the kernel's words.
func (x *xfrmCommand) table(c *nl.Conn, typ int, m *rtnl.Message, failed string) []netlink.Message {
	req, err := m.Request(typ, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := c.Dump(x.ctx, req)
	if err != nil && len(msgs) == 0 {
		exit("%s\n%s", kernelText(err), failed)
	}
	return msgs
}

// done ends the program well, as iproute2 does after each list: what follows in a batch is not read.
func done() { panic(&failure{code: exitOK, abort: true, exact: true}) }

// deleteAll deletes what a table has, round by round, until nothing of it is left: one round is what fits into iproute2's
// buffer. each makes the request that deletes an entry, or nil.
func (x *xfrmCommand) deleteAll(typ int, head *rtnl.Message, each func(netlink.Message) *nl.Request) {
	c := x.open()
	defer c.Close()
	for round := 0; ; round++ {
		if x.opt.stats > 1 {
			x.hint("Delete-all round = " + strconv.Itoa(round))
		}
		var requests []nl.Request
		left := 8192
		for _, m := range x.table(c, typ, head, "Delete-all terminated") {
			req := each(m)
			if req == nil {
				continue
			}
			const netlinkHead = 16
			if left -= netlinkHead + len(req.Data); left < 0 {
				break
			}
			requests = append(requests, *req)
		}
		if len(requests) == 0 {
			if x.opt.stats > 1 {
				x.hint("Delete-all completed")
			}
			return
		}
		errs := c.Batch(requests)
		if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
			end := ""
			if typ == xfrm.GetState {
				end = "\n" // so iproute2
			}
			exit("Failed to send delete-all request%s: %s", end, errnoText(errs[i]))
		}
		if x.opt.stats > 1 {
			x.hint("Delete-all nlmsg count = " + strconv.Itoa(len(requests)))
		}
	}
}

// message begins a message with a layout.
func xfrmMessage[T xfrm.Layout](v T) *rtnl.Message {
	b := xfrm.Append(nil, v)
	m := rtnl.NewMessage(len(b))
	copy(m.Head(), b)
	return m
}

// xfrmBytes adds an attribute that is a layout, with bytes behind it.
func xfrmBytes[T xfrm.Layout](m *rtnl.Message, typ uint16, v T, more ...byte) {
	m.Bytes(typ, append(xfrm.Append(nil, v), more...))
}

// addMark adds a mark when there was one.
func addMark(m *rtnl.Message, mark xfrm.Mark, always bool) {
	if always && mark.Mask != 0 || mark.Mask&mark.Value != 0 {
		xfrmBytes(m, xfrm.AttrMark, mark)
	}
}
