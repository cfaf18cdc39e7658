package kernel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// A scratch is a namespace for trying things out: new, without a name, gone at the end.
type scratch struct {
	in    *netns.Inside
	route *nl.Conn
}

// withScratch calls f inside of a scratch namespace.
func withScratch(f func(*scratch) error) error {
	return netns.Scratch(func(in *netns.Inside) error {
		conn, err := in.Netlink(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer conn.Close()
		return f(&scratch{in: in, route: conn})
	})
}

// fresh reads the values that sysctls have in a new namespace. Those of single links are not there.
func (k *Kernel) fresh(ctx context.Context, wanted map[string][]string) ([]state.Sysctl, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for _, list := range wanted {
		for _, key := range list {
			keys[key] = true
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	var c state.Contents
	err := withScratch(func(*scratch) error {
		return readSysctls(newProc(1), slices.Sorted(maps.Keys(keys)), &c)
	})
	if err != nil {
		return nil, &OpError{Op: "read", Object: "sysctls of a new namespace", Err: err}
	}
	return c.Sysctls, nil
}

// A MissingError says that the kernel lacks a feature.
type MissingError struct {
	Need Need
	Err  error // what the kernel said
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s in %q needs %s, which this kernel lacks (hint: %s)", e.Need.Object, e.Need.NS, e.Need.Feature.Name, e.Need.Feature.Needs)
}

// Unwrap gives EOPNOTSUPP and what the kernel said.
func (e *MissingError) Unwrap() []error { return []error{unix.EOPNOTSUPP, e.Err} }

// Probe tries out in a scratch namespace what the needs say, before anything is changed. The error joins a [*MissingError]
// for each feature that is missing. Answers are kept, but not that it could not be told.
func (k *Kernel) Probe(ctx context.Context, needs []Need) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var unknown []Need
	for _, n := range needs {
		if _, ok := k.probed[n.Feature.Name]; !ok && n.Feature.probe != nil {
			unknown = append(unknown, n)
		}
	}
	if len(unknown) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := withScratch(func(s *scratch) error {
			for _, n := range unknown {
				err := n.Feature.probe(s)
				if err != nil && !lacks(err) {
					return fmt.Errorf("%s: %w", n.Feature.Name, err)
				}
				k.probed[n.Feature.Name] = err
			}
			return nil
		})
		if err != nil {
			return &OpError{Op: "check", Object: "the kernel's features", Err: err}
		}
	}
	var errs []error
	for _, n := range needs {
		if err := k.probed[n.Feature.Name]; err != nil {
			errs = append(errs, &MissingError{Need: n, Err: err})
		}
	}
	return errors.Join(errs...)
}

// lacks reports whether an error means that the kernel does not have something, as opposed to not telling.
func lacks(err error) bool {
	for _, e := range []error{unix.EOPNOTSUPP, unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT, unix.ENOENT} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// linkKind asks for a link with more queues than there can be: that is refused after the kind was found (and its module
// loaded), and before anything is made. A kind that is not there is refused first, with EOPNOTSUPP.
func (s *scratch) linkKind(kind string) error {
	req, err := rtnl.CreateLink(state.Link{Name: "probe", Kind: kindForProbe(kind)}, rtnl.LinkOptions{}, nil)
	if err != nil {
		return err
	}
	if kind != kindForProbe(kind) {
		req, err = rtnl.CreateCable(rtnl.End{Link: state.Link{Name: "probe", Kind: kind}}, rtnl.End{Link: state.Link{Name: "probe2", Kind: kind}}, nil)
		if err != nil {
			return err
		}
	}
	req.Data = appendU32(req.Data, unix.IFLA_NUM_TX_QUEUES, 1<<16)
	err = s.route.Batch([]nl.Request{req})[0]
	if errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	return nil
}

// kindForProbe is a kind that rtnl can make a single link of.
func kindForProbe(kind string) string {
	if kind == "veth" {
		return "bridge"
	}
	return kind
}

func (s *scratch) altname() error {
	req, err := rtnl.AddAltNames("lo", "warren.probe")
	if err != nil {
		return err
	}
	return s.route.Batch([]nl.Request{req})[0]
}

// isolated makes a bridge with a port and reads the port back: old kernels ignore the attributes that they do not know.
func (s *scratch) isolated() error {
	yes := true
	var reqs []nl.Request
	bridge, err := rtnl.CreateLink(state.Link{Name: "br", Kind: "bridge"}, rtnl.LinkOptions{}, nil)
	if err != nil {
		return err
	}
	cable, err := rtnl.CreateCable(rtnl.End{Link: state.Link{Name: "p", Kind: "veth"}}, rtnl.End{Link: state.Link{Name: "q", Kind: "veth"}}, nil)
	if err != nil {
		return err
	}
	reqs = append(reqs, bridge, cable)
	if err := errors.Join(s.route.Batch(reqs)...); err != nil {
		return err
	}
	sp := &space{route: s.route}
	sp.lookUp([]string{"br"})
	want := state.Link{Name: "p", Kind: "veth", Master: "br", Port: &state.BridgePort{Isolated: &yes}}
	first, err := rtnl.ChangeLink(state.Link{Name: "p", Kind: "veth"}, state.Link{Name: "p", Kind: "veth", Master: "br"}, &sp.names)
	if err != nil {
		return err
	}
	second, err := rtnl.ChangeLink(state.Link{Name: "p", Kind: "veth", Master: "br"}, want, &sp.names)
	if err != nil {
		return err
	}
	if err := errors.Join(s.route.Batch(append(first, second...))...); err != nil {
		return err
	}
	get, err := rtnl.GetLink("p")
	if err != nil {
		return err
	}
	for _, m := range s.route.Exchange([]nl.Request{get})[0].Messages {
		if l, err := rtnl.DecodeLink(m.Data, nil); err == nil && l.Port != nil && l.Port.Isolated != nil && *l.Port.Isolated {
			return nil
		}
	}
	return unix.EOPNOTSUPP
}

// nftables makes a table of both families with a chain for address translation.
func (s *scratch) nftables() error {
	conn, err := s.in.Netlink(unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer conn.Close()
	return nftProbe(conn)
}

func (s *scratch) ipv6() error {
	fd, err := s.in.Socket(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
