package probe_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"warren/internal/probe"
)

func want(t *testing.T, what string, r probe.Result, code probe.Code, detail string) {
	t.Helper()
	if r.Code != code || r.OK != (code == probe.OK) || !strings.Contains(r.Detail, detail) {
		t.Errorf("%s: got %+v, want code %s and a detail with %q", what, r, code, detail)
	}
}

func TestPing(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, to := range []string{"10.0.1.1", "10.0.2.2", "fd00:1::1", "fd00:2::2", "127.0.0.1", "::1", "10.0.1.2"} {
		r := probe.Ping(ctx, w.a, addr(to), probe.Options{})
		want(t, to, r, probe.OK, "answer from "+to)
		if r.Took <= 0 || r.From != addr(to) {
			t.Errorf("%s: took %v from %v", to, r.Took, r.From)
		}
	}
	short, long := probe.Options{Timeout: 100 * time.Millisecond}, probe.Options{Timeout: 10 * time.Second}
	want(t, "nobody", probe.Ping(ctx, w.a, addr("10.0.2.9"), short), probe.Timeout, "no answer within 100ms")
	ip(t, "-n r route add unreachable 192.0.2.0/24")
	ip(t, "-n r route add prohibit 198.51.100.0/24")
	ip(t, "-n r -6 route add unreachable 2001:db8::/64")
	want(t, "unreachable", probe.Ping(ctx, w.a, addr("192.0.2.1"), long), probe.Unreachable, "host unreachable, says 10.0.1.1")
	want(t, "prohibited", probe.Ping(ctx, w.a, addr("198.51.100.1"), long), probe.Prohibited, "says 10.0.1.1")
	want(t, "unreachable6", probe.Ping(ctx, w.a, addr("2001:db8::1"), long), probe.Unreachable, "says fd00:1::1")
	want(t, "no route in r", probe.Ping(ctx, w.a, addr("203.0.113.1"), long), probe.Unreachable, "network unreachable, says 10.0.1.1")
	ip(t, "-n a route add blackhole 10.9.0.0/16")
	want(t, "blackhole", probe.Ping(ctx, w.a, addr("10.9.0.1"), long), probe.Unreachable, "black hole")
	ip(t, "-n a route del default")
	want(t, "no route", probe.Ping(ctx, w.a, addr("10.0.2.2"), long), probe.Unreachable, "no route to 10.0.2.2")
	want(t, "no address", probe.Ping(ctx, w.a, netip.Addr{}, long), probe.Failed, "no address")
}

func TestPingTellsWhoDoesNotFindTheNeighbour(t *testing.T) {
	w := newWorld(t)
	sysctl(t, w.a, "net/ipv4/neigh/eth0/retrans_time_ms", "10")
	sysctl(t, w.a, "net/ipv4/neigh/eth0/mcast_solicit", "1")
	o := probe.Options{Timeout: 20 * time.Second}
	want(t, "neighbour", probe.Ping(t.Context(), w.a, addr("10.0.1.77"), o), probe.Unreachable, "this node itself")
	want(t, "tcp", probe.TCP(t.Context(), w.a, addrPort("10.0.1.78:80"), o), probe.Unreachable, "host unreachable")
	want(t, "udp", probe.UDP(t.Context(), w.a, addrPort("10.0.1.79:80"), o), probe.Unreachable, "host unreachable")
}

// A node that asked for an address before it was there gives up on it while a probe waits: that says nothing about now.
func TestAnewOutlivesAnOldResolution(t *testing.T) {
	w := newWorld(t)
	sysctl(t, w.a, "net/ipv4/neigh/eth0/retrans_time_ms", "2000") // one request, and given up after 2 s
	sysctl(t, w.a, "net/ipv4/neigh/eth0/mcast_solicit", "1")
	ctx := t.Context()
	long := probe.Options{Timeout: 20 * time.Second}
	for _, tt := range []struct {
		name, to string
		send     func() probe.Result
	}{
		{"ping", "10.0.1.77", func() probe.Result { return probe.Ping(ctx, w.a, addr("10.0.1.77"), long) }},
		{"tcp", "10.0.1.78", func() probe.Result { return probe.TCP(ctx, w.a, addrPort("10.0.1.78:80"), long) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want(t, "before", probe.Ping(ctx, w.a, addr(tt.to), probe.Options{Timeout: 50 * time.Millisecond}), probe.Timeout, "no answer")
			ip(t, "-n r addr add %s/24 dev to-a", tt.to)
			r := probe.Anew(tt.send)
			if r.Code != probe.OK && r.Code != probe.Refused {
				t.Errorf("the address is there now: %+v", r)
			}
		})
	}
	want(t, "nobody", probe.Anew(func() probe.Result { return probe.Ping(ctx, w.a, addr("10.0.1.79"), long) }), probe.Unreachable, "this node itself")
}

func TestPingLinkLocalTakesTheZoneFromTheNamespace(t *testing.T) {
	w := newWorld(t)
	var ll netip.Addr
	err := w.r.Do(func() error {
		i, err := net.InterfaceByName("to-a")
		if err != nil {
			return err
		}
		addrs, err := i.Addrs()
		for _, a := range addrs {
			if p := netip.MustParsePrefix(a.String()); p.Addr().IsLinkLocalUnicast() {
				ll = p.Addr()
			}
		}
		return err
	})
	if err != nil || !ll.IsValid() {
		t.Fatalf("link-local address of r: %v, %v", ll, err)
	}
	want(t, "link-local", probe.Retry(t.Context(), 30*time.Second, true, func(ctx context.Context) probe.Result {
		return probe.Ping(ctx, w.a, ll.WithZone("eth0"), probe.Options{})
	}), probe.OK, "answer")
	want(t, "no such zone", probe.Ping(t.Context(), w.a, ll.WithZone("nope0"), probe.Options{}), probe.Failed, `interface "nope0"`)
}

func TestPingManyKeepsTheOrder(t *testing.T) {
	w := newWorld(t)
	var targets []netip.Addr
	for i := range 200 {
		targets = append(targets, addr([]string{"10.0.2.2", "fd00:2::2", "10.0.2.9"}[i%3]))
	}
	start := time.Now()
	results := probe.PingMany(t.Context(), w.a, targets, probe.Options{Timeout: 2 * time.Second})
	for i, r := range results {
		if wantOK := i%3 != 2; r.OK != wantOK {
			t.Fatalf("target %d (%s): %+v", i, targets[i], r)
		}
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v: one after the other?", took)
	}
}

func TestCancelledProbesEndAtOnce(t *testing.T) {
	w := newWorld(t)
	o := probe.Options{Timeout: time.Hour}
	for name, f := range map[string]func(context.Context) probe.Result{
		"ping": func(ctx context.Context) probe.Result { return probe.Ping(ctx, w.a, addr("10.0.2.9"), o) },
		"tcp":  func(ctx context.Context) probe.Result { return probe.TCP(ctx, w.a, addrPort("10.0.1.9:1"), o) },
		"udp":  func(ctx context.Context) probe.Result { return probe.UDP(ctx, w.a, addrPort("10.0.1.9:1"), o) },
		"http": func(ctx context.Context) probe.Result {
			return probe.HTTP(ctx, w.a, probe.HTTPTarget{Addr: addr("10.0.1.9")}, o)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			r := f(ctx)
			if took := time.Since(start); r.OK || took > time.Minute {
				t.Errorf("got %+v after %v", r, took)
			}
		})
	}
}

func TestMTU(t *testing.T) {
	w := newWorld(t)
	ip(t, "-n r link set to-b mtu 1400")
	ip(t, "-n b link set eth0 mtu 1400")
	ctx := t.Context()
	for _, b := range []string{"10.0.2.2", "fd00:2::2"} {
		want(t, b, probe.MTU(ctx, w.a, addr(b), 1400, probe.Options{}), probe.OK, "1400 bytes passes")
		want(t, b, probe.MTU(ctx, w.a, addr(b), 1401, probe.Options{}), probe.TooBig, "MTU is 1400")
		want(t, b, probe.MTU(ctx, w.a, addr(b), 1400, probe.Options{}), probe.OK, "") // what was learned does not matter
		want(t, b, probe.MTU(ctx, w.a, addr(b), 1501, probe.Options{}), probe.TooBig, "own interface")
		want(t, b, probe.MTU(ctx, w.a, addr(b), 20, probe.Options{}), probe.Failed, "not 20")
	}
}

func TestTCP(t *testing.T) {
	w := newWorld(t)
	listen(t, w.b, "10.0.2.2:80")
	listen(t, w.b, "[fd00:2::2]:80")
	ctx := t.Context()
	short, long := probe.Options{Timeout: 200 * time.Millisecond}, probe.Options{Timeout: 10 * time.Second}
	want(t, "open", probe.TCP(ctx, w.a, addrPort("10.0.2.2:80"), probe.Options{}), probe.OK, "connected to 10.0.2.2:80")
	want(t, "open6", probe.TCP(ctx, w.a, addrPort("[fd00:2::2]:80"), probe.Options{}), probe.OK, "connected")
	want(t, "closed", probe.TCP(ctx, w.a, addrPort("10.0.2.2:81"), long), probe.Refused, "refused by 10.0.2.2")
	want(t, "closed6", probe.TCP(ctx, w.a, addrPort("[fd00:2::2]:81"), long), probe.Refused, "refused by")
	ip(t, "-n r route add prohibit 198.51.100.0/24")
	want(t, "prohibited", probe.TCP(ctx, w.a, addrPort("198.51.100.1:80"), long), probe.Prohibited, "says 10.0.1.1")
	want(t, "no route", probe.TCP(ctx, w.a, addrPort("203.0.113.1:80"), long), probe.Unreachable, "says 10.0.1.1")
	ip(t, "-n r route add blackhole 192.0.2.0/24")
	want(t, "silent", probe.TCP(ctx, w.a, addrPort("192.0.2.1:80"), short), probe.Timeout, "no answer within 200ms")
	want(t, "source", probe.TCP(ctx, w.a, addrPort("10.0.2.2:80"), probe.Options{Source: addr("10.0.1.2")}), probe.OK, "")
	want(t, "foreign source", probe.TCP(ctx, w.a, addrPort("10.0.2.2:80"), probe.Options{Source: addr("10.7.7.7")}), probe.Failed, "10.7.7.7")
}

func TestUDP(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	echo := listenUDP(t, w.b, "10.0.2.2:7")
	listenUDP(t, w.b, "10.0.2.2:9") // discards
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := echo.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = echo.WriteTo(buf[:n], from)
		}
	}()
	short, long := probe.Options{Timeout: 200 * time.Millisecond}, probe.Options{Timeout: 10 * time.Second}
	want(t, "echo", probe.UDP(ctx, w.a, addrPort("10.0.2.2:7"), long), probe.OK, "answer of 7 bytes")
	want(t, "silent", probe.UDP(ctx, w.a, addrPort("10.0.2.2:9"), short), probe.Timeout, "does not answer")
	want(t, "closed", probe.UDP(ctx, w.a, addrPort("10.0.2.2:8"), long), probe.Refused, "port unreachable, says 10.0.2.2")
	want(t, "closed6", probe.UDP(ctx, w.a, addrPort("[fd00:2::2]:8"), long), probe.Refused, "says fd00:2::2")
	want(t, "no route", probe.UDP(ctx, w.a, addrPort("203.0.113.1:8"), long), probe.Unreachable, "says 10.0.1.1")
}

func TestHTTP(t *testing.T) {
	w := newWorld(t)
	l := listen(t, w.b, "10.0.2.2:80")
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(rw http.ResponseWriter, r *http.Request) { _, _ = rw.Write([]byte(r.Host)) })
	mux.Handle("/gone", http.RedirectHandler("http://elsewhere.example/", http.StatusFound))
	mux.Handle("/here", http.RedirectHandler("http://b/ok", http.StatusFound))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-done })
	silent := listen(t, w.b, "10.0.2.2:81")
	go func() {
		c, err := silent.Accept()
		if err == nil {
			c.Close()
		}
	}()
	ctx := t.Context()
	resolve := func(name string) []netip.Addr {
		if name == "b" {
			return []netip.Addr{addr("fd00:2::2"), addr("10.0.2.2")} // the first refuses
		}
		return nil
	}
	get := func(url string) probe.Result {
		return probe.HTTP(ctx, w.a, probe.HTTPTarget{URL: url, Resolve: resolve}, probe.Options{Timeout: time.Second})
	}
	want(t, "address", probe.HTTP(ctx, w.a, probe.HTTPTarget{Addr: addr("10.0.2.2"), Path: "ok"}, probe.Options{}), probe.OK, "status 200")
	want(t, "name", get("http://b/ok"), probe.OK, "status 200")
	want(t, "redirect", get("http://b/here"), probe.OK, "status 200")
	want(t, "redirect out", get("http://b/gone"), probe.Failed, `no address of "elsewhere.example"`)
	want(t, "missing", get("http://b/nope"), probe.BadAnswer, "status 404")
	want(t, "refused", get("http://10.0.2.2:82/"), probe.Refused, "refused by 10.0.2.2")
	want(t, "closed at once", get("http://10.0.2.2:81/"), probe.BadAnswer, "response")
	want(t, "scheme", get("ftp://b/"), probe.Failed, "neither http nor https")
	want(t, "unknown name", get("http://nobody/"), probe.Failed, `no address of "nobody"`)
}

func TestDNS(t *testing.T) {
	w := newWorld(t)
	c := listenUDP(t, w.b, "10.0.2.2:53")
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if b, err := answerDNS(buf[:n]); err == nil {
				_, _ = c.WriteTo(b, from)
			}
		}
	}()
	ctx := t.Context()
	ask := func(name, typ string) probe.Result {
		return probe.DNS(ctx, w.a, probe.DNSQuery{Server: addr("10.0.2.2"), Name: name, Type: typ}, probe.Options{Timeout: time.Second})
	}
	want(t, "a", ask("web.example", "A"), probe.OK, "192.0.2.80")
	want(t, "no record", ask("web.example", "AAAA"), probe.BadAnswer, "no such record")
	want(t, "no name", ask("nope.example", ""), probe.BadAnswer, "NXDOMAIN")
	want(t, "server", ask("", ""), probe.OK, "10.0.2.2 answers")
	want(t, "type", ask("web.example", "HINFO?"), probe.Failed, "unknown type")
	want(t, "no server", probe.DNS(ctx, w.a, probe.DNSQuery{Server: addr("10.0.1.1"), Name: "x"}, probe.Options{}), probe.Refused, "says 10.0.1.1")
	want(t, "udp", probe.UDP(ctx, w.a, addrPort("10.0.2.2:53"), probe.Options{}), probe.OK, "answer")
}

func answerDNS(b []byte) ([]byte, error) {
	var q dnsmessage.Message
	if err := q.Unpack(b); err != nil {
		return nil, err
	}
	a := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true}, Questions: q.Questions}
	switch question := q.Questions[0]; {
	case question.Name.String() == "web.example." && question.Type == dnsmessage.TypeA:
		a.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.AResource{A: [4]byte{192, 0, 2, 80}},
		}}
	case question.Name.String() != "web.example.":
		a.RCode = dnsmessage.RCodeNameError
	}
	return a.Pack()
}

func TestVia(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, to := range []string{"10.0.2.2", "fd00:2::2"} {
		r := []netip.Addr{addr("10.0.1.1"), addr("10.0.2.1"), addr("fd00:1::1"), addr("fd00:2::1")}
		want(t, to, probe.Via(ctx, w.a, addr(to), r, probe.Options{}), probe.OK, "leads over")
		want(t, to, probe.Via(ctx, w.a, addr(to), []netip.Addr{addr("10.5.5.5")}, probe.Options{}), probe.NotVia, "the path is")
	}
	hops, r := probe.Path(ctx, w.a, addr("10.0.2.2"), probe.Options{})
	if !r.OK || len(hops) != 2 || hops[0] != addr("10.0.1.1") || hops[1] != addr("10.0.2.2") {
		t.Errorf("path: %v, %+v", hops, r)
	}
}

func TestMany(t *testing.T) {
	w := newWorld(t)
	listen(t, w.b, "10.0.2.2:80")
	var probes []func(context.Context) probe.Result
	for i := range 300 {
		to := []string{"10.0.2.2:80", "10.0.2.2:81"}[i%2]
		probes = append(probes, func(ctx context.Context) probe.Result { return probe.TCP(ctx, w.a, addrPort(to), probe.Options{}) })
	}
	for i, r := range probe.Many(t.Context(), 0, probes) {
		if r.OK != (i%2 == 0) {
			t.Fatalf("probe %d: %+v", i, r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range probe.Many(ctx, 4, probes[:8]) {
		want(t, "cancelled", r, probe.Failed, "canceled")
	}
}

func TestRetry(t *testing.T) {
	n := 0
	r := probe.Retry(t.Context(), time.Minute, true, func(context.Context) probe.Result {
		n++
		return probe.Result{OK: n == 3}
	})
	if !r.OK || n != 3 {
		t.Errorf("got %+v after %d tries", r, n)
	}
	n = 0
	if r := probe.Retry(t.Context(), 0, true, func(context.Context) probe.Result { n++; return probe.Result{} }); r.OK || n != 1 {
		t.Errorf("without time: got %+v after %d tries", r, n)
	}
}
