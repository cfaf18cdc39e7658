package warren

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"warren/internal/lab"
	"warren/netns"
	"warren/state"
	"warren/topo"
)

// ErrService is returned when a service did not become ready. The lab's network stays up.
var ErrService = lab.ErrService

// startServices makes the lab's services those that are declared, and waits until they are ready.
func (w *Warren) startServices(ctx context.Context, dir lab.Dir, x *topo.Expanded) ([]ServiceStatus, error) {
	list, err := w.services(ctx, dir, x)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		// Most labs have none, and then there is nobody to ask.
		if st, err := dir.Services(ctx); err == nil && st.Supervisor == 0 && len(st.Services) == 0 {
			return nil, nil
		}
	}
	ready := 0
	st, err := dir.Apply(ctx, list, lab.ApplyOptions{Progress: func(e lab.Event) {
		if e.State.Good() {
			ready++
		}
		w.event(Event{Lab: x.Lab, Phase: "services", Done: ready, Total: len(list), Text: strings.TrimSpace(e.ID + " " + string(e.State) + " " + e.Detail)})
	}})
	if err != nil {
		err = fmt.Errorf("lab %q: %w (hint: warren logs %s shows what they wrote)", x.Lab, err, x.Lab)
	}
	return serviceStatuses(st), errors.Join(err, w.publishOutside(ctx, dir, x))
}

// services puts the declared services into their places, and adds the proxies for what the kernel cannot translate.
func (w *Warren) services(ctx context.Context, dir lab.Dir, x *topo.Expanded) ([]lab.Service, error) {
	base := ""
	if x.Source != nil && x.Source.File != "" {
		base = filepath.Dir(x.Source.File)
	}
	base, err := filepath.Abs(base)
	if err != nil {
		return nil, err
	}
	var list []lab.Service
	for _, info := range x.Services {
		s := serviceOf(info, base)
		if info.Node != state.HostNS {
			h, err := w.kernel.Open(ctx, info.NS)
			if err != nil {
				return nil, fmt.Errorf("service %s: %w", info.Key, err)
			}
			s.Cookie = h.Cookie()
			_ = h.Close()
			if s.NS, err = nsPath(info.NS); err != nil {
				return nil, fmt.Errorf("service %s: %w", info.Key, err)
			}
			s.Hosts, s.Resolv = dir.HostsPath(info.Node), dir.ResolvPath(info.Node)
		}
		s.Addrs = nodeAddrs(x, info.Node)
		list = append(list, s)
	}
	for _, p := range x.Publishes {
		if p.Proxy {
			name := fmt.Sprintf("publish-%s-%d", p.Proto, p.Host.Port())
			list = append(list, lab.ProxyService(name, p.Proto, netip.AddrPortFrom(p.Host.Addr(), p.Host.Port()), p.To))
		}
	}
	return append(list, w.relay(dir, x)...), nil
}

// nsPath is a file that is the namespace of a key, for as long as it lives: the supervisor opens it again at each start.
func nsPath(key string) (string, error) {
	if filepath.IsAbs(key) {
		return key, nil
	}
	form, arg, ok := strings.Cut(key, ":")
	switch {
	case !ok:
		return filepath.Join(netns.Dir, key), nil
	case form == "pid":
		return filepath.Join("/proc", arg, "ns/net"), nil
	default:
		return "", fmt.Errorf("a service needs a namespace that is given by name, path or pid, not %s (hint: ip netns attach NAME PID gives it a name)", key)
	}
}

// serviceOf is a declared service as the supervisor wants it. Paths are relative to the lab file's folder.
func serviceOf(info topo.ServiceInfo, base string) lab.Service {
	inFolder := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(base, path)
	}
	s := lab.Service{
		Node: info.Node, Name: info.Name, Argv: info.Argv, Env: info.Env, User: info.User, Dir: inFolder(info.Dir),
		After: info.After, Log: info.Logs,
		Ready: lab.Ready{Kind: info.Ready.Kind, Port: info.Ready.Port, Path: info.Ready.Path, Text: info.Ready.Text, Within: info.Ready.Within},
		Stop:  lab.Stop{Signal: info.Stop.Signal, Timeout: info.Stop.Within},
	}
	if s.Ready.Kind == "cmd" {
		s.Ready.Argv, s.Ready.Text = []string{"/bin/sh", "-c", info.Ready.Text}, ""
	}
	if s.Log != "" && s.Log != "none" {
		s.Log = inFolder(s.Log)
	}
	return s
}

// serviceStatuses are the supervisor's words in the facade's.
func serviceStatuses(st lab.Status) []ServiceStatus {
	var out []ServiceStatus
	for _, s := range st.Services {
		node, name, _ := strings.Cut(s.ID, "/")
		v := ServiceStatus{Node: node, Name: name, State: string(s.State), Detail: s.Detail}
		if s.Running {
			v.PID = s.PID
		}
		if !s.Ready.IsZero() && !s.Started.IsZero() {
			v.Took = s.Ready.Sub(s.Started)
		}
		out = append(out, v)
	}
	return out
}

func (w *Warren) serviceStatus(ctx context.Context, dir lab.Dir) ([]ServiceStatus, error) {
	st, err := dir.Services(ctx)
	return serviceStatuses(st), err
}

// stopServices ends the supervisor with all of its services and says how many processes those were.
func (w *Warren) stopServices(ctx context.Context, dir lab.Dir, o DownOptions) (int, error) {
	st, err := dir.Services(ctx)
	if err != nil {
		return 0, err
	}
	running := 0
	for _, s := range st.Services {
		if s.Running {
			running++
		}
	}
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	err = dir.Stop(ctx, lab.ApplyOptions{})
	if errors.Is(err, context.DeadlineExceeded) && o.Timeout > 0 {
		return running, nil // what is left is killed with everything else in the namespaces
	}
	return running, err
}

// endProcesses ends whatever runs in the lab's namespaces: entered shells, and services of a supervisor that was killed.
func (w *Warren) endProcesses(ctx context.Context, have state.Snapshot, o DownOptions) (int, error) {
	var handles []*netns.Handle
	defer func() {
		for _, h := range handles {
			_ = h.Close()
		}
	}()
	for _, n := range have.Namespaces {
		if n.Mark.IsZero() {
			continue
		}
		h, err := w.kernel.Open(ctx, n.Name)
		if errors.Is(err, netns.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace) {
			continue
		}
		if err != nil {
			return 0, err
		}
		handles = append(handles, h)
	}
	r, err := lab.KillIn(ctx, handles, lab.KillOptions{Grace: o.Timeout})
	return len(r.Ended), err
}

// endLatecomers ends processes that entered a namespace after endProcesses had looked and before its name was gone, and
// waits for the end of the namespaces that they kept.
func (w *Warren) endLatecomers(ctx context.Context, have state.Snapshot, o DownOptions) (int, error) {
	cookies := map[uint64]uint64{}
	for _, n := range have.Namespaces {
		if !n.Mark.IsZero() && n.Cookie != 0 {
			cookies[n.Inode] = n.Cookie
		}
	}
	handles, err := netns.Inhabited(ctx, cookies)
	defer func() {
		for _, h := range handles {
			_ = h.Close()
		}
	}()
	if err != nil || len(handles) == 0 {
		return 0, err
	}
	r, err := lab.KillIn(ctx, handles, lab.KillOptions{Grace: o.Timeout})
	if err != nil {
		return len(r.Ended), err
	}
	for _, h := range handles {
		_ = h.Close()
	}
	return len(r.Ended), netns.WaitGone(ctx)
}

// Logs calls f for each line that services wrote, in the order of their times. With Follow it goes on until ctx ends or
// nobody can write any more. ErrNotExist when the lab is not there.
func (w *Warren) Logs(ctx context.Context, name string, o LogOptions, f func(LogLine) error) error {
	dir, err := w.runDir().Dir(name)
	if err != nil {
		return err
	}
	if !dir.Exists() {
		return fmt.Errorf("lab %q: %w (hint: warren labs lists those that are up)", name, ErrNotExist)
	}
	known, err := dir.LogIDs()
	if err != nil {
		return err
	}
	var ids []string
	for _, want := range o.Nodes {
		want = strings.Replace(want, ".", "/", 1)
		n := len(ids)
		for _, id := range known {
			if node, _, _ := strings.Cut(id, "/"); id == want || node == want {
				ids = append(ids, id)
			}
		}
		if len(ids) == n {
			if len(known) == 0 {
				return fmt.Errorf("lab %q has no services, so nothing was written (hint: in the lab file \"run:\" at a node makes one)", name)
			}
			return fmt.Errorf("lab %q: service %q: %w (hint: there are %s)", name, want, ErrNotExist, strings.Join(known, ", "))
		}
	}
	slices.Sort(ids)
	q := lab.LogQuery{IDs: slices.Compact(ids), Follow: o.Follow, Tail: o.Lines}
	return dir.Logs(ctx, q, func(l lab.LogLine) error {
		node, service, _ := strings.Cut(l.ID, "/")
		return f(LogLine{Node: node, Service: service, Time: l.Time, Text: l.Text})
	})
}

// A LogLine is a line that a service wrote.
type LogLine struct {
	Node    string    `json:"node"`
	Service string    `json:"service"`
	Time    time.Time `json:"time,omitzero"` // zero where it is not known
	Text    string    `json:"text"`
}
