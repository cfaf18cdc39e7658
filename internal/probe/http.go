package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// An HTTPTarget is a URL, or an address with port and path.
type HTTPTarget struct {
	// URL is http or https; "" = http://ADDR:PORT/PATH.
	URL  string
	Addr netip.Addr
	Port uint16 // 0 = 80
	Path string // "" = "/"
	// Host is the name to say in the request when there is no URL; "" = the address.
	Host string
	// Resolve gives the addresses of a name in the URL or in a redirect; nil = only literal addresses are known.
	Resolve func(name string) []netip.Addr
}

func (t HTTPTarget) url() string {
	if t.URL != "" {
		return t.URL
	}
	port := t.Port
	if port == 0 {
		port = 80
	}
	path := t.Path
	if path == "" || path[0] != '/' {
		path = "/" + path
	}
	return "http://" + hostPort(t.Addr, port) + path
}

// hostPort writes an address as a URL wants it; the percent sign of a zone is escaped (RFC 6874).
func hostPort(a netip.Addr, port uint16) string {
	a = a.Unmap()
	if !a.Is6() {
		return netip.AddrPortFrom(a, port).String()
	}
	host := a.WithZone("").String()
	if z := a.Zone(); z != "" {
		host += "%25" + url.PathEscape(z)
	}
	return "[" + host + "]:" + strconv.Itoa(int(port))
}

// maxBody is how much of a body is read before the connection is closed.
const maxBody = 1 << 20

// HTTP sends a GET request; OK is a response with a status below 400.
func HTTP(ctx context.Context, ns Opener, t HTTPTarget, o Options) Result {
	timeout := o.timeout(connectTimeout)
	timed, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(timed, http.MethodGet, t.url(), nil)
	if err != nil {
		return failed(err)
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return failed(fmt.Errorf("URL %q: neither http nor https", t.URL))
	}
	if t.Host != "" && t.URL == "" {
		req.Host = t.Host
	}
	req.Header.Set("User-Agent", "warren")
	tr := &http.Transport{
		Proxy:             nil,
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, addr string) (net.Conn, error) { return t.dial(ctx, ns, addr, o) },
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see the package comment
	}
	defer tr.CloseIdleConnections()
	start := time.Now()
	resp, err := (&http.Client{Transport: tr}).Do(req)
	took := time.Since(start)
	if err != nil {
		r := httpError(ctx, err, timeout)
		r.Took = took
		return r
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	r := Result{OK: resp.StatusCode < 400, Code: OK, Took: took, Detail: fmt.Sprintf("status %s after %s", resp.Status, round(took))}
	if !r.OK {
		r.Code = BadAnswer
	}
	r.From = t.Addr
	return r
}

func httpError(ctx context.Context, err error, timeout time.Duration) Result {
	if d, ok := errors.AsType[*dialError](err); ok {
		return d.r
	}
	switch {
	case ctx.Err() != nil:
		return failed(ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return silence(timeout)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Result{Code: BadAnswer, Detail: "the connection was closed without a response"}
	}
	if r := localError(err, netip.Addr{}); r.Code == Reset {
		return Result{Code: Reset, Detail: "the connection was reset"}
	}
	return Result{Code: BadAnswer, Detail: "no proper response: " + err.Error()}
}

func (t HTTPTarget) dial(ctx context.Context, ns Opener, hostport string, o Options) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q: %w", portText, err)
	}
	var addrs []netip.Addr
	if a, err := netip.ParseAddr(host); err == nil {
		addrs = []netip.Addr{a}
	} else if t.Resolve != nil {
		addrs = t.Resolve(host)
	}
	if len(addrs) == 0 {
		return nil, &dialError{failed(fmt.Errorf("no address of %q is known in this lab", host))}
	}
	var last error
	for _, a := range addrs {
		c, err := Dial(ctx, ns, netip.AddrPortFrom(a, uint16(port)), o)
		if err == nil {
			return c, nil
		}
		last = err
	}
	return nil, last
}
