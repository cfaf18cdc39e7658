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
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoAgent is returned when the process outside does not answer.
var ErrNoAgent = errors.New("the process that connects your world with the machine does not answer (hint: it was killed; the next command from outside the world starts another)")

// A Client asks the agent of the world whose directory it is. The zero value is of no world.
type Client struct {
	Dir string
}

// Open opens the way out, unless it is open, and says what it is. That there is none is no error.
func (c Client) Open(ctx context.Context) (Way, error) {
	r, _, err := c.ask(ctx, request{Op: opOpen})
	if err != nil {
		return Way{}, fmt.Errorf("open the way out of your world: %w", err)
	}
	return r.Way, nil
}

// Listen binds a port of the real host: proto is "tcp" or "udp". An address that is not specified is every one of its
// family. The errors are those of bind(2), with who has the port, where that can be seen, and what would help.
func (c Client) Listen(ctx context.Context, proto string, addr netip.AddrPort) (*os.File, error) {
	_, f, err := c.ask(ctx, request{Op: opListen, Proto: proto, Addr: addr})
	if err != nil {
		return nil, fmt.Errorf("publish %s/%s on the real host: %w", addr, proto, err)
	}
	if f == nil {
		return nil, fmt.Errorf("publish %s/%s on the real host: %w", addr, proto, ErrNoAgent)
	}
	return f, nil
}

// ask sends one request and waits for its answer. A file that comes with the answer is the caller's.
func (c Client) ask(ctx context.Context, req request) (reply, *os.File, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return reply{}, nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	r, f, err := talk(conn, req)
	if ctx.Err() != nil && err != nil {
		err = ctx.Err()
	}
	return r, f, err
}

func (c Client) dial(ctx context.Context) (conn *net.UnixConn, err error) {
	err = at(c.Dir, func(path string) error {
		var d net.Dialer
		nc, err := d.DialContext(ctx, network, path)
		if err != nil {
			return err
		}
		conn = nc.(*net.UnixConn)
		return nil
	})
	if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoAgent
	}
	return conn, err
}

func talk(conn *net.UnixConn, req request) (reply, *os.File, error) {
	data, err := json.Marshal(req)
	if err != nil {
		return reply{}, nil, err
	}
	if _, err := conn.Write(data); err != nil {
		return reply{}, nil, fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	buf, oob := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := conn.ReadMsgUnix(buf, oob)
	if err != nil || n == 0 {
		return reply{}, nil, errors.Join(ErrNoAgent, err)
	}
	f, err := received(oob[:oobn])
	if err != nil {
		return reply{}, nil, err
	}
	var r reply
	err = json.Unmarshal(buf[:n], &r)
	if err == nil && r.Error != nil {
		err = r.Error
	}
	if err != nil && f != nil {
		_ = f.Close()
		f = nil
	}
	return r, f, err
}

// received is the descriptor that came with a message, nil when none did.
func received(oob []byte) (*os.File, error) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	for _, m := range msgs {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		if len(fds) == 1 {
			return os.NewFile(uintptr(fds[0]), "socket of the real host"), nil
		}
	}
	return nil, nil
}

func (f *fault) Error() string { return f.Text }

// Unwrap is the kernel's error, for errors.Is.
func (f *fault) Unwrap() error {
	if f.Errno == 0 {
		return nil
	}
	return f.Errno
}

func faultOf(err error) *fault {
	f := &fault{Text: err.Error()}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		f.Errno = errno
	}
	return f
}
