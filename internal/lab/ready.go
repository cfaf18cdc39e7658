package lab

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/probe"
	"warren/netns"
)

// Pauses between two looks whether a service is ready.
const (
	readyFirst = 2 * time.Millisecond
	readyLast  = 100 * time.Millisecond
)

// awaitReady returns nil when the service is ready, and why it is not when its time is over.
func (v *service) awaitReady(ctx context.Context) error {
	r := v.spec.Ready
	if r.Kind == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.within())
	defer cancel()
	if r.Kind == "log" {
		select {
		case <-v.heard:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s (%s): it has not written that", r.within(), r)
		}
	}
	look, done, err := v.looker()
	if err != nil {
		return fmt.Errorf("cannot tell when it is ready (%s): %w", r, err)
	}
	defer done()
	last := "nothing was seen of it"
	for pause := readyFirst; ; pause = min(2*pause, readyLast) {
		ok, detail := look(ctx)
		if ok {
			return nil
		}
		if ctx.Err() == nil {
			last = detail
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s (%s): %s", r.within(), r, last)
		case <-time.After(pause):
		}
	}
}

// looker returns what looks once.
func (v *service) looker() (look func(context.Context) (bool, string), done func(), err error) {
	done = func() {}
	r := v.spec.Ready
	if r.Kind == "cmd" {
		return v.runCheck, done, nil
	}
	h, err := v.open()
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = h.Close() }
	switch r.Kind {
	case "tcp", "udp":
		return func(context.Context) (bool, string) {
			bound, err := boundTo(h, r.Kind, r.Port)
			if err != nil {
				return false, err.Error()
			}
			return len(bound) > 0, "nobody listens there"
		}, done, nil
	case "http":
		return func(ctx context.Context) (bool, string) {
			bound, err := boundTo(h, "tcp", r.Port)
			if err != nil {
				return false, err.Error()
			}
			if len(bound) == 0 {
				return false, "nobody listens there"
			}
			res := probe.HTTP(ctx, h, probe.HTTPTarget{Addr: reachable(bound[0]), Port: r.Port, Path: r.Path}, probe.Options{Timeout: 2 * time.Second})
			return res.OK, res.Detail
		}, done, nil
	default:
		return nil, done, fmt.Errorf("unknown kind %q", r.Kind)
	}
}

func (v *service) open() (*netns.Handle, error) {
	if v.spec.NS == "" {
		return netns.Current()
	}
	return netns.OpenPath(v.spec.NS)
}

// reachable turns an address that somebody listens on into one to connect to.
func reachable(bound netip.Addr) netip.Addr {
	switch {
	case bound == netip.IPv4Unspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case bound == netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	default:
		return bound
	}
}

// boundTo returns the addresses on which a port is listened to (tcp) or bound (udp), from /proc/net/tcp and its like. Looking
// does not disturb the service as a connection would, and sees it on whatever address it listens.
func boundTo(h *netns.Handle, proto string, port uint16) ([]netip.Addr, error) {
	var out []netip.Addr
	err := h.Do(func() error {
		for _, suffix := range []string{"", "6"} {
			data, err := os.ReadFile("/proc/thread-self/net/" + proto + suffix)
			if err != nil {
				if os.IsNotExist(err) {
					continue // no IPv6 in this kernel
				}
				return err
			}
			out = append(out, parseBound(data, proto, port)...)
		}
		return nil
	})
	slices.SortFunc(out, netip.Addr.Compare)
	return out, err
}

// Socket states in /proc/net/tcp (include/net/tcp_states.h). An unconnected UDP socket has TCP_CLOSE.
const (
	tcpListen = "0A"
	udpBound  = "07"
)

func parseBound(data []byte, proto string, port uint16) []netip.Addr {
	want := tcpListen
	if proto == "udp" {
		want = udpBound
	}
	var out []netip.Addr
	for line := range bytes.Lines(data) {
		f := strings.Fields(string(line))
		if len(f) < 4 || f[3] != want {
			continue
		}
		host, p, ok := strings.Cut(f[1], ":")
		n, err := strconv.ParseUint(p, 16, 16)
		if !ok || err != nil || uint16(n) != port {
			continue
		}
		if a, ok := parseProcAddr(host); ok {
			out = append(out, a)
		}
	}
	return out
}

// parseProcAddr reads an address as the kernel prints it there: 32-bit words of the host's byte order.
func parseProcAddr(s string) (netip.Addr, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b)%4 != 0 {
		return netip.Addr{}, false
	}
	if isLittleEndian() {
		for i := 0; i < len(b); i += 4 {
			slices.Reverse(b[i : i+4])
		}
	}
	a, ok := netip.AddrFromSlice(b)
	return a.Unmap(), ok
}

// runCheck runs the command of "cmd" readiness once.
func (v *service) runCheck(ctx context.Context) (bool, string) {
	spec := v.spec
	spec.Argv = v.spec.Ready.Argv
	var ended <-chan exit
	pid, err := spawn(spec, v.s.dir.path, nil, func(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
		pid, c, err := v.s.reaper.fork(path, argv, attr)
		ended = c
		return pid, err
	})
	if err != nil {
		if ended != nil {
			<-ended
		}
		return false, err.Error()
	}
	select {
	case e := <-ended:
		if e.signal != 0 {
			return false, "the command was ended by " + unix.SignalName(e.signal)
		}
		return e.status == 0, fmt.Sprintf("the command's status is %d", e.status)
	case <-ctx.Done():
		v.s.reaper.signalGroup(pid, unix.SIGKILL)
		<-ended
		return false, "the command did not end"
	}
}
