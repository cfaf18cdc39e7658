package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// An Inside opens sockets in a namespace: a *netns.Handle, or a *netns.Inside.
type Inside interface {
	Socket(domain, typ, proto int) (fd int, err error)
	Netlink(proto int) (*nl.Conn, error)
}

// A station watches one namespace: nft's trace, with our tables, and neighbour events.
type station struct {
	name   string
	cookie uint64
	v6     bool
	links  *linkNames
	owner  *nl.Conn // owns the tables
	trace  *nl.Subscription
	neigh  *nl.Subscription
	route  *nl.Conn
	unseen []Unseen
}

// openStation installs what is needed in a namespace. What does not work there is in the station's unseen.
func openStation(in Inside, name string, v6 bool, table string, picks []selection) *station {
	s := &station{name: name, v6: v6}
	if fd, err := in.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err == nil {
		s.links = &linkNames{fd: fd}
	}
	if err := s.openTrace(in, table, picks); err != nil {
		s.blind(ByTrace, err)
	}
	if err := s.openNeighbours(in); err != nil {
		s.blind(ByNeighbour, err)
	}
	return s
}

func (s *station) blind(witness string, err error) {
	s.unseen = append(s.unseen, Unseen{Witness: witness, Namespace: s.name, Text: err.Error()})
}

func (s *station) openTrace(in Inside, table string, picks []selection) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeTrace())
		}
	}()
	fd, err := in.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return fmt.Errorf("open nfnetlink: %w", err)
	}
	if s.trace, err = nl.Subscribe(fd, nl.SubscribeOptions{Groups: []uint32{groupTrace}}); err != nil {
		s.trace = nil
		return fmt.Errorf("listen to nft's trace: %w", err)
	}
	if s.owner, err = in.Netlink(unix.NETLINK_NETFILTER); err != nil {
		s.owner = nil
		return fmt.Errorf("open nfnetlink: %w", err)
	}
	family := uint8(familyInet4)
	if s.v6 {
		family = familyInet6
	}
	if err := installTable(s.owner, family, table, picks); err != nil {
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) {
			err = fmt.Errorf("%w (hint: this needs nftables, and Linux 5.12 for tables with an owner)", err)
		}
		return fmt.Errorf("add the trace table: %w", err)
	}
	// Rules of bridges are in a family of their own. Where there are none, nothing is to be traced.
	tables, err := s.owner.Dump(context.Background(), message(subsystem|unix.NFT_MSG_GETTABLE, familyBridge, 0, 0, nil))
	if err != nil || len(tables) == 0 {
		return nil
	}
	if err := installTable(s.owner, familyBridge, table, picks); err != nil {
		return fmt.Errorf("add the trace table of bridges: %w", err)
	}
	return nil
}

func (s *station) openNeighbours(in Inside) error {
	fd, err := in.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open rtnetlink: %w", err)
	}
	if s.neigh, err = nl.Subscribe(fd, nl.SubscribeOptions{Groups: []uint32{unix.RTNLGRP_NEIGH}}); err != nil {
		s.neigh = nil
		return fmt.Errorf("listen to neighbour events: %w", err)
	}
	if s.route, err = in.Netlink(unix.NETLINK_ROUTE); err != nil {
		s.route = nil
	}
	return err
}

// followTrace calls f for each message of the trace until ctx ends.
func (s *station) followTrace(ctx context.Context, f func(traced)) error {
	return receive(ctx, s.trace, func(typ uint16, data []byte) {
		if typ == msgTrace {
			if t, err := decodeTrace(data); err == nil {
				f(t)
			}
		}
	})
}

// followNeighbours calls f for each change of a neighbour of the probe's family until ctx ends.
func (s *station) followNeighbours(ctx context.Context, f func(Neighbour)) error {
	return receive(ctx, s.neigh, func(typ uint16, data []byte) {
		if typ == unix.RTM_NEWNEIGH {
			if n, ok := s.neighbour(data); ok && n.State != Asking {
				f(n)
			}
		}
	})
}

// receive reads until ctx ends, and then what is there. Lost messages are an error at the end.
func receive(ctx context.Context, sub *nl.Subscription, f func(typ uint16, data []byte)) error {
	var lost error
	ending := false
	for {
		ev, err := sub.Receive(ctx)
		for _, m := range ev.Messages {
			f(uint16(m.Header.Type), m.Data)
		}
		switch {
		case err == nil:
		case errors.Is(err, nl.ErrResync):
			lost = err
		case ctx.Err() == nil || errors.Is(err, nl.ErrClosed):
			return err
		case ending:
			return lost
		default:
			ending = true
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
			defer cancel()
			ctx = drain
		}
	}
}

// drainTime is how long messages are read that came before the end.
const drainTime = 20 * time.Millisecond

// asking lists the neighbours of the probe's family that are being asked for now.
func (s *station) asking() []Neighbour {
	if s.route == nil {
		return nil
	}
	msgs, err := s.route.Dump(context.Background(), rtnl.DumpNeighbors(false))
	if err != nil {
		return nil
	}
	var out []Neighbour
	for _, m := range msgs {
		if n, ok := s.neighbour(m.Data); ok && n.State == Asking {
			out = append(out, n)
		}
	}
	return out
}

// neighbour reads a message about one; false = it is none that somebody is or was asked for.
func (s *station) neighbour(data []byte) (Neighbour, bool) {
	family := byte(unix.AF_INET)
	if s.v6 {
		family = unix.AF_INET6
	}
	if len(data) == 0 || data[0] != family {
		return Neighbour{}, false
	}
	n, err := rtnl.DecodeNeighbor(data, s.links)
	if err != nil || n.Proxy {
		return Neighbour{}, false
	}
	out := Neighbour{Namespace: s.name, Link: n.Link, IP: n.IP}
	switch n.State {
	case "reachable", "stale", "delay", "probe":
		out.State, out.MAC = Answered, n.MAC.String()
	case "incomplete":
		out.State = Asking
	case "failed":
		out.State = Failed
	default:
		return Neighbour{}, false
	}
	return out, true
}

func (s *station) closeTrace() error {
	var errs []error
	if s.trace != nil {
		errs = append(errs, s.trace.Close())
	}
	if s.owner != nil {
		errs = append(errs, s.owner.Close()) // and the tables with it
	}
	s.trace, s.owner = nil, nil
	return errors.Join(errs...)
}

func (s *station) close() error {
	errs := []error{s.closeTrace()}
	if s.neigh != nil {
		errs = append(errs, s.neigh.Close())
	}
	if s.route != nil {
		errs = append(errs, s.route.Close())
	}
	if s.links != nil {
		errs = append(errs, unix.Close(s.links.fd))
	}
	return errors.Join(errs...)
}

// linkNames asks the kernel for the names of a namespace's links, through a socket inside (netdevice(7), SIOCGIFNAME).
type linkNames struct{ fd int }

// Name is that of the link with an index.
func (l *linkNames) Name(index int) (string, bool) {
	if l == nil || index == 0 {
		return "", false
	}
	ifr, err := unix.NewIfreq("x")
	if err != nil {
		return "", false
	}
	ifr.SetUint32(uint32(index))
	if err := unix.IoctlIfreq(l.fd, unix.SIOCGIFNAME, ifr); err != nil {
		return "", false
	}
	return ifr.Name(), true
}

// Index is not known here.
func (l *linkNames) Index(string) (int, bool) { return 0, false }
