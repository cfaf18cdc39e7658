package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/lab"
	"warren/internal/probe"
	"warren/netns"
)

// newLab makes a locked lab that is gone, with all its processes, at the end.
func newLab(t *testing.T) lab.Dir {
	t.Helper()
	kerneltest.LeakCheck(t)
	r := lab.RunDir{Path: filepath.Join("/run", "w"+strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")))}
	l, err := r.Lock(t.Context(), "classic", lab.LockOptions{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Dir().Stop(context.Background(), lab.ApplyOptions{}); err != nil {
			t.Error(err)
		}
		if err := l.Remove(); err != nil {
			t.Error(err)
		}
		if err := r.RemoveIfEmpty(); err != nil {
			t.Error(err)
		}
	})
	return l.Dir()
}

func sh(node, name, script string) lab.Service {
	return lab.Service{Node: node, Name: name, Argv: []string{"sh", "-c", script}}
}

func apply(t *testing.T, d lab.Dir, services ...lab.Service) lab.Status {
	t.Helper()
	st, err := d.Apply(t.Context(), services, lab.ApplyOptions{})
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	return st
}

func service(t *testing.T, st lab.Status, id string) lab.ServiceStatus {
	t.Helper()
	s, ok := st.Service(id)
	if !ok {
		t.Fatalf("no service %s in %+v", id, st)
	}
	return s
}

func alive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(data), ") Z ")
}

func cmdline(pid int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.ReplaceAll(strings.TrimRight(string(data), "\x00"), "\x00", " ")
}

func TestServicesStartInOrderAndStopInReverse(t *testing.T) {
	d := newLab(t)
	journal := filepath.Join(d.Path(), "order")
	script := func(name string) string {
		return fmt.Sprintf(`trap 'echo stop %s >> %s; exit 0' TERM; echo start %s >> %s; echo up; while :; do sleep 0.01; done`, name, journal, name, journal)
	}
	db, api, web := sh("db", "main", script("db")), sh("api", "main", script("api")), sh("web", "main", script("web"))
	for _, s := range []*lab.Service{&db, &api, &web} {
		s.Ready = lab.Ready{Kind: "log", Text: "up"}
	}
	api.After, web.After = []string{"db/main"}, []string{"api/main"}
	var events []string
	st, err := d.Apply(t.Context(), []lab.Service{web, api, db}, lab.ApplyOptions{Progress: func(e lab.Event) {
		events = append(events, e.ID+" "+string(e.State))
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range st.Services {
		if s.State != lab.IsReady || !s.Running || !alive(s.PID) {
			t.Errorf("status: %+v", s)
		}
	}
	if st.Supervisor == 0 || !alive(st.Supervisor) {
		t.Errorf("supervisor: %d", st.Supervisor)
	}
	ready := slices.Index(events, "db/main ready")
	if ready < 0 || slices.Index(events, "api/main starting") < ready {
		t.Errorf("events: %q", events)
	}
	if err := d.Stop(t.Context(), lab.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(journal)
	if want := "start db\nstart api\nstart web\nstop web\nstop api\nstop db\n"; err != nil || string(data) != want {
		t.Errorf("order: got %q, want %q (%v)", data, want, err)
	}
	if alive(st.Supervisor) {
		t.Error("the supervisor has not ended with its last job")
	}
}

func TestServicePIDIsItsOwn(t *testing.T) {
	d := newLab(t)
	s := lab.Service{Node: "n", Name: "main", Argv: []string{"sleep", "1000"}}
	st := apply(t, d, s)
	if got := cmdline(service(t, st, "n/main").PID); got != "sleep 1000" {
		t.Errorf("got %q", got)
	}
}

func TestApplyTouchesOnlyWhatChanged(t *testing.T) {
	d := newLab(t)
	a, b, c := sh("n", "a", "sleep 1000"), sh("n", "b", "sleep 1000"), sh("n", "c", "sleep 1000")
	first := apply(t, d, a, b, c)
	b.Env = []string{"X=1"}
	e := sh("n", "e", "sleep 1000")
	if got := lab.DiffServices([]lab.Service{a, b, e}, first); fmt.Sprint(got) != "{[n/e] [n/c] [n/b] [n/a]}" {
		t.Errorf("diff: %v", got)
	}
	second := apply(t, d, a, b, e)
	if first.Supervisor != second.Supervisor {
		t.Error("the supervisor was not adopted")
	}
	if service(t, first, "n/a").PID != service(t, second, "n/a").PID {
		t.Error("an unchanged service was restarted")
	}
	if service(t, first, "n/b").PID == service(t, second, "n/b").PID || alive(service(t, first, "n/b").PID) {
		t.Error("a changed service was not restarted")
	}
	if _, ok := second.Service("n/c"); ok || alive(service(t, first, "n/c").PID) {
		t.Error("a removed service lives on")
	}
	if got := lab.DiffServices([]lab.Service{a, b, e}, second); !got.Empty() {
		t.Errorf("second diff: %v", got)
	}
	third := apply(t, d, a, b, e)
	for i, s := range third.Services {
		if s.PID != second.Services[i].PID {
			t.Errorf("%s was restarted without a change", s.ID)
		}
	}
}

func TestFailuresAreTold(t *testing.T) {
	d := newLab(t)
	missing := lab.Service{Node: "n", Name: "missing", Argv: []string{"/no/such/program"}}
	text := filepath.Join(d.Path(), "plain")
	if err := os.WriteFile(text, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := lab.Service{Node: "n", Name: "plain", Argv: []string{text}}
	nodir := sh("n", "nodir", "true")
	nodir.Dir = "/no/such/dir"
	nouser := sh("n", "nouser", "true")
	nouser.User = "nobody-of-that-name"
	nons := sh("n", "nons", "true")
	nons.NS = "/run/netns/no-such-namespace"
	exits := sh("n", "exits", "exit 3")
	exits.Ready = lab.Ready{Kind: "tcp", Port: 1}
	late := sh("n", "late", "sleep 1000")
	late.Ready = lab.Ready{Kind: "tcp", Port: 1, Within: 2 * time.Second}
	blocked := sh("n", "blocked", "sleep 1000")
	blocked.After = []string{"n/late"}
	st, err := d.Apply(t.Context(), []lab.Service{missing, plain, nodir, nouser, nons, exits, late, blocked}, lab.ApplyOptions{})
	if !errors.Is(err, lab.ErrService) {
		t.Fatalf("got %v", err)
	}
	for id, want := range map[string]struct {
		state  lab.State
		exit   int
		detail string
	}{
		"n/missing": {lab.Failed, 127, "no such file"},
		"n/plain":   {lab.Failed, 126, "permission denied"},
		"n/nodir":   {lab.Failed, 125, "/no/such/dir"},
		"n/nouser":  {lab.Failed, 125, "nobody-of-that-name"},
		"n/nons":    {lab.Failed, 125, "no-such-namespace"},
		"n/exits":   {lab.Failed, 3, "status 3"},
		"n/late":    {lab.Failed, 0, "not ready within 2s (tcp 1): nobody listens"},
		"n/blocked": {lab.Blocked, 0, "n/late"},
	} {
		s := service(t, st, id)
		if s.State != want.state || s.Exit != want.exit || !strings.Contains(s.Detail, want.detail) {
			t.Errorf("%s: got %+v, want %v", id, s, want)
		}
		if !strings.Contains(err.Error(), id) {
			t.Errorf("the error does not name %s: %v", id, err)
		}
	}
}

func TestDoneServicesAreNotRunAgain(t *testing.T) {
	d := newLab(t)
	count := filepath.Join(d.Path(), "count")
	once := sh("n", "once", "echo x >> "+count)
	after := sh("n", "after", "echo y >> "+count)
	after.After = []string{"n/once"}
	st := apply(t, d, once, after)
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if alive(st.Supervisor) {
			return errors.New("the supervisor lives on without a job")
		}
		return nil
	})
	st = apply(t, d, once, after)
	if s := service(t, st, "n/once"); s.State != lab.Done || s.Running {
		t.Errorf("status: %+v", s)
	}
	if data, err := os.ReadFile(count); err != nil || string(data) != "x\ny\n" {
		t.Errorf("runs: %q, %v", data, err)
	}
}

func TestStubbornServicesAreKilled(t *testing.T) {
	d := newLab(t)
	// Ignores TERM, and has children in sessions of their own, one of which lost its environment.
	s := sh("n", "main", `trap '' TERM; setsid sleep 1001 & env -i setsid sleep 1002 & (sleep 1003 &) ; echo up; while :; do sleep 0.05; done`)
	s.Ready = lab.Ready{Kind: "log", Text: "up"}
	s.Stop.Timeout = 50 * time.Millisecond
	st := apply(t, d, s)
	start := time.Now()
	if err := d.Stop(t.Context(), lab.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	if alive(service(t, st, "n/main").PID) {
		t.Error("it lives")
	}
	noSleeps(t, "sleep 100")
}

// noSleeps fails when a process with such a command line is there.
func noSleeps(t *testing.T, prefix string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && alive(pid) && strings.HasPrefix(cmdline(pid), prefix) {
			t.Errorf("left over: %d %s", pid, cmdline(pid))
		}
	}
}

func TestStopSignal(t *testing.T) {
	d := newLab(t)
	s := sh("n", "main", `trap 'echo got USR1; exit 0' USR1; trap '' TERM; echo up; while :; do sleep 0.01; done`)
	s.Ready, s.Stop = lab.Ready{Kind: "log", Text: "up"}, lab.Stop{Signal: "SIGUSR1", Timeout: time.Minute}
	apply(t, d, s)
	if err := d.StopServices(t.Context(), []string{"n/main"}, lab.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, d, lab.LogQuery{}); !slices.Contains(got, "n/main got USR1") {
		t.Errorf("log: %q", got)
	}
}

func TestServiceThatGoesIntoTheBackground(t *testing.T) {
	d := newLab(t)
	s := sh("n", "main", `setsid sh -c 'trap "" HUP; echo in background; exec sleep 1000' &`)
	s.Ready = lab.Ready{Kind: "log", Text: "in background"}
	st := apply(t, d, s)
	if v := service(t, st, "n/main"); v.State != lab.IsReady || !v.Running {
		t.Errorf("status: %+v", v)
	}
	if err := d.Stop(t.Context(), lab.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	noSleeps(t, "sleep 1000")
}

func TestKilledSupervisorIsReplaced(t *testing.T) {
	d := newLab(t)
	a, b := sh("n", "a", "exec sleep 1000"), sh("n", "b", "setsid sleep 1000 & setsid sleep 1001 & sleep 1002")
	first := apply(t, d, a, b)
	if err := unix.Kill(first.Supervisor, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if alive(first.Supervisor) {
			return errors.New("alive")
		}
		return nil
	})
	now, err := d.Services(t.Context())
	if err != nil || now.Supervisor != 0 {
		t.Fatalf("status: %+v, %v", now, err)
	}
	if s := service(t, now, "n/a"); s.State != lab.Failed || !s.Running || !strings.Contains(s.Detail, "died") {
		t.Errorf("status of an orphan: %+v", s)
	}
	if got := lab.DiffServices([]lab.Service{a, b}, now); fmt.Sprint(got) != "{[] [] [n/a n/b] []}" {
		t.Errorf("diff: %v", got)
	}
	second := apply(t, d, a, b)
	if second.Supervisor == first.Supervisor {
		t.Error("the same supervisor")
	}
	for _, s := range first.Services {
		if alive(s.PID) {
			t.Errorf("an orphan was left: %+v", s)
		}
	}
	if err := unix.Kill(second.Supervisor, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(t.Context(), lab.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	noSleeps(t, "sleep 100")
}

func TestStoppedSupervisorIsReplaced(t *testing.T) {
	d := newLab(t)
	first := apply(t, d, sh("n", "a", "exec sleep 1000"))
	if err := unix.Kill(first.Supervisor, unix.SIGSTOP); err != nil { // it does not answer, and does not die
		t.Fatal(err)
	}
	kerneltest.Eventually(t, 30*time.Second, func() error {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", first.Supervisor))
		if err == nil && !strings.Contains(string(data), ") T ") {
			err = errors.New("not stopped")
		}
		return err
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := d.Services(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	second := apply(t, d, sh("n", "a", "exec sleep 1000"))
	if alive(first.Supervisor) || second.Supervisor == first.Supervisor || alive(first.Services[0].PID) {
		t.Errorf("first %+v, second %+v", first, second)
	}
}

func TestServicesInNamespaces(t *testing.T) {
	kerneltest.Need(t, "veth", "exec:ip")
	warm(t)
	d := newLab(t)
	h := namespace(t, "classic.n")
	if err := d.WriteHosts("", lab.HostsText([]lab.HostsEntry{{Addr: netip.MustParseAddr("10.1.2.3"), Names: []string{"web"}}})); err != nil {
		t.Fatal(err)
	}
	web := lab.Service{
		Node: "n", Name: "web", NS: "/run/netns/classic.n", Cookie: h.Cookie(), Argv: []string{"python3", "-m", "http.server", "80"},
		Dir: "/run", Hosts: d.HostsPath("n"), Ready: lab.Ready{Kind: "http", Port: 80, Path: "/"},
	}
	hosts := web
	hosts.Name, hosts.Argv, hosts.Ready = "hosts", []string{"sh", "-c", "cat /etc/hosts; ls /sys/class/net; id -u; pwd; ./x"}, lab.Ready{}
	hosts.User, hosts.After = "nobody", []string{"n/web"}
	check := sh("n", "check", "exec sleep 1000")
	check.NS = web.NS
	check.Ready = lab.Ready{Kind: "cmd", Argv: []string{"sh", "-c", "grep -q ':0050 ' /proc/net/tcp"}}
	kerneltest.Need(t, "exec:python3")
	if err := os.WriteFile("/run/x", []byte("#!/bin/sh\necho ran\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove("/run/x") })
	st := apply(t, d, web, hosts, check)
	if r := probe.TCP(t.Context(), h, netip.MustParseAddrPort("127.0.0.1:80"), probe.Options{}); !r.OK {
		t.Errorf("from inside: %+v", r)
	}
	kerneltest.Eventually(t, 30*time.Second, func() error {
		got := strings.Join(lines(t, d, lab.LogQuery{IDs: []string{"n/hosts"}}), "\n")
		for _, want := range []string{"10.1.2.3\tweb", "n/hosts lo", "n/hosts 65534", "n/hosts /run", "n/hosts ran"} {
			if !strings.Contains(got, want) {
				return fmt.Errorf("log lacks %q: %s", want, got)
			}
		}
		return nil
	})
	report, err := lab.KillIn(t.Context(), []*netns.Handle{h}, lab.KillOptions{})
	if err != nil || len(report.Ended) < 2 || alive(service(t, st, "n/web").PID) {
		t.Errorf("kill: %+v, %v", report, err)
	}
}
