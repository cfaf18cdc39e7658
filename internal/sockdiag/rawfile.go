package sockdiag

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// ReadRawFile reads the raw sockets of a namespace from /proc/net/raw or raw6, where the kernel has no raw_diag. It tells
// less: no link, no mark, not what the queue's limits are. A namespace without the protocol has none.
func ReadRawFile(h *netns.Handle, family uint8) ([]Inet, error) {
	name := "raw"
	if family == unix.AF_INET6 {
		name = "raw6"
	}
	var b []byte
	err := h.Do(func() (err error) {
		b, err = os.ReadFile("/proc/thread-self/net/" + name)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s sockets: %w", name, err)
	}
	return DecodeRawFile(b, family)
}

// DecodeRawFile reads the format of /proc/net/raw (proc_pid_net(5)).
func DecodeRawFile(b []byte, family uint8) ([]Inet, error) {
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Scan() // the heading
	var list []Inet
	for lines.Scan() {
		s, err := rawLine(lines.Text(), family)
		if err != nil {
			return list, fmt.Errorf("raw socket: %w: %q", ErrMalformed, lines.Text())
		}
		list = append(list, s)
	}
	return list, lines.Err()
}

// rawLine reads "sl local remote st tx:rx tr:when retransmits uid timeout inode ref pointer drops".
func rawLine(line string, family uint8) (s Inet, err error) {
	f := strings.Fields(line)
	if len(f) < 10 {
		return s, ErrMalformed
	}
	s.Family = family
	if s.Local, err = rawAddr(f[1], family); err != nil {
		return s, err
	}
	if s.Remote, err = rawAddr(f[2], family); err != nil {
		return s, err
	}
	var out [5]uint64
	tx, rx, ok := strings.Cut(f[4], ":")
	if !ok {
		return s, ErrMalformed
	}
	for i, w := range []struct {
		text string
		base int
		bits int
	}{{f[3], 16, 8}, {tx, 16, 32}, {rx, 16, 32}, {f[7], 10, 32}, {f[9], 10, 32}} {
		if out[i], err = strconv.ParseUint(w.text, w.base, w.bits); err != nil {
			return s, err
		}
	}
	s.Status, s.WriteQueue, s.ReadQueue = Status(out[0]), uint32(out[1]), uint32(out[2])
	s.UID, s.Inode = uint32(out[3]), uint32(out[4])
	return s, nil
}

// rawAddr reads "0100007F:0001": words of the machine, in which an address in network order lies.
func rawAddr(text string, family uint8) (netip.AddrPort, error) {
	host, port, ok := strings.Cut(text, ":")
	b, err := hex.DecodeString(host)
	want := 4
	if family == unix.AF_INET6 {
		want = 16
	}
	if err != nil || !ok || len(b) != want {
		return netip.AddrPort{}, ErrMalformed
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i < len(b); i += 4 {
		native.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	addr, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr, uint16(n)), nil
}
