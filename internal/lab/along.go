package lab

import (
	"errors"
	"io/fs"
	"slices"

	"warren/state"
)

// along finds the sysctls that change with one:
//
//   - Writing net/ipv4/ip_forward (the same value as net/ipv4/conf/all/forwarding) sets forwarding of every interface and
//     of "default", and the opposite as accept_redirects of "all" (inet_forward_change, net/ipv4/devinet.c): writing 1
//     and then 0 would end the forwarding of an interface that had it before.
//   - Writing net/ipv6/conf/all/forwarding sets forwarding of every interface (addrconf_fixup_forwarding,
//     net/ipv6/addrconf.c). An interface that accepts router advertisements with accept_ra=1 does so only while it does
//     not forward, and loses its default route at once; with accept_ra=2 it keeps it, so that is set first.
func (l *Ledger) along(w state.Sysctl, former string) ([]Along, error) {
	switch {
	case former == w.Value:
		return nil, nil
	case w.Key == "net/ipv4/ip_forward", w.Key == "net/ipv4/conf/all/forwarding":
		out, err := l.interfaces("net/ipv4/conf", w.Value)
		if err != nil {
			return nil, err
		}
		opposite := "1"
		if w.Value != "0" {
			opposite = "0"
		}
		const redirects = "net/ipv4/conf/all/accept_redirects"
		switch now, err := l.sys.Read(redirects); {
		case err == nil:
			out = append(out, Along{Key: redirects, Ours: opposite, Former: now})
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		return out, nil
	case w.Key == "net/ipv6/conf/all/forwarding":
		out, err := l.interfaces("net/ipv6/conf", w.Value)
		if err != nil || w.Value == "0" {
			return out, err
		}
		names, err := l.names("net/ipv6/conf")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if name == "default" || name == "lo" {
				continue
			}
			accept, err := l.sys.Read("net/ipv6/conf/" + name + "/accept_ra")
			if err != nil || accept != "1" {
				continue
			}
			forwards, err := l.sys.Read("net/ipv6/conf/" + name + "/forwarding")
			if err != nil || forwards != "0" {
				continue // it does not accept any now
			}
			out = append(out, Along{Key: "net/ipv6/conf/" + name + "/accept_ra", Ours: "2", Former: "1", First: true})
		}
		return out, nil
	default:
		return nil, nil
	}
}

// interfaces returns the forwarding of every interface and of "default".
func (l *Ledger) interfaces(dir, ours string) ([]Along, error) {
	names, err := l.names(dir)
	if err != nil {
		return nil, err
	}
	var out []Along
	for _, name := range names {
		key := dir + "/" + name + "/forwarding"
		now, err := l.sys.Read(key)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since
		}
		if err != nil {
			return nil, err
		}
		out = append(out, Along{Key: key, Ours: ours, Former: now})
	}
	return out, nil
}

// names are the interfaces and "default", sorted, without "all".
func (l *Ledger) names(dir string) ([]string, error) {
	names, err := l.sys.List(dir)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "all" })
	slices.Sort(names)
	return names, nil
}
