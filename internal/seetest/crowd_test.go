package seetest_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/kernel"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/state"
)

// thousand names, made by ip.
func (w *world) thousand(n int) {
	w.sh(`for i in $(seq %d); do echo netns add many$i; done | ip -batch -`, n)
	w.Cleanup(func() { w.sh(`for i in $(seq %d); do echo netns del many$i; done | ip -batch -`, n) })
}

// TestThousandNames lists a thousand names with what ls shows of each.
func TestThousandNames(t *testing.T) {
	w := begin(t)
	n := 1000
	if testing.Short() {
		n = 100
	}
	w.thousand(n)
	w.sh(`ip -n many7 link set lo up; ip -n many7 link add name eth0 type veth peer name eth1; ip -n many7 link set dev eth0 up; ip -n many7 link set dev eth1 up
		ip -n many7 addr add 10.7.0.1/24 dev eth0 label eth0:second; ip -n many7 addr add fd07::1/64 dev eth1 nodad; ip -n many7 addr add 10.7.7.7/32 dev lo
		ip -n many8 link property add dev lo altname warren.shop.api`)
	pid := w.live("nsenter", "--net="+netns.Dir+"/many9", "sh", "-c", thereAndSleep)
	list, err := open(t).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{T: t}
	var names []string
	by := map[string]warren.NamespaceInfo{}
	for _, l := range list {
		names = append(names, l.Name)
		by[l.Name] = l
		if l.State != "ok" || l.Cookie == 0 || l.Created.IsZero() {
			t.Errorf("%+v", l)
		}
	}
	theirs := strings.Fields(w.sh("ip netns list | cut -d' ' -f1"))
	slices.Sort(theirs)
	if !slices.Equal(names, theirs) {
		t.Errorf("%d names, ip lists %d", len(names), len(theirs))
	}
	s.is("addresses", by["many7"].Addrs, []string{"eth0 10.7.0.1/24", "eth1 fd07::1/64", "lo 10.7.7.7/32"})
	s.is("of a lab", by["many8"].Owner+" "+by["many8"].Lab+" "+by["many8"].Node, "warren shop api")
	s.is("processes", by["many9"].Processes, 1)
	s.is("of others", by["many10"].Processes+len(by["many10"].Addrs), 0)
	s.is("age", by["many9"].Created.Equal(modified(t, netns.Dir+"/many9")), true)
	_ = pid
	// The list of a snapshot says the same.
	snap, err := open(t).Observe(t.Context(), state.Query{Everywhere: true, Parts: state.PartLinks | state.PartAddrs | state.PartProcesses | state.PartHolders | state.PartOwner})
	if err != nil || len(snap.Unread) > 0 {
		t.Fatal(err, snap.Unread)
	}
	for _, l := range warren.Listing(snap, false) {
		o := by[l.Name]
		s.is(l.Name, fmt.Sprint(l.Cookie, l.Addrs, l.Processes, l.Lab, l.Node, l.Owner), fmt.Sprint(o.Cookie, o.Addrs, o.Processes, o.Lab, o.Node, o.Owner))
	}
}

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.ModTime()
}

// TestVanishing lists and reads while names, links and processes come and go: no line is half, nothing is worth a word.
func TestVanishing(t *testing.T) {
	w := begin(t)
	w.add("stays")
	w.sh("ip -n stays link set lo up; ip -n stays addr add 10.0.0.1/32 dev lo")
	wr := open(t)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for i := range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				lines := fmt.Sprintf(`n=gone%d; ip netns add $n; ip -n $n link set lo up; ip -n $n link add name one type veth peer name two netns stays
					nsenter --net=%s/$n true; unshare -n true; ip netns del $n; until ! ip -n stays link show two >/dev/null 2>&1; do :; done`, i, netns.Dir)
				if i == 1 {
					lines = fmt.Sprintf("n=gone%d; ip netns add $n; unshare -n sh -c 'true & true & wait'; ip netns del $n", i)
				}
				if out, err := exec.CommandContext(context.Background(), "sh", "-euc", lines).CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
					return
				}
			}
		})
	}
	for range 40 {
		list, err := wr.List(t.Context())
		if err != nil {
			t.Errorf("list: %v", err)
		}
		i := slices.IndexFunc(list, func(l warren.NamespaceInfo) bool { return l.Name == "stays" })
		if i < 0 || fmt.Sprint(list[i].Addrs) != "[lo 10.0.0.1/32]" {
			t.Errorf("%+v", list)
		}
	}
	for range 10 {
		snap, err := wr.Snapshot(t.Context(), warren.SnapshotOptions{Conntrack: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range snap.Unread {
			if u.NS != "stays" { // its links go while they are listed
				t.Errorf("unread: %+v", u)
			}
		}
		if n := snap.Namespace("stays"); n == nil || n.Link("lo") == nil {
			t.Errorf("stays is %+v", n)
		}
	}
}

// TestGarbage puts into the directories of names and of labs what has no business there.
func TestGarbage(t *testing.T) {
	w := begin(t)
	const run = "/run/warren"
	dirs := []string{netns.Dir, run, run + "/lab"}
	w.sh("mkdir -p %s/lab", run)
	w.Cleanup(func() { w.sh("rm -rf %s", run) })
	w.add("good")
	for _, d := range dirs {
		w.sh(`cd %s; echo 'net: [' >text; : >empty; mkdir dir; ln -s /nowhere dangling; ln -s . loop; ln -s self self; mkfifo pipe; mknod null c 1 3; : >half; chmod 0 half
			head -c 300000 /dev/urandom >noise; printf x >"$(printf 'a\nb\033[31m')"; : >.hidden; ln -s /dev/tty tty`, d)
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d + "/socket"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
	}
	w.sh("cd %s/lab; cp noise lab.json; cp text state.json; cp noise journal", run)
	w.Cleanup(func() {
		w.sh(`cd %s; rm -rf text empty dir dangling loop self pipe null half noise a* .hidden tty socket`, netns.Dir)
	})
	wr := open(t)
	list, err := wr.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		if want := map[bool]string{true: "ok", false: "stale"}[l.Name == "good"]; l.State != want {
			t.Errorf("%q is %s, want %s", l.Name, l.State, want)
		}
	}
	if len(list) != 15 {
		t.Errorf("%d names: %+v", len(list), list)
	}
	snap, err := wr.Snapshot(t.Context(), warren.SnapshotOptions{})
	if err != nil || len(snap.Unread) > 0 {
		t.Errorf("%v, unread %+v", err, snap.Unread)
	}
	var named []string
	for _, n := range snap.Namespaces {
		named = append(named, n.Names...)
	}
	if !slices.Equal(named, []string{"good"}) {
		t.Errorf("names %q", named)
	}
	if s, err := wr.Observe(t.Context(), state.Query{All: true, Parts: state.PartLinks}); err != nil || s.Namespace("good") == nil || len(s.Namespaces) != 2 {
		t.Errorf("%v: %+v", err, s.Namespaces)
	}
}

// TestHidden: what nothing visible holds is on the kernel's own list. The machine's other namespaces are on it, too.
func TestHidden(t *testing.T) {
	w := begin(t)
	kerneltest.Need(t, "bpf-syscall")
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	w.keep(pair[0], err)
	w.keep(pair[1], nil)
	cookie := w.fresh(func(h *netns.Handle, _ string) {
		if err := unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(h.FD()), nil, 0); err != nil {
			t.Fatal(err)
		}
	})
	k := kernel.New(kernel.Config{Hidden: true, RunDir: filepath.Join(t.TempDir(), "run")})
	defer k.Close()
	snap, err := k.Observe(t.Context(), state.Query{Everywhere: true, Parts: state.PartHolders | state.PartOwner})
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{t, snap, warren.Listing(snap, true)}
	s.heldBy(s.cookie(cookie), "kernel", "hidden")
}
