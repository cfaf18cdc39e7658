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
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/forward"
)

// relayArg is the hidden first argument of a relay: warren @relay WORLD-DIRECTORY LAB-DIRECTORY.
const relayArg = "@relay"

// relaySocket is in the lab's directory, and goes with it.
const relaySocket = "relay"

// A Port is one that a lab publishes on the real host.
type Port struct {
	Proto string         `json:"proto"` // "tcp" or "udp"
	Host  netip.AddrPort `json:"host"`  // the unspecified address = every address of its family
	To    netip.AddrPort `json:"to"`    // where in the world
}

func (p Port) key() string { return p.Proto + " " + p.Host.String() }

// RelayArgv is the command of a lab's relay, the process in the world that passes on what comes to the real host's ports.
func RelayArgv(worldDir, labDir string) []string {
	return []string{"/proc/self/exe", relayArg, worldDir, labDir}
}

// relayWait is how long a relay that was just started gets to listen.
const relayWait = 10 * time.Second

// Publish makes these ports, and no others, a lab's on the real host. Ports that were there before keep their connections.
// The error names each port that could not be had; the others are published.
func Publish(ctx context.Context, labDir string, ports []Port) error {
	ctx, cancel := context.WithTimeout(ctx, relayWait)
	defer cancel()
	conn, err := dialRelay(ctx, labDir)
	if err != nil {
		return fmt.Errorf("publish on the real host: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	var faults []fault
	if err := errors.Join(json.NewEncoder(conn).Encode(ports), json.NewDecoder(conn).Decode(&faults)); err != nil {
		return fmt.Errorf("publish on the real host: the relay gave no answer: %w", err)
	}
	var errs []error
	for i := range faults {
		errs = append(errs, &faults[i])
	}
	return errors.Join(errs...)
}

// dialRelay waits until the relay listens.
func dialRelay(ctx context.Context, labDir string) (net.Conn, error) {
	d, err := os.Open(labDir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	for {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "unix", relayPath(d))
		if err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ECONNREFUSED) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the relay does not listen: %w", err)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func relayPath(dir *os.File) string {
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), relaySocket)
}

// A relay is the process in the world. Its ports are guarded by mu.
type relay struct {
	client Client
	dialer dialer

	mu    sync.Mutex
	ports map[string]*relayed
}

// A relayed port.
type relayed struct {
	port Port
	stop context.CancelFunc
	done chan struct{}
}

func relayMain(worldDir, labDir string) int {
	ctx, cancel := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer cancel()
	d, err := os.Open(labDir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer d.Close()
	_ = os.Remove(filepath.Join(labDir, relaySocket)) // of one that was killed
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: relayPath(d), Net: "unix"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	l.SetUnlinkOnClose(false) // the path is short for this process only
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	r := &relay{client: Client{Dir: worldDir}, ports: map[string]*relayed{}}
	if err := returnPath(); err != nil {
		fmt.Fprintf(os.Stderr, "who connects is not shown to nodes: %v\n", err)
	} else {
		r.dialer.transparent = true
	}
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			break
		}
		r.serve(ctx, conn)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.ports {
		p.stop()
		<-p.done
	}
	_ = os.Remove(filepath.Join(labDir, relaySocket))
	return 0
}

// serve takes a new set of ports.
func (r *relay) serve(ctx context.Context, conn *net.UnixConn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(relayWait))
	var want []Port
	if err := json.NewDecoder(conn).Decode(&want); err != nil {
		return
	}
	faults := []fault{}
	for _, err := range r.set(ctx, want) {
		faults = append(faults, *faultOf(err))
	}
	_ = json.NewEncoder(conn).Encode(faults)
}

func (r *relay) set(ctx context.Context, want []Port) (errs []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, p := range r.ports {
		ended := false
		select {
		case <-p.done:
			ended = true
		default:
		}
		if !ended && slices.Contains(want, p.port) {
			continue
		}
		p.stop()
		<-p.done
		delete(r.ports, key)
	}
	for _, p := range want {
		if r.ports[p.key()] != nil {
			continue
		}
		f, err := r.client.Listen(ctx, p.Proto, p.Host)
		if err == nil {
			r.ports[p.key()], err = r.start(ctx, p, f)
		}
		if err != nil {
			delete(r.ports, p.key())
			errs = append(errs, err)
		}
	}
	return errs
}

// start serves a port with the real host's socket.
func (r *relay) start(ctx context.Context, p Port, f *os.File) (*relayed, error) {
	defer f.Close()
	ctx, stop := context.WithCancel(ctx)
	x := &relayed{port: p, stop: stop, done: make(chan struct{})}
	var serve func()
	if p.Proto == "tcp" {
		l, err := net.FileListener(f)
		if err != nil {
			stop()
			return nil, err
		}
		serve = func() {
			_ = forward.TCP(ctx, l.(*net.TCPListener), func(ctx context.Context, from netip.AddrPort) (*net.TCPConn, error) {
				c, err := r.dialer.dial(ctx, "tcp", from, p.To)
				if err != nil {
					return nil, err
				}
				return c.(*net.TCPConn), nil
			})
		}
	} else {
		c, err := net.FilePacketConn(f)
		if err != nil {
			stop()
			return nil, err
		}
		serve = func() {
			_ = forward.UDP(ctx, c.(*net.UDPConn), func(ctx context.Context, from netip.AddrPort) (*net.UDPConn, error) {
				c, err := r.dialer.dial(ctx, "udp", from, p.To)
				if err != nil {
					return nil, err
				}
				return c.(*net.UDPConn), nil
			})
		}
	}
	go func() {
		defer close(x.done)
		defer stop()
		serve()
	}()
	return x, nil
}
