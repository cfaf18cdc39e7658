package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"warren/internal/forward"
)

// ProxyService is a service that forwards what comes to listen on the host to another address: for what the kernel
// cannot translate, such as a port of ::1. proto is "tcp" or "udp". name is the service's, of the node "host".
func ProxyService(name, proto string, listen, to netip.AddrPort) Service {
	return Service{
		Node: "host", Name: name, Log: "none",
		Argv:  []string{"/proc/self/exe", proxyArg, proto, listen.String(), to.String()},
		Ready: Ready{Kind: proto, Port: listen.Port()},
	}
}

func proxyMain(args []string) int {
	if len(args) != 3 {
		return statusBroken
	}
	ctx, cancel := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer cancel()
	listen, err1 := netip.ParseAddrPort(args[1])
	to, err2 := netip.ParseAddrPort(args[2])
	if err := errors.Join(err1, err2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return statusBroken
	}
	var err error
	switch args[0] {
	case "tcp":
		err = proxyTCP(ctx, listen, to)
	case "udp":
		err = proxyUDP(ctx, listen, to)
	default:
		err = fmt.Errorf("unknown protocol %q", args[0])
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func proxyTCP(ctx context.Context, listen, to netip.AddrPort) error {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(listen))
	if err != nil {
		return err
	}
	return forward.TCP(ctx, l, func(ctx context.Context, _ netip.AddrPort) (*net.TCPConn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", to.String())
		if err != nil {
			return nil, err
		}
		return c.(*net.TCPConn), nil
	})
}

func proxyUDP(ctx context.Context, listen, to netip.AddrPort) error {
	l, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(listen))
	if err != nil {
		return err
	}
	return forward.UDP(ctx, l, func(context.Context, netip.AddrPort) (*net.UDPConn, error) {
		return net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	})
}
