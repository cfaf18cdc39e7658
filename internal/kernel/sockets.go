package kernel

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/sockdiag"
	"warren/state"
)

// readSockets reads the sockets of the namespace that the calling thread is in.
//
// The kernel keeps the TCP connections of all namespaces in one table of, by default, a bucket for every 128 KiB of memory,
// and walks over all of it for each list of one namespace: half a millisecond on a machine of 24 GiB. Most namespaces
// have no connection at all, and the counters of /proc/net/sockstat tell.
func (o *observation) readSockets(r *reading, p *proc) error {
	conn, err := openSocket(unix.NETLINK_SOCK_DIAG)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	s := socketReader{o: o, r: r, conn: conn, files: &p.files}
	use := readSockStat(&p.files)
	for _, v6 := range []bool{false, true} {
		family, inUse := uint8(unix.AF_INET), use.v4
		if v6 {
			family, inUse = unix.AF_INET6, use.v6
		}
		if n := inUse["TCP"]; n > 0 || use.timeWait > 0 {
			listening := s.inet(family, unix.IPPROTO_TCP, sockdiag.Statuses(1<<uint(sockdiag.Listen)))
			if listening != n || use.timeWait > 0 {
				s.inet(family, unix.IPPROTO_TCP, sockdiag.All&^sockdiag.Statuses(1<<uint(sockdiag.Listen)))
			}
		}
		for _, udp := range []struct {
			name   string
			number int
		}{{"UDP", unix.IPPROTO_UDP}, {"UDPLITE", unix.IPPROTO_UDPLITE}} {
			if inUse[udp.name] > 0 {
				s.inet(family, udp.number, sockdiag.All)
			}
		}
		if inUse["RAW"] > 0 {
			s.raw(family)
		}
		if o.haveSCTP() {
			s.inet(family, unix.IPPROTO_SCTP, sockdiag.All)
		}
	}
	s.unix()
	s.packet()
	return errors.Join(s.errs...)
}

// A sockStat is what the counters of a namespace tell of its sockets, by protocol.
type sockStat struct {
	v4, v6   map[string]int
	timeWait int
}

// readSockStat reads /proc/net/sockstat and sockstat6 (proc_pid_net(5)). What cannot be read is taken to be in use.
func readSockStat(files *netFiles) sockStat {
	s := sockStat{v4: map[string]int{}, v6: map[string]int{}}
	v4, err := files.read("sockstat")
	if err != nil {
		v4 = []byte("TCP: inuse -1 tw 1\nUDP: inuse 1\nUDPLITE: inuse 1\nRAW: inuse 1\n")
	}
	s.parse(v4, s.v4)
	v6, _ := files.read("sockstat6")
	s.parse(v6, s.v6)
	return s
}

func (s *sockStat) parse(text []byte, use map[string]int) {
	for line := range bytes.Lines(text) {
		f := strings.Fields(string(line))
		for j := 1; j+1 < len(f); j += 2 {
			n, _ := strconv.Atoi(f[j+1])
			switch f[j] {
			case "inuse":
				use[strings.TrimSuffix(strings.TrimSuffix(f[0], ":"), "6")] = n
			case "tw":
				s.timeWait += n
			}
		}
	}
}

// haveSCTP reports whether the kernel has the protocol in memory. Asking for its sockets would make it look for a module,
// each time.
func (o *observation) haveSCTP() bool {
	o.sctpOnce.Do(func() {
		var st unix.Stat_t
		o.sctp = unix.Stat("/proc/sys/net/sctp", &st) == nil
	})
	return o.sctp
}

type socketReader struct {
	o     *observation
	r     *reading
	conn  *nl.Conn
	files *netFiles
	errs  []error
}

// failed notes an error, unless it only says that the kernel has none of these sockets.
func (s *socketReader) failed(err error) {
	if err != nil && !errors.Is(err, sockdiag.ErrNoDiag) {
		s.errs = append(s.errs, err)
	}
}

func (s *socketReader) link(index uint32) string {
	if name, ok := s.r.names.Name(int(index)); ok {
		return name
	}
	return "if" + strconv.FormatUint(uint64(index), 10)
}

// inet reads the sockets of a protocol, and tells how many there are.
func (s *socketReader) inet(family uint8, protocol int, states sockdiag.Statuses) int {
	list, err := sockdiag.ReadInet(s.o.ctx, s.conn, sockdiag.InetRequest{Family: family, Protocol: protocol, Statuses: states})
	s.failed(err)
	for i := range list {
		s.add(&list[i], protocol)
	}
	return len(list)
}

func (s *socketReader) raw(family uint8) {
	list, err := sockdiag.ReadInet(s.o.ctx, s.conn, sockdiag.InetRequest{Family: family, Protocol: unix.IPPROTO_RAW, Statuses: sockdiag.All})
	if errors.Is(err, sockdiag.ErrNoDiag) {
		name := "raw"
		if family == unix.AF_INET6 {
			name = "raw6"
		}
		var b []byte
		if b, err = s.files.read(name); err == nil {
			list, err = sockdiag.DecodeRawFile(b, family)
		}
	}
	s.failed(err)
	for i := range list {
		s.add(&list[i], unix.IPPROTO_RAW)
	}
}

func (s *socketReader) add(d *sockdiag.Inet, protocol int) {
	s.r.ns.Sockets = append(s.r.ns.Sockets, d.Socket(protocol, s.link))
}

func (s *socketReader) unix() {
	list, err := sockdiag.ReadUnix(s.o.ctx, s.conn, sockdiag.UnixRequest{Statuses: sockdiag.All, Show: sockdiag.UnixName | sockdiag.UnixPeer | sockdiag.UnixUID})
	s.failed(err)
	for i := range list {
		s.r.ns.Sockets = append(s.r.ns.Sockets, list[i].Socket())
	}
}

func (s *socketReader) packet() {
	list, err := sockdiag.ReadPacket(s.o.ctx, s.conn)
	s.failed(err)
	for i := range list {
		v := list[i].Socket(s.link)
		v.ReadQueue = 0 // it changes with every packet on the link
		s.r.ns.Sockets = append(s.r.ns.Sockets, v)
	}
}

// fillOwners says who has the sockets open, as a survey told.
func (o *observation) fillOwners() {
	known := map[int]*state.Process{}
	for i := range o.readings {
		if f := o.readings[i].place.found; f != nil {
			for j := range f.Processes {
				p := &f.Processes[j]
				known[p.PID] = &state.Process{PID: p.PID, Command: p.Command, UID: p.UID, User: p.User}
			}
		}
	}
	for i := range o.readings {
		list := o.readings[i].ns.Sockets
		for j := range list {
			if pid, ok := o.sockets[list[j].Inode]; ok && list[j].Inode != 0 {
				list[j].Process = known[pid]
			}
		}
	}
}

// findOwners says who has the sockets open, in a walk over /proc of its own.
func (o *observation) findOwners(s *state.Snapshot) {
	owners, err := sockdiag.FindOwners(o.ctx, false)
	if err != nil {
		s.Unread = append(s.Unread, state.Unread{Object: "processes of sockets", Reason: err.Error()})
	}
	for i := range s.Namespaces {
		owners.Fill(s.Namespaces[i].Sockets)
	}
}
