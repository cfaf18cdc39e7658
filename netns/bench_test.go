package netns_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"warren/netns"
)

func BenchmarkDo(b *testing.B) {
	h := create(b, "bench", nil)
	for b.Loop() {
		if err := h.Do(func() error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreateMany(b *testing.B) {
	const n = 100
	var list []netns.New
	for i := range n {
		list = append(list, netns.New{Path: fmt.Sprintf("%s/b%d", netns.Dir, i), Setup: func(in *netns.Inside) error {
			fd, err := in.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return in.SetSysctl("net/ipv6/conf/default/disable_ipv6", "1")
		}})
	}
	for b.Loop() {
		handles, err := netns.CreateMany(b.Context(), list)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		for i, h := range handles {
			h.Close()
			if err := netns.Delete(b.Context(), list[i].Path); err != nil {
				b.Fatal(err)
			}
		}
		if err := netns.WaitGone(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "µs/netns")
}

func BenchmarkWaitGone(b *testing.B) {
	for b.Loop() {
		if err := netns.WaitGone(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExec(b *testing.B) {
	create(b, "bench", nil)
	order := string(must(json.Marshal(execOrder{Path: netns.Dir + "/bench", Argv: []string{"true"}})))
	b.Run("warren", func(b *testing.B) {
		for b.Loop() {
			if err := roleCommand(b.Context(), "exec", order).Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("nothing", func(b *testing.B) {
		for b.Loop() {
			_ = roleCommand(b.Context(), "nothing").Run()
		}
	})
	b.Run("ip-netns-exec", func(b *testing.B) {
		for b.Loop() {
			if err := exec.CommandContext(b.Context(), "ip", "netns", "exec", "bench", "true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDelete(b *testing.B) {
	const n = 1000
	var list []netns.New
	for i := range n {
		list = append(list, netns.New{Path: fmt.Sprintf("%s/d%d", netns.Dir, i)})
	}
	for b.Loop() {
		b.StopTimer()
		handles, err := netns.CreateMany(b.Context(), list)
		if err != nil {
			b.Fatal(err)
		}
		for _, h := range handles {
			h.Close()
		}
		b.StartTimer()
		for _, x := range list {
			if err := netns.Delete(b.Context(), x.Path); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "µs/netns")
}
