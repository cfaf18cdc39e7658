package wayout_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/wayout"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

func TestArguments(t *testing.T) {
	p := netip.MustParsePrefix("10.254.7.0/24")
	for _, tt := range []struct {
		tool     string
		ip4, ip6 bool
		want     string
	}{
		{"pasta", true, false, "-a 10.254.7.2 -n 24 -g 10.254.7.1 --dns-forward 10.254.7.3 -4 4711"},
		{"pasta", true, true, "--dns-forward 10.254.7.3 -a fd57:6172:7265::2 -g fe80::1 4711"},
		{"pasta", false, true, "-6 -a fd57:6172:7265::2 -g fe80::1 4711"},
		{"pasta", true, true, "--no-map-gw -t none -u none -T none -U none"},
		{"slirp4netns", true, true, "--disable-host-loopback --cidr=10.254.7.0/24 4711 outside"},
	} {
		argv := wayout.Argv(tt.tool, 4711, p, tt.ip4, tt.ip6)
		if got := strings.Join(argv, " "); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s in it", tt.tool, got, tt.want)
		}
		want := p
		if !tt.ip4 {
			want = netip.Prefix{}
		}
		if got := wayout.ParsePrefix(argv); got != want {
			t.Errorf("%s: whoever adopts it reads prefix %s, want %s", tt.tool, got, want)
		}
	}
}

func TestFreePrefix(t *testing.T) {
	prefixes := func(list ...string) (out []netip.Prefix) {
		for _, s := range list {
			out = append(out, netip.MustParsePrefix(s))
		}
		return out
	}
	for _, tt := range []struct {
		used []netip.Prefix
		want string
	}{
		{nil, "10.254.255.0/24"},
		{prefixes("192.168.0.0/16", "10.0.0.0/16"), "10.254.255.0/24"},
		{prefixes("10.254.255.128/25"), "10.254.254.0/24"},
		{prefixes("10.254.128.0/17"), "10.254.127.0/24"},
		{prefixes("10.0.0.0/8"), "198.18.255.0/24"},
	} {
		if got := wayout.FreePrefix(tt.used); got.String() != tt.want {
			t.Errorf("beside %v: %s, want %s", tt.used, got, tt.want)
		}
	}
}

// TestDefaults reads routes as /proc/net shows them.
func TestDefaults(t *testing.T) {
	const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
	route := func(name, dst, flags, mask string) string {
		return strings.Join([]string{name, dst, "010200C0", flags, "0", "0", "0", mask, "0", "0", "0"}, "\t") + "\n"
	}
	zeros := strings.Repeat("0", 32)
	route6 := func(dst, length, flags, name string) string {
		return strings.Join([]string{dst, length, zeros, "00", zeros, "00000400", "00000001", "00000000", flags, name}, " ") + "\n"
	}
	for _, tt := range []struct {
		name, text string
		read       func(string) []string
		want       []string
	}{
		{"none", head, wayout.Defaults4, nil},
		{"one", head + route("eth0", "00000000", "0003", "00000000") + route("eth0", "000200C0", "0001", "00FFFFFF"), wayout.Defaults4, []string{"eth0"}},
		{"half-of-all", head + route("tun0", "00000000", "0003", "00000080"), wayout.Defaults4, nil},
		{"down", head + route("eth0", "00000000", "0002", "00000000"), wayout.Defaults4, nil},
		{"unreachable", head + route("*", "00000000", "0201", "00000000"), wayout.Defaults4, nil},
		{"short", head + "eth0\t00000000\n", wayout.Defaults4, nil},
		{"one6", route6(zeros, "00", "00000003", "eth0"), wayout.Defaults6, []string{"eth0"}},
		{"net6", route6("20010db8"+strings.Repeat("0", 24), "40", "00000001", "eth0"), wayout.Defaults6, nil},
		{"loopback6", route6(zeros, "00", "00200200", "lo"), wayout.Defaults6, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "route")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.read(path)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	if got := wayout.Defaults4("/nonexistent"); got != nil {
		t.Errorf("a file that is not there: %v", got)
	}
}

// TestFaults: an error that came through a socket is still the kernel's.
func TestFaults(t *testing.T) {
	addr := netip.MustParseAddrPort("0.0.0.0:443")
	for _, tt := range []struct {
		errno wayout.Errno
		want  string
	}{
		{unix.EACCES, "sysctl -w net.ipv4.ip_unprivileged_port_start=443"},
		{unix.EADDRNOTAVAIL, "no such address"},
		{unix.EADDRINUSE, "somebody has it"},
		{unix.EMFILE, "too many open files"},
	} {
		err := wayout.Fault(fmt.Errorf("bind: %w", wayout.Explain(tt.errno, "tcp", addr)))
		if !errors.Is(err, tt.errno) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v does not say %q", tt.errno, err, tt.want)
		}
	}
	if err := wayout.Fault(errors.New("text")); errors.Is(err, unix.EACCES) || err.Error() != "text" {
		t.Error(err)
	}
}

// TestNobodyThere: without an agent every call says so.
func TestNobodyThere(t *testing.T) {
	kerneltest.LeakCheck(t)
	c := wayout.Client{Dir: t.TempDir()}
	if _, err := c.Open(t.Context()); !errors.Is(err, wayout.ErrNoAgent) {
		t.Errorf("Open: %v", err)
	}
	if _, err := c.Listen(t.Context(), "tcp", netip.MustParseAddrPort("127.0.0.1:0")); !errors.Is(err, wayout.ErrNoAgent) {
		t.Errorf("Listen: %v", err)
	}
	if err := wayout.End(c.Dir, "token"); err != nil {
		t.Errorf("End: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := wayout.Publish(ctx, c.Dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Publish: %v", err)
	}
	if left, err := os.ReadDir(c.Dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestIsAgent(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want bool
	}{
		{nil, false},
		{[]string{"warren"}, false},
		{[]string{"warren", "up"}, false},
		{[]string{"warren", "@outside", "/d", "t", "1"}, true},
		{[]string{"warren", "@relay", "/d", "/l"}, true},
	} {
		if got := wayout.IsAgent(tt.args); got != tt.want {
			t.Errorf("%q: %v", tt.args, got)
		}
	}
	if got := wayout.Main([]string{"warren", "@outside"}); got != 2 {
		t.Errorf("an agent without arguments: status %d", got)
	}
	if argv := wayout.RelayArgv("/d", "/l"); !slices.Contains(argv, "@relay") || !wayout.IsAgent(argv) {
		t.Errorf("%q is no relay", argv)
	}
}
