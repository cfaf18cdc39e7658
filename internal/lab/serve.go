package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

func (s *supervisor) accept() {
	for {
		c, err := s.listen.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select { // out of descriptors or memory: it may pass
			case <-time.After(50 * time.Millisecond):
				continue
			case <-s.over:
				return
			}
		}
		s.mu.Lock()
		if s.conns < 0 {
			s.mu.Unlock()
			_ = c.Close()
			continue
		}
		s.conns++
		s.mu.Unlock()
		go func() {
			s.serve(c.(*net.UnixConn))
			_ = c.Close()
			s.mu.Lock()
			s.conns--
			s.served = true
			s.changeLocked()
			s.mu.Unlock()
		}()
	}
}

// peerAllowed: only root and our own user, whatever the socket's mode says.
func peerAllowed(c *net.UnixConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil || credErr != nil {
		return false
	}
	return cred.Uid == 0 || int(cred.Uid) == os.Geteuid()
}

// requestTimeout is how long a client may take to say what it wants.
const requestTimeout = 5 * time.Second

func (s *supervisor) serve(c *net.UnixConn) {
	if !peerAllowed(c) {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(requestTimeout))
	dec := json.NewDecoder(c)
	var req request
	if err := dec.Decode(&req); err != nil {
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, c) // ends when the client goes, or when we close
		close(gone)
	}()
	p := &session{s: s, enc: json.NewEncoder(c), gone: gone}
	if req.Protocol != protocol {
		_ = p.enc.Encode(reply{Final: true, Error: fmt.Sprintf("protocol %d is not spoken here, only %d", req.Protocol, protocol)})
		return
	}
	_ = p.enc.Encode(reply{}) // heard
	s.mu.Lock()
	p.sent = len(s.events)
	s.mu.Unlock()
	var err error
	switch req.Op {
	case opStatus:
	case opApply:
		if err = p.follow(func() error { return s.apply(req.Services) }); err == nil {
			p.until(s.settled)
		}
	case opStop:
		err = p.follow(func() error { return s.stop(context.Background(), req.IDs) })
	default:
		err = fmt.Errorf("unknown request %q", req.Op)
	}
	r := reply{Final: true, Status: s.status()}
	if err != nil {
		r.Error = err.Error()
	}
	_ = p.enc.Encode(r)
}

// A session is one client's connection, to which events are sent. What the client asked for goes on when it goes.
type session struct {
	s    *supervisor
	enc  *json.Encoder
	gone <-chan struct{}
	sent int // events
}

// follow sends events while f runs.
func (p *session) follow(f func() error) error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	for {
		changed := p.send()
		select {
		case err := <-result:
			p.send()
			return err
		case <-p.gone:
			return nil
		case <-changed:
		}
	}
}

// until sends events until over reports true.
func (p *session) until(over func() bool) {
	for {
		changed := p.send()
		if over() {
			p.send()
			return
		}
		select {
		case <-p.gone:
			return
		case <-changed:
		}
	}
}

// send sends the events that are new and returns the channel that tells of later ones.
func (p *session) send() <-chan struct{} {
	p.s.mu.Lock()
	events := slices.Clone(p.s.events[p.sent:])
	changed := p.s.changed
	p.s.mu.Unlock()
	p.sent += len(events)
	for _, e := range events {
		_ = p.enc.Encode(reply{Event: &e}) // a client that is gone closes p.gone
	}
	return changed
}

// settled reports whether every service has come to rest.
func (s *supervisor) settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.services {
		if !v.st.State.Settled() {
			return false
		}
	}
	return true
}
