package kernel

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/state"
)

// readAgents looks for what decides about packets besides all that is modelled, in the namespace that the calling thread is
// in: policies of IPsec, virtual services, legacy tables for ARP, BPF programs. Nothing is made by looking. The sockets must
// have been read before.
func (o *observation) readAgents(r *reading, files *netFiles) error {
	xfrm, err := o.readXFRM()
	errs := []error{err}
	c := &r.ns.Contents
	c.Agents = xfrm
	if b, err := files.read("arp_tables_names"); err == nil {
		for name := range strings.FieldsSeq(string(b)) {
			c.Agents = append(c.Agents, state.Agent{Kind: "arptables", Name: "table " + name})
		}
	}
	if b, err := files.read("ip_vs"); err == nil {
		services, err := DecodeIPVS(b)
		c.Agents, errs = append(c.Agents, services...), append(errs, err)
	}
	// An expectation belongs to a connection: where the table was read and is empty there is none.
	if len(c.Conntrack) > 0 || !r.ns.Read.Has(state.PartConntrack) {
		if b, err := files.read("nf_conntrack_expect"); err == nil {
			c.Agents = append(c.Agents, DecodeExpectations(b)...)
		}
	}
	for _, id := range queryPrograms(r.handle.FD(), bpfSKLookup, 0) {
		c.Agents = append(c.Agents, state.Agent{Kind: "sk-lookup-bpf", Name: fmt.Sprintf("BPF program %d", id)})
	}
	groups, err := o.groupAgents(r, o.query.PartsOf(r.place.key))
	c.Agents, errs = append(c.Agents, groups...), append(errs, err)
	links, err := o.linkAgents(r)
	c.Agents, errs = append(c.Agents, links...), append(errs, err)
	return errors.Join(errs...)
}

// DecodeExpectations reads /proc/net/nf_conntrack_expect: connections that helpers wait for. Ports and addresses that are zero
// are not compared.
func DecodeExpectations(b []byte) (list []state.Agent) {
	for line := range bytes.Lines(b) {
		a := state.Agent{Kind: "expectation"}
		words := strings.Fields(string(line))
		for _, w := range words {
			key, v, _ := strings.Cut(w, "=")
			n, _ := strconv.ParseUint(v, 10, 16)
			ip, _ := netip.ParseAddr(v)
			switch {
			case key == "proto":
				a.Proto = uint8(n)
			case key == "sport":
				a.SPort = uint16(n)
			case key == "dport":
				a.DPort = uint16(n)
			case key == "src" && ip.IsValid() && !ip.IsUnspecified():
				a.Src = netip.PrefixFrom(ip, ip.BitLen())
			case key == "dst" && ip.IsValid() && !ip.IsUnspecified():
				a.Dst = netip.PrefixFrom(ip, ip.BitLen())
			}
		}
		if len(words) < 4 || !a.Dst.IsValid() {
			continue
		}
		a.Name = "expectation " + strings.Join(words[1:], " ")
		list = append(list, a)
	}
	return list
}

// errIPVS says that a line is no virtual service.
var errIPVS = errors.New("malformed virtual service")

// DecodeIPVS reads /proc/net/ip_vs: addresses and ports in hexadecimal, IPv6 in brackets, marks as FWM.
func DecodeIPVS(b []byte) ([]state.Agent, error) {
	var list []state.Agent
	var errs []error
	for line := range bytes.Lines(b) {
		f := strings.Fields(string(line))
		if len(f) < 3 || !slices.Contains([]string{"TCP", "UDP", "SCTP", "FWM"}, f[0]) {
			continue
		}
		a := state.Agent{Kind: "ipvs", Name: "virtual service " + f[0] + " " + f[1]}
		if f[0] == "FWM" {
			mark, err := strconv.ParseUint(f[1], 16, 32)
			a.Mark = uint32(mark)
			if a.Name = fmt.Sprintf("virtual service of mark %d", mark); err != nil {
				errs = append(errs, fmt.Errorf("%w: %q", errIPVS, line))
				continue
			}
			list = append(list, a)
			continue
		}
		a.Proto = map[string]uint8{"TCP": unix.IPPROTO_TCP, "UDP": unix.IPPROTO_UDP, "SCTP": unix.IPPROTO_SCTP}[f[0]]
		i := strings.LastIndexByte(f[1], ':')
		ip, port := netip.Addr{}, uint64(0)
		var err error
		if i > 0 {
			port, err = strconv.ParseUint(f[1][i+1:], 16, 16)
			if host := f[1][:i]; strings.HasPrefix(host, "[") {
				ip, _ = netip.ParseAddr(strings.Trim(host, "[]"))
			} else if raw, bad := hex.DecodeString(host); bad == nil {
				ip, _ = netip.AddrFromSlice(raw)
			}
		}
		if !ip.IsValid() || err != nil {
			errs = append(errs, fmt.Errorf("%w: %q", errIPVS, line))
			continue
		}
		a.Dst, a.DPort = netip.PrefixFrom(ip, ip.BitLen()), uint16(port)
		a.Name = "virtual service " + strings.ToLower(f[0]) + " " + netip.AddrPortFrom(ip, uint16(port)).String()
		list = append(list, a)
	}
	return list, errors.Join(errs...)
}
