package draw

import (
	"fmt"
	"strconv"
	"strings"

	"warren/state"
)

func (p *page) links() {
	if len(p.n.Links) == 0 {
		return
	}
	p.title("links")
	var rows [][]string
	for i := range p.n.Links {
		l := &p.n.Links[i]
		kind := l.Kind
		switch {
		case kind == "" && l.Name == "lo":
			kind = "loopback"
		case kind == "":
			kind = "device"
		}
		row := []string{l.Name, linkState(l), kind, "mtu " + strconv.FormatUint(uint64(l.MTU), 10), l.MAC.String()}
		rows = append(rows, append(row, strings.Join(linkDetails(l), ", ")))
		for _, a := range p.n.Addrs {
			if a.Link == l.Name {
				rows = append(rows, []string{"  " + AddrText(a)})
			}
		}
	}
	p.columnsAligned(rows)
}

// columnsAligned is columns, with rows of one cell (addresses, below their link) that count for no column's width, and the
// second column red unless it is "up".
func (p *page) columnsAligned(rows [][]string) {
	var wide []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			if len(r) > 1 {
				wide[i] = max(wide[i], width(printable(c)))
			}
		}
	}
	for _, r := range rows {
		for i := range r {
			r[i] = printable(r[i])
			if len(r) > 1 && i < len(r)-1 {
				r[i] += strings.Repeat(" ", max(0, wide[i]-width(printable(r[i]))))
			}
		}
		line := "  " + strings.Join(r, "  ")
		if len(r) > 1 && strings.TrimSpace(r[1]) != "up" {
			r[1] = p.red(strings.TrimRight(r[1], " ")) + strings.Repeat(" ", len(r[1])-len(strings.TrimRight(r[1], " ")))
			line = "  " + strings.Join(r, "  ")
		}
		p.b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

const iffLowerUp = 0x10000 // IFF_LOWER_UP, linux/if.h

func linkState(l *state.Link) string {
	switch {
	case !l.Up:
		return "down"
	case l.OperState == "LOWERLAYERDOWN", l.OperState == "DOWN", l.Flags != 0 && l.Flags&iffLowerUp == 0:
		return "no-carrier"
	}
	return "up"
}

// linkDetails says where a link leads and what is special about it.
func linkDetails(l *state.Link) []string {
	var d []string
	if l.Peer != nil {
		d = append(d, "-> "+peerText(l.Peer))
	}
	if l.Lower != nil {
		d = append(d, "on "+peerText(l.Lower))
	}
	if l.Master != "" {
		d = append(d, "port of "+printable(l.Master)+portState(l.Port))
	}
	switch {
	case l.VXLAN != nil:
		s := fmt.Sprintf("vni %d", l.VXLAN.ID)
		if l.VXLAN.Remote.IsValid() {
			s += " remote " + l.VXLAN.Remote.String()
		}
		d = append(d, s)
	case l.VLAN != nil:
		d = append(d, fmt.Sprintf("vlan %d", l.VLAN.ID))
	case l.MACVLAN != nil:
		d = append(d, "mode "+l.MACVLAN.Mode)
	case l.IPVLAN != nil:
		d = append(d, "mode "+l.IPVLAN.Mode)
	case l.Tun != nil:
		d = append(d, l.Tun.Mode)
	case l.Bridge != nil && l.Bridge.VLANFiltering != nil && *l.Bridge.VLANFiltering:
		d = append(d, "vlan filtering")
	}
	if len(l.AltNames) > 0 {
		d = append(d, "also "+printable(strings.Join(l.AltNames, " ")))
	}
	if l.Alias != "" {
		d = append(d, fmt.Sprintf("alias %q", l.Alias))
	}
	if l.XDP != "" {
		d = append(d, "XDP "+l.XDP)
	}
	if len(l.BPF) > 0 {
		d = append(d, "BPF "+strings.Join(l.BPF, " "))
	}
	return d
}

// peerText says where the other end is: NAMESPACE NAME, as much of it as is known.
func peerText(p *state.Peer) string {
	name := p.Name
	if name == "" {
		name = fmt.Sprintf("if%d", p.Index)
	}
	switch {
	case p.NS != "":
		return printable(p.NS + " " + name)
	case p.NSID >= 0:
		return printable(fmt.Sprintf("unknown namespace (id %d) %s", p.NSID, name))
	}
	return printable(name)
}

func portState(b *state.BridgePort) string {
	if b == nil || b.State == nil {
		return ""
	}
	s := ""
	if words := []string{"disabled", "listening", "learning", "", "blocking"}; int(*b.State) < len(words) {
		s = words[*b.State]
	}
	if b.Isolated != nil && *b.Isolated {
		s = strings.TrimSpace(s + " isolated")
	}
	if s != "" {
		return " (" + s + ")"
	}
	return ""
}

// AddrText is an address with what is special about it: its peer, its scope, what is wrong with it.
func AddrText(a state.Addr) string {
	w := []string{a.Prefix.String()}
	if a.Peer.IsValid() {
		w = append(w, "peer", a.Peer.String())
	}
	switch a.Scope {
	case 0:
	case 253:
		w = append(w, "link-local")
	case 254:
		w = append(w, "host")
	default:
		w = append(w, fmt.Sprintf("scope %d", a.Scope))
	}
	for _, f := range []struct {
		bit  uint32
		word string
	}{{state.AddrTentative, "tentative"}, {state.AddrDADFailed, "duplicate"}, {state.AddrDeprecated, "deprecated"}} {
		if a.Flags&f.bit != 0 {
			w = append(w, f.word)
		}
	}
	return strings.Join(w, " ")
}

func (p *page) counters() {
	var rows [][]string
	for _, l := range p.n.Links {
		if l.Stats == nil {
			continue
		}
		st := l.Stats
		rows = append(rows, []string{
			l.Name,
			"in " + Bytes(st.RxBytes), packets(st.RxPackets), faults(st.RxErrors, st.RxDropped),
			"out " + Bytes(st.TxBytes), packets(st.TxPackets), faults(st.TxErrors, st.TxDropped),
		})
	}
	if len(rows) > 0 {
		p.title("counters")
		p.columns(rows)
	}
}

func packets(n uint64) string {
	if n == 1 {
		return "1 packet"
	}
	return Packets(n) + " packets"
}

func faults(errors, drops uint64) string {
	var parts []string
	if errors > 0 {
		parts = append(parts, Packets(errors)+" errors")
	}
	if drops > 0 {
		parts = append(parts, Packets(drops)+" dropped")
	}
	return strings.Join(parts, " ")
}

// Bytes is a number of bytes as people read it: three digits and a unit of 1,000.
func Bytes(n uint64) string { return scaled(n, "B") }

// Packets is a number with three digits and a unit of 1,000.
func Packets(n uint64) string { return scaled(n, "") }

func scaled(n uint64, unit string) string {
	if n < 1000 {
		return strings.TrimSpace(strconv.FormatUint(n, 10) + " " + unit)
	}
	f, prefix := float64(n), -1
	for f >= 999.5 && prefix < 5 {
		f /= 1000
		prefix++
	}
	digits := 0
	switch {
	case f < 9.995:
		digits = 2
	case f < 99.95:
		digits = 1
	}
	return strings.TrimSpace(strconv.FormatFloat(f, 'f', digits, 64) + " " + "kMGTPE"[prefix:prefix+1] + unit)
}
