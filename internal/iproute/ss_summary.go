package iproute

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A ssCounts holds the numbers of /proc/net/sockstat and its like by section and key: "TCP" "inuse".
type ssCounts map[string]map[string]int

// readCounts reads the format of /proc/net/sockstat: "TCP: inuse 3 orphan 0".
func (c ssCounts) read(text string) {
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		if len(w) == 0 {
			continue
		}
		section := strings.TrimSuffix(w[0], ":")
		if c[section] == nil {
			c[section] = map[string]int{}
		}
		for i := 1; i+1 < len(w); i += 2 {
			if n, err := strconv.Atoi(w[i+1]); err == nil {
				c[section][w[i]] = n
			}
		}
	}
}

// currentConnections reads Tcp: CurrEstab of /proc/net/snmp, where a line of names goes before a line of numbers.
func currentConnections(text string) int {
	var names []string
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		if len(w) == 0 || w[0] != "Tcp:" {
			continue
		}
		if names == nil {
			names = w
			continue
		}
		for i, name := range names {
			if name == "CurrEstab" && i < len(w) {
				if n, err := strconv.Atoi(w[i]); err == nil {
					return n
				}
			}
		}
	}
	return 0
}

// ssTotals is what -s shows.
type ssTotals struct {
	Sockets  int `json:"sockets"`
	TCP      int `json:"tcp"`
	Estab    int `json:"established"`
	Closed   int `json:"closed"`
	Orphaned int `json:"orphaned"`
	TimeWait int `json:"timewait"`

	TCP4  int `json:"tcp4"`
	TCP6  int `json:"tcp6"`
	UDP4  int `json:"udp4"`
	UDP6  int `json:"udp6"`
	Raw4  int `json:"raw4"`
	Raw6  int `json:"raw6"`
	Frag4 int `json:"frag4"`
	Frag6 int `json:"frag6"`
}

func (s *ss) totals() ssTotals {
	counts := ssCounts{}
	estab := 0
	err := s.space().Do(func() error {
		for _, name := range []string{"sockstat", "sockstat6"} {
			b, err := os.ReadFile("/proc/thread-self/net/" + name)
			if err != nil {
				continue // no IPv6
			}
			counts.read(string(b))
		}
		b, err := os.ReadFile("/proc/thread-self/net/snmp")
		if err == nil {
			estab = currentConnections(string(b))
		}
		return err
	})
	if err != nil {
		fmt.Fprintf(s.stdio.Err, "ss: get_snmpstat: %s\n", errnoText(err))
	}
	tcp := counts["TCP"]
	t := ssTotals{
		Sockets: counts["sockets"]["used"], Estab: estab, Orphaned: tcp["orphan"], TimeWait: tcp["tw"],
		TCP4: tcp["inuse"], TCP6: counts["TCP6"]["inuse"], UDP4: counts["UDP"]["inuse"], UDP6: counts["UDP6"]["inuse"],
		Raw4: counts["RAW"]["inuse"], Raw6: counts["RAW6"]["inuse"], Frag4: counts["FRAG"]["inuse"], Frag6: counts["FRAG6"]["inuse"],
	}
	t.TCP = tcp["alloc"] + t.TimeWait
	t.Closed = tcp["alloc"] - (t.TCP4 + t.TCP6 - t.TimeWait)
	return t
}

// summary is -s.
func (s *ss) summary() {
	t := s.totals()
	w := s.stdio.Out
	fmt.Fprintf(w, "Total: %d\n", t.Sockets)
	fmt.Fprintf(w, "TCP:   %d (estab %d, closed %d, orphaned %d, timewait %d)\n\n", t.TCP, t.Estab, t.Closed, t.Orphaned, t.TimeWait)
	fmt.Fprintln(w, "Transport Total     IP        IPv6")
	for _, l := range []struct {
		name   string
		v4, v6 int
	}{
		{"RAW", t.Raw4, t.Raw6},
		{"UDP", t.UDP4, t.UDP6},
		{"TCP", t.TCP4, t.TCP6},
		{"INET", t.Raw4 + t.UDP4 + t.TCP4, t.Raw6 + t.UDP6 + t.TCP6},
		{"FRAG", t.Frag4, t.Frag6},
	} {
		fmt.Fprintf(w, "%s\t  %-9d %-9d %-9d\n", l.name, l.v4+l.v6, l.v4, l.v6)
	}
	fmt.Fprintln(w)
}
