package iproute

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A ssService is a line of /etc/services (services(5)).
type ssService struct {
	names    []string
	port     int
	protocol string
}

type ssServices []ssService

// services reads /etc/services, once.
func (s *ss) services() ssServices {
	if s.known == nil {
		s.known = readServices("/etc/services")
	}
	return s.known
}

// readServices reads a file in the format of services(5); one that is not there has none.
func readServices(path string) ssServices {
	list := ssServices{}
	f, err := os.Open(path)
	if err != nil {
		return list
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		port, protocol, ok := strings.Cut(w[1], "/")
		n, err := strconv.ParseUint(port, 10, 16)
		if !ok || err != nil {
			continue
		}
		list = append(list, ssService{append(w[:1:1], w[2:]...), int(n), protocol})
	}
	return list
}

func (l ssServices) byPort(port int64, protocol string) (string, bool) {
	for _, e := range l {
		if int64(e.port) == port && (protocol == "" || e.protocol == protocol) {
			return e.names[0], true
		}
	}
	return "", false
}

func (l ssServices) byName(name, protocol string) (int, bool) {
	for _, e := range l {
		if e.protocol != protocol {
			continue
		}
		if slices.Contains(e.names, name) {
			return e.port, true
		}
	}
	return 0, false
}

// readProtocols reads the numbers in a file in the format of protocols(5).
func readProtocols(path string) map[int64]string {
	list := map[int64]string{}
	b, err := os.ReadFile(path)
	if err != nil {
		return list
	}
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		if n, err := strconv.ParseUint(w[1], 10, 16); err == nil {
			if _, taken := list[int64(n)]; !taken {
				list[int64(n)] = w[0]
			}
		}
	}
	return list
}

// service is a port as it is printed: by name, unless it is one that the kernel gives to those who ask for none.
func (s *ss) service(port int64) string {
	number := strconv.FormatInt(port, 10)
	switch {
	case port == 0:
		return "*"
	case s.opt.numeric:
		return number
	case s.portsOf == "raw":
		if s.protocols == nil {
			s.protocols = readProtocols("/etc/protocols")
		}
		if name, ok := s.protocols[port]; ok {
			return name
		}
		return "ipproto-" + number
	case s.ephemeral(port):
		return number
	}
	if name, ok := s.services().byPort(port, s.portsOf); ok {
		return name
	}
	return number
}

// ephemeral reports whether the kernel gives this port to those who ask for none.
func (s *ss) ephemeral(port int64) bool {
	if s.autoPorts == [2]int64{} {
		s.autoPorts = [2]int64{1024, 4999}
		if text, err := s.space().Sysctl("net/ipv4/ip_local_port_range"); err == nil {
			w := strings.Fields(text)
			if len(w) == 2 {
				low, err1 := strconv.ParseInt(w[0], 10, 32)
				high, err2 := strconv.ParseInt(w[1], 10, 32)
				if err1 == nil && err2 == nil {
					s.autoPorts = [2]int64{low, high}
				}
			}
		}
	}
	return port >= s.autoPorts[0] && port <= s.autoPorts[1]
}
