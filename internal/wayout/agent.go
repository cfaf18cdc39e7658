package wayout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An agent is the process outside.
type agent struct {
	dir, token string
	holder     int
	self       fs.FileInfo // of the socket, which another agent may have replaced
	done       chan struct{}
	once       sync.Once

	mu   sync.Mutex // guards what follows
	tool *running
	way  Way
}

func agentMain(dir, token, pid string) int {
	// Not SIGPIPE: what is ignored stays so in programs that are started, and pasta wants its own way with that one.
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT)
	unix.CloseOnExec(listenFD)
	holder, err := strconv.Atoi(pid)
	if err != nil {
		return 2
	}
	f := os.NewFile(listenFD, "socket")
	nl, err := net.FileListener(f)
	_ = f.Close()
	l, ok := nl.(*net.UnixListener)
	if err != nil || !ok {
		return 1
	}
	l.SetUnlinkOnClose(false)
	a := &agent{dir: dir, token: token, holder: holder, done: make(chan struct{})}
	if a.self, err = os.Lstat(filepath.Join(dir, socketName)); err != nil {
		return 1
	}
	fd, err := unix.PidfdOpen(holder, 0)
	if err != nil || !a.holds() {
		a.leave()
		return 1
	}
	a.adopt()
	go func() {
		_ = gone(fd, 1<<62) // an error: nobody to wait for
		a.end()
	}()
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, unix.SIGTERM)
	go func() {
		<-terminated
		a.end()
	}()
	go a.accept(l)
	<-a.done
	a.close()
	_ = l.Close()
	a.leave()
	return 0
}

// holds looks whether the PID is still the holder's: that one has the token among its arguments.
func (a *agent) holds() bool {
	argv, err := cmdline(a.holder)
	return err == nil && len(argv) == 4 && argv[3] == a.token
}

func (a *agent) end() { a.once.Do(func() { close(a.done) }) }

// leave removes what is this agent's. Another one may have taken over; the directory may be the next world's.
func (a *agent) leave() {
	lock, err := lockDir(a.dir)
	if err != nil {
		return
	}
	defer lock.Close()
	path := filepath.Join(a.dir, socketName)
	if now, err := os.Lstat(path); err != nil || !os.SameFile(now, a.self) {
		return
	}
	_ = os.Remove(path)
	if !a.holds() {
		_ = os.Remove(filepath.Join(a.dir, wantedName))
		_ = os.Remove(a.dir) // as long as somebody's files are there it stays
	}
}

func (a *agent) accept(l *net.UnixListener) {
	for {
		conn, err := l.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of descriptors: it may pass
			<-time.After(50 * time.Millisecond)
		default:
			go func() {
				defer conn.Close()
				a.serve(conn)
			}()
		}
	}
}

// serve answers one request.
func (a *agent) serve(conn *net.UnixConn) {
	buf := make([]byte, maxMessage)
	n, err := conn.Read(buf)
	if err != nil {
		return
	}
	var req request
	var r reply
	var file *os.File
	if err = json.Unmarshal(buf[:n], &req); err == nil {
		switch req.Op {
		case opCheck:
			a.check()
		case opOpen:
			r.Way, err = a.open()
		case opListen:
			file, err = listen(req.Proto, req.Addr)
		case opEnd:
			a.close()
			r.PID = os.Getpid()
		default:
			err = fmt.Errorf("unknown request %q", req.Op)
		}
	}
	if err != nil {
		r.Error = faultOf(err)
	}
	var oob []byte
	if file != nil {
		defer file.Close()
		oob = unix.UnixRights(int(file.Fd()))
	}
	if data, err := json.Marshal(r); err == nil {
		_, _, _ = conn.WriteMsgUnix(data, oob, nil) // nobody waits for an answer to opCheck
	}
	if req.Op == opEnd {
		_ = conn.SetReadDeadline(time.Now().Add(endWait))
		_, _ = conn.Read(buf) // until the other side knows whom to wait for
		a.end()
	}
}

// check repairs a way out that was open and is not any more.
func (a *agent) check() {
	if _, err := os.Lstat(filepath.Join(a.dir, wantedName)); err == nil {
		_, _ = a.open() // whoever wants to know asks for it
	}
}

func (a *agent) open() (Way, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.done:
		return Way{}, errors.New("the world ends")
	default:
	}
	if a.tool.alive() {
		return a.way, nil
	}
	if err := os.WriteFile(filepath.Join(a.dir, wantedName), nil, 0o600); err != nil {
		return Way{}, err
	}
	a.way = Way{}
	have, used := surroundings()
	for _, t := range tools() {
		path, ok := find(t.name)
		if !ok {
			continue
		}
		if !have.ip4 && !(have.ip6 && t.ip6) {
			return Way{Tool: t.name, Failed: "the machine itself has no default route"}, nil
		}
		p := freePrefix(used)
		r, err := a.run(t, path, p, have)
		if err == nil {
			a.tool, a.way = r, Way{Tool: t.name}
			if have.ip4 {
				a.way.Prefix, a.way.DNS = p, nth(p, t.dns)
			}
			return a.way, nil
		}
		if a.way.Failed == "" {
			a.way = Way{Tool: t.name, Failed: err.Error()}
		}
	}
	return a.way, nil
}

func (a *agent) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tool.alive() {
		a.tool.kill()
	}
	a.tool, a.way = nil, Way{}
}

// adopt takes over the tool of an agent that was killed.
func (a *agent) adopt() {
	for _, p := range toolsOf(a.token) {
		if p.helper {
			continue
		}
		fd, err := unix.PidfdOpen(p.pid, 0)
		if err != nil {
			continue
		}
		if again, err := cmdline(p.pid); err != nil || len(again) == 0 || again[0] != p.argv[0] || a.tool != nil {
			_ = unix.Close(fd)
			continue
		}
		a.tool = adopted(p.pid, fd)
		a.way = Way{Tool: filepath.Base(p.argv[0]), Prefix: parsePrefix(p.argv)}
		if a.way.Prefix.IsValid() {
			a.way.DNS = nth(a.way.Prefix, 3)
		}
	}
}

// listen binds on the real host.
func listen(proto string, addr netip.AddrPort) (*os.File, error) {
	family := "4"
	if addr.Addr().Is6() {
		family = "6"
	}
	var f *os.File
	var err error
	var lc net.ListenConfig
	switch proto {
	case "tcp":
		var l net.Listener
		if l, err = lc.Listen(context.Background(), "tcp"+family, addr.String()); err == nil {
			f, err = l.(*net.TCPListener).File()
			_ = l.Close()
		}
	case "udp":
		var c net.PacketConn
		if c, err = lc.ListenPacket(context.Background(), "udp"+family, addr.String()); err == nil {
			f, err = c.(*net.UDPConn).File()
			_ = c.Close()
		}
	default:
		return nil, fmt.Errorf("unknown protocol %q", proto)
	}
	if err == nil {
		return f, nil
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return nil, err
	}
	return nil, explain(errno, proto, addr)
}
