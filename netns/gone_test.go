package netns_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nl"
	"warren/netns"
)

func TestDelete(t *testing.T) {
	prepare(t)
	path := netns.Dir + "/del"
	h, err := netns.Create(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	// Mounted twice, as an accident of propagation leaves it.
	if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"mounted", "gone"} {
		if err := netns.Delete(t.Context(), path); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := mountsAt(t, path); n != 0 || names(t) != nil {
		t.Errorf("left: %d mounts, names %q", n, names(t))
	}
	// The namespace lives on by the handle.
	if err := h.Do(func() error { return nil }); err != nil {
		t.Error(err)
	}
	if err := netns.Delete(t.Context(), "/run/no-such-directory/x"); err != nil {
		t.Errorf("in a directory that is not there: %v", err)
	}
}

func TestDeleteOfALinkSparesWhatItLeadsTo(t *testing.T) {
	prepare(t)
	h := create(t, "target", nil)
	link := netns.Dir + "/link"
	for _, to := range []string{netns.Dir + "/target", fmt.Sprintf("/proc/%d/ns/net", unix.Getpid()), "/nowhere"} {
		if err := unix.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		if err := netns.Delete(t.Context(), link); err != nil {
			t.Errorf("link to %s: %v", to, err)
		}
	}
	if got := inode(t, netns.Dir+"/target"); got != h.Inode() {
		t.Errorf("the target is %d now, was %d", got, h.Inode())
	}
	if diff := cmp.Diff([]string{"target"}, names(t)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestIPNetnsDeletesOurs(t *testing.T) {
	kerneltest.Need(t, "exec:ip")
	prepare(t)
	h, err := netns.Create(t.Context(), netns.Dir+"/theirs", nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	run(t, "ip", "netns", "delete", "theirs")
	run(t, "ip", "netns", "add", "theirs")
	if err := netns.Delete(t.Context(), netns.Dir+"/theirs"); err != nil {
		t.Error(err)
	}
	if got := run(t, "ip", "netns", "list"); got != "" {
		t.Errorf("left: %q", got)
	}
}

// vethInto asks for a veth "gone0" here whose peer is in the namespace of fd.
func vethInto(t testing.TB, fd int) nl.Request {
	t.Helper()
	attr := func(kind uint16, data []byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
		b = binary.NativeEndian.AppendUint16(b, kind)
		b = append(b, data...)
		return append(b, make([]byte, (4-len(b)%4)%4)...)
	}
	peer := append(make([]byte, unix.SizeofIfInfomsg), attr(unix.IFLA_NET_NS_FD, binary.NativeEndian.AppendUint32(nil, uint32(fd)))...)
	info := append(attr(unix.IFLA_INFO_KIND, []byte("veth\x00")), attr(unix.IFLA_INFO_DATA, attr(1, peer))...)
	body := append(make([]byte, unix.SizeofIfInfomsg), attr(unix.IFLA_IFNAME, []byte("gone0\x00"))...)
	return nl.Request{Type: unix.RTM_NEWLINK, Flags: netlink.Create | netlink.Excl, Data: append(body, attr(unix.IFLA_LINKINFO, info)...)}
}

// After WaitGone the end of a veth on this side is gone, and the name is free, in every one of 100 rounds: with netlink
// sockets that were open inside until the last moment, and with processes inside.
func TestWaitGoneMeansGone(t *testing.T) {
	kerneltest.Need(t, "veth")
	prepare(t)
	host := must(netns.Current())
	defer host.Close()
	conn := must(host.Netlink(unix.NETLINK_ROUTE))
	defer conn.Close()
	path := netns.Dir + "/gone"
	for round := range 100 {
		h, err := netns.Create(t.Context(), path, nil)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := errors.Join(conn.Batch([]nl.Request{vethInto(t, h.FD())})...); err != nil {
			t.Fatalf("round %d: create veth: %v", round, err)
		}
		inside := must(h.Netlink(unix.NETLINK_ROUTE))
		filter := must(h.Netlink(unix.NETLINK_NETFILTER))
		var cmd *exec.Cmd
		if round%4 == 0 {
			err := h.Do(func() error {
				cmd = exec.CommandContext(context.Background(), "sleep", "1000")
				return cmd.Start()
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := netns.Delete(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(h.Close(), inside.Close(), filter.Close()); err != nil {
			t.Fatal(err)
		}
		if cmd != nil {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // killed
		}
		if err := netns.WaitGone(t.Context()); err != nil {
			t.Fatal(err)
		}
		if links, err := os.ReadFile("/proc/thread-self/net/dev"); err != nil || bytes.Contains(links, []byte("gone0")) {
			t.Fatalf("round %d: gone0 is still there (%v)", round, err)
		}
	}
}

func TestWaitGoneObeysItsContext(t *testing.T) {
	prepare(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := netns.WaitGone(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// A limit that is reached is told with the name of the limit.
func TestTooManyNamespaces(t *testing.T) {
	kerneltest.Need(t, "exec:unshare")
	prepare(t)
	script := `echo 0 > /proc/sys/user/max_net_namespaces && exec "$0" /run/netns/many`
	cmd := exec.CommandContext(t.Context(), "unshare", "-Ur", "-m", "sh", "-c", script, must(os.Executable()))
	cmd.Env = append(cmd.Environ(), roleEnv+"=create")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "max_net_namespaces") {
		t.Errorf("%v: %q, want the name of the limit", err, out)
	}
	kerneltest.Eventually(t, patience, func() error {
		if n := names(t); n != nil {
			return fmt.Errorf("left: %q", n)
		}
		return nil
	})
}
