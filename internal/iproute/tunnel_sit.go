package iproute

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A tunnelRouter is an entry of the list of possible routers of an ISATAP tunnel (struct ip_tunnel_prl).
type tunnelRouter struct {
	Addr  [4]byte
	Flags uint16
	_     uint16
	Len   uint32 // of what follows, in the first entry of a question
	_     uint32
}

// routerDefault marks the default one.
const routerDefault = 1

// A tunnelDeployment are the prefixes of IPv6 rapid deployment (struct ip_tunnel_6rd, RFC 5969).
type tunnelDeployment struct {
	Prefix              [16]byte
	Relay               [4]byte
	PrefixLen, RelayLen uint16
}

// general is a request whose refusal names the request.
func (t *tunnelCommand) general(request uint, name string, data []byte, quiet error) error {
	err := t.ioctl(request, name, data)
	if err != nil && (quiet == nil || !errors.Is(err, quiet)) {
		t.hint(fmt.Sprintf("%s: ioctl %x failed: %s", name, request, errnoText(err)))
	}
	return err
}

// deviceWord reads the name of a link after "dev".
func deviceWord(w *words) string {
	name := w.next()
	if !goodLinkName(name, unix.IFNAMSIZ-1) {
		invalid("\"dev\" not a valid ifname", name)
	}
	return name
}

// routers is "ip tunnel prl".
func (t *tunnelCommand) routers(w *words) {
	var r tunnelRouter
	var request uint
	name, n := "", 0
	for ; w.more(); w.skip() {
		switch word := w.peek(); word {
		case "prl-default", "prl-nodefault", "prl-delete":
			request = prlAdd
			r.Addr = address4(w.next())
			switch word {
			case "prl-default":
				r.Flags |= routerDefault
			case "prl-delete":
				request = prlDel
			}
			n++
		case "dev":
			name = deviceWord(w)
		default:
			die("Invalid PRL parameter \"%s\"", word)
		}
		if n > 1 {
			die("One PRL entry at a time")
		}
	}
	if name == "" {
		die("Must specify device")
	}
	if t.general(request, name, tunnelLayout(r), nil) != nil {
		fail(exitFailed, "")
	}
}

// deployment is "ip tunnel 6rd".
func (t *tunnelCommand) deployment(w *words) {
	var d tunnelDeployment
	var request uint
	name := ""
	for ; w.more(); w.skip() {
		switch word := w.peek(); word {
		case "6rd-prefix":
			request = sixRDAdd
			p := prefix(w.next(), unix.AF_INET6)
			if p.addr.IsValid() {
				d.Prefix = p.addr.As16()
			}
			d.PrefixLen = uint16(p.bits)
		case "6rd-relay_prefix":
			request = sixRDAdd
			p := prefix(w.next(), unix.AF_INET)
			if p.addr.IsValid() {
				d.Relay = p.addr.As4()
			}
			d.RelayLen = uint16(p.bits)
		case "6rd-reset":
			request = sixRDDel
		case "dev":
			name = deviceWord(w)
		default:
			die("Invalid 6RD parameter \"%s\"", word)
		}
	}
	if name == "" {
		die("Must specify device")
	}
	if t.general(request, name, tunnelLayout(d), nil) != nil {
		fail(exitFailed, "")
	}
}

func (t *tunnelCommand) printRouters(p *printer, name string) {
	const most = 16
	size := binary.Size(tunnelRouter{})
	b := make([]byte, most*size)
	copy(b, tunnelLayout(tunnelRouter{Len: uint32((most - 1) * size)}))
	if t.general(tunnelPRL, name, b, nil) != nil {
		return
	}
	for b = b[size:]; len(b) > 0; b = b[size:] {
		var r tunnelRouter
		readTunnel(b, &r)
		if r.Addr == [4]byte{} {
			continue
		}
		key := "pr"
		if r.Flags&routerDefault != 0 {
			key = "pdr"
		}
		p.str(key, " "+key+" %s", netip.AddrFrom4(r.Addr).String())
	}
}

func (t *tunnelCommand) printDeployment(p *printer, name string) {
	b := make([]byte, binary.Size(tunnelDeployment{}))
	if t.general(tunnel6RD, name, b, unix.EINVAL) != nil {
		return
	}
	var d tunnelDeployment
	readTunnel(b, &d)
	if d.PrefixLen == 0 {
		return
	}
	p.str("6rd-prefix", " 6rd-prefix %s", ntop(netip.AddrFrom16(d.Prefix)))
	num(p, "6rd-prefixlen", "/%d", d.PrefixLen)
	if d.Relay != [4]byte{} {
		p.str("6rd-relay_prefix", " 6rd-relay_prefix %s", netip.AddrFrom4(d.Relay).String())
		num(p, "6rd-relay_prefixlen", "/%d", d.RelayLen)
	}
}
