package netns_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
)

func TestHoldersAreFound(t *testing.T) {
	kerneltest.Need(t, "exec:lsns", "exec:nsenter")
	prepare(t)
	h := create(t, "held", nil)
	pid := sleeper(t, h)
	file, err := os.Open(netns.Dir + "/held")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sock, err := h.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(sock)
	stop, inside := make(chan struct{}), make(chan int)
	done := make(chan error)
	go func() {
		done <- h.Do(func() error {
			inside <- unix.Gettid()
			<-stop
			return nil
		})
	}()
	tid := <-inside
	list, err := netns.Holders(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range list {
		s := fmt.Sprintf("%s %d", x.Kind, x.Process.PID)
		switch x.Kind {
		case netns.HoldsAsThread:
			s += fmt.Sprintf(" %d", x.TID)
		case netns.HoldsAsFile, netns.HoldsAsSocket:
			s += fmt.Sprintf(" %d", x.FD)
		case netns.HoldsAsMount:
			s += " " + x.Path
		case netns.HoldsAsProcess:
			s += " " + x.Process.Command
		}
		got = append(got, s)
	}
	self := os.Getpid()
	want := []string{
		fmt.Sprintf("mount %d %s/held", self, netns.Dir),
		fmt.Sprintf("thread %d %d", self, tid),
		fmt.Sprintf("file %d %d", self, file.Fd()),
		fmt.Sprintf("socket %d %d", self, sock),
		fmt.Sprintf("process %d sleep 1000", pid),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("holders (-want +got):\n%s", diff)
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	// Third parties see the process there.
	if out := run(t, "lsns", "-t", "net", "-rno", "NS,PID"); !strings.Contains(out, fmt.Sprintf("%d %d\n", h.Inode(), pid)) {
		t.Errorf("lsns: %q", out)
	}
	if out := strings.TrimSpace(run(t, "nsenter", "--net="+netns.Dir+"/held", "readlink", "/proc/self/ns/net")); out != fmt.Sprintf("net:[%d]", h.Inode()) {
		t.Errorf("nsenter: %q", out)
	}
}

// A mount that only another mount namespace has holds too, and is where a name that was deleted here lives on.
func TestHoldersInOtherMountNamespaces(t *testing.T) {
	prepare(t)
	h := create(t, "far", nil)
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "--propagation", "private", "sh", "-c", "mount -t tmpfs none /mnt && touch /mnt/far && mount --bind /run/netns/far /mnt/far && echo ready && exec sleep 1000")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	list, err := netns.Holders(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.Kind == netns.HoldsAsMount && x.Path == "/mnt/far" && x.Process.PID == cmd.Process.Pid {
			return
		}
	}
	t.Errorf("holders %+v, want the mount on /mnt/far seen by %d", list, cmd.Process.Pid)
}

func TestProcessesOfMany(t *testing.T) {
	prepare(t)
	a, b, empty := create(t, "pa", nil), create(t, "pb", nil), create(t, "pc", nil)
	p1, p2, p3 := sleeper(t, a), sleeper(t, a), sleeper(t, b)
	lists, err := netns.Processes(t.Context(), []*netns.Handle{a, b, empty, a})
	if err != nil {
		t.Fatal(err)
	}
	var got [][]int
	for _, l := range lists {
		var pids []int
		for _, p := range l {
			pids = append(pids, p.PID)
			if p.Command != "sleep 1000" || p.UID != uint32(os.Getuid()) {
				t.Errorf("process %+v", p)
			}
		}
		got = append(got, pids)
	}
	if diff := cmp.Diff([][]int{{p1, p2}, {p3}, nil, {p1, p2}}, got); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	if out := strings.Fields(run(t, "ip", "netns", "pids", "pa")); !cmp.Equal(out, []string{strconv.Itoa(p1), strconv.Itoa(p2)}) {
		t.Errorf("ip netns pids: %q", out)
	}
}

func TestInhabitedWithoutNames(t *testing.T) {
	prepare(t)
	here, empty := create(t, "here", nil), create(t, "empty", nil)
	sleeper(t, here)
	for _, tt := range []struct {
		name    string
		cookies map[uint64]uint64
		want    []uint64
	}{
		{"both", map[uint64]uint64{here.Inode(): here.Cookie(), empty.Inode(): empty.Cookie()}, []uint64{here.Cookie()}},
		{"inode-of-another", map[uint64]uint64{here.Inode(): here.Cookie() + 1<<40}, nil},
		{"none", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := netns.Inhabited(t.Context(), tt.cookies)
			if err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for _, h := range list {
				got = append(got, h.Cookie())
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("inhabited (-want +got):\n%s", diff)
			}
		})
	}
}
