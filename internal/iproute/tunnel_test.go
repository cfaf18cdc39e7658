package iproute_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/iproute"
	"warren/internal/kerneltest"
	"warren/netns"
)

// A tunnelCase is a command with what the kernel answers, what it was asked, and what iproute2 made of it.
type tunnelCase struct {
	words      []string
	get, sixRD []byte
	prl        []byte
	calls      []string
	code       int
	out, errs  string
}

func readTunnelCases(t *testing.T, path string) []tunnelCase {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	unquote := func(s string) string {
		u, err := strconv.Unquote(s)
		if err != nil {
			t.Fatal(err, s)
		}
		return u
	}
	var list []tunnelCase
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if key == "" || key == "#" {
			continue
		}
		if key == "$" {
			list = append(list, tunnelCase{words: strings.Fields(rest)})
			continue
		}
		c := &list[len(list)-1]
		switch key {
		case "get":
			c.get = unhex(rest)
		case "6rd":
			c.sixRD = unhex(rest)
		case "prl":
			c.prl = unhex(rest)
		case "call":
			c.calls = append(c.calls, rest)
		case "code":
			if c.code, err = strconv.Atoi(rest); err != nil {
				t.Fatal(err)
			}
		case "out":
			c.out = unquote(rest)
		case "err":
			c.errs = unquote(rest)
		default:
			t.Fatalf("no such line: %s", line)
		}
	}
	return list
}

// tunnelLinks makes links of the hardware types of tunnels, which every kernel has, in a namespace: their indexes were recorded.
func tunnelLinks(t *testing.T, name string) {
	t.Helper()
	h, err := netns.Create(t.Context(), netns.Dir+"/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	t.Cleanup(func() {
		if err := netns.Delete(context.WithoutCancel(t.Context()), netns.Dir+"/"+name); err != nil {
			t.Error(err)
		}
	})
	for _, typ := range []int{768, 778, 776, 769, 823} {
		err := h.Do(func() error {
			fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			req, err := unix.NewIfreq(fmt.Sprintf("t%d", typ))
			if err != nil {
				return err
			}
			req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
			if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
				return err
			}
			if err := unix.IoctlSetInt(fd, unix.TUNSETLINK, typ); err != nil {
				return err
			}
			return unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTunnels gives words to us that iproute2 6.1 was given, with the same answers of a kernel that has tunnels: what is asked of
// it and what is printed was recorded (testdata/tunnels.txt).
func TestTunnels(t *testing.T) {
	kerneltest.Need(t, "tun")
	leakCheck(t)
	const name = "tunnels"
	tunnelLinks(t, name)
	for i, c := range readTunnelCases(t, "testdata/tunnels.txt") {
		got := c
		got.calls = nil
		got.code, got.out, got.errs = iproute.Tunnel(append([]string{"-n", name}, c.words...), func(request uint, name string, data []byte) error {
			if request == 0 {
				return unix.ENOTTY
			}
			asked := data
			const getPRL, get, get6RD = 0x89f4, 0x89f0, 0x89f8
			if request == getPRL {
				asked = data[:16]
			}
			got.calls = append(got.calls, fmt.Sprintf("%x %s %x", request, name, asked))
			switch request {
			case get:
				copy(data, c.get)
			case get6RD:
				copy(data, c.sixRD)
			case getPRL:
				copy(data, c.prl)
			}
			return nil
		})
		if d := cmp.Diff(c, got, cmp.AllowUnexported(tunnelCase{})); d != "" {
			t.Errorf("%d: ip %s:\n%s", i, strings.Join(c.words, " "), d)
		}
	}
}
