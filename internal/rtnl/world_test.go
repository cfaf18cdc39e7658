package rtnl_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// leakCheck makes the directory of names first: it stays.
func leakCheck(t testing.TB) {
	t.Helper()
	path := filepath.Join(netns.Dir, "first")
	h, err := netns.Create(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	if err := netns.Delete(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	kerneltest.LeakCheck(t)
}

// A room is a fresh namespace and a socket in it.
type room struct {
	t    testing.TB
	name string
	h    *netns.Handle
	c    *nl.Conn
}

func newRoom(t testing.TB, name string) *room {
	t.Helper()
	path := filepath.Join(netns.Dir, name)
	h, err := netns.Create(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		h.Close()
		if err := netns.Delete(context.Background(), path); err != nil {
			t.Error(err)
		}
	})
	return &room{t, name, h, c}
}

// do sends requests, each of which has to succeed.
func (r *room) do(reqs ...nl.Request) {
	r.t.Helper()
	for i, err := range r.c.Batch(reqs) {
		if err != nil {
			r.t.Fatalf("request %d (type %d): %v", i, reqs[i].Type, err)
		}
	}
}

// must is for encoders that have to succeed.
func (r *room) must(req nl.Request, err error) nl.Request {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return req
}

func (r *room) all(reqs []nl.Request, err error) []nl.Request {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return reqs
}

func (r *room) links() ([]state.Link, *rtnl.NameTable) {
	r.t.Helper()
	msgs, err := r.c.Dump(r.t.Context(), rtnl.DumpLinks(false))
	if err != nil {
		r.t.Fatal(err)
	}
	var names rtnl.NameTable
	links, err := rtnl.DecodeLinks(msgs, &names)
	if err != nil {
		r.t.Fatal(err)
	}
	return links, &names
}

func (r *room) link(name string) state.Link {
	r.t.Helper()
	links, _ := r.links()
	for _, l := range links {
		if l.Name == name {
			return l
		}
	}
	r.t.Fatalf("no link %q in %s", name, r.name)
	return state.Link{}
}

func (r *room) names() *rtnl.NameTable {
	r.t.Helper()
	_, names := r.links()
	return names
}

// ip asks ip(8), the witness, and returns its objects. Empty objects, which it prints for filtered ones, are left out.
func (r *room) ip(args ...string) []map[string]any {
	r.t.Helper()
	out, err := exec.CommandContext(r.t.Context(), "ip", append([]string{"-n", r.name, "-j", "-d"}, args...)...).Output()
	if err != nil {
		r.t.Fatalf("ip %v: %v", args, err)
	}
	return decodeObjects(r.t, out)
}

func decodeObjects(t testing.TB, out []byte) []map[string]any {
	t.Helper()
	var v, full []map[string]any
	if len(out) > 0 {
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
	}
	for _, m := range v {
		if len(m) > 0 {
			full = append(full, m)
		}
	}
	return full
}

// at follows keys into nested objects.
func at(m map[string]any, keys ...string) any {
	var v any = m
	for _, k := range keys {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[k]
	}
	return v
}

// want compares what the witness says with what it should say. Numbers are float64, as JSON's are.
func want(t testing.TB, m map[string]any, value any, keys ...string) {
	t.Helper()
	if n, ok := value.(int); ok {
		value = float64(n)
	}
	if got := at(m, keys...); got != value {
		t.Errorf("ip says %v is %v, want %v", keys, got, value)
	}
}

// dumpWith reads a table.
func dumpWith[T any](r *room, req nl.Request, decode func([]message) ([]T, error)) []T {
	r.t.Helper()
	msgs, err := r.c.Dump(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	v, err := decode(msgs)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}
