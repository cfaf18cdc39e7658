package probe

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A DNSQuery asks a server for a name.
type DNSQuery struct {
	Server netip.Addr
	Port   uint16 // 0 = 53
	// Name is asked for as a fully qualified one, with or without the last dot. "" asks for the root's servers, to which
	// every answer, an error included, is a yes: the server is there.
	Name string
	// Type is "A" (also ""), "AAAA", "NS", "MX", "TXT", "PTR", "CNAME", "SOA" or "SRV".
	Type string
}

// DNS asks a server, by UDP and, when the answer does not fit, by TCP. OK means an answer without an error and with a
// record of that type.
func DNS(ctx context.Context, ns Opener, q DNSQuery, o Options) Result {
	start := time.Now()
	msg, r := lookUp(ctx, ns, q, o)
	if msg == nil {
		return r
	}
	r = Result{Took: time.Since(start), From: q.Server}
	var found []string
	for _, a := range msg.Answers {
		if text := recordText(a.Body); text != "" {
			found = append(found, text)
		}
	}
	switch {
	case q.Name == "":
		r.OK, r.Code, r.Detail = true, OK, fmt.Sprintf("%s answers (%s)", q.Server, rcode(msg.RCode))
	case msg.RCode != dnsmessage.RCodeSuccess:
		r.Code, r.Detail = BadAnswer, fmt.Sprintf("%s says %s for %s", q.Server, rcode(msg.RCode), q.Name)
	case len(msg.Answers) == 0:
		r.Code, r.Detail = BadAnswer, fmt.Sprintf("%s has no such record of %s", q.Server, q.Name)
	default:
		r.OK, r.Code, r.Detail = true, OK, fmt.Sprintf("%s is %s, says %s", q.Name, strings.Join(found, ", "), q.Server)
	}
	return r
}

// lookUp returns the answer, or why there is none.
func lookUp(ctx context.Context, ns Opener, q DNSQuery, o Options) (*dnsmessage.Message, Result) {
	if q.Port == 0 {
		q.Port = dnsPort
	}
	typ, ok := queryType(q)
	if !ok {
		return nil, failed(fmt.Errorf("unknown type of record %q", q.Type))
	}
	name, err := dnsmessage.NewName(strings.TrimSuffix(q.Name, ".") + ".")
	if err != nil {
		return nil, failed(fmt.Errorf("name %q: %w", q.Name, err))
	}
	var rnd [2]byte
	if _, err := rand.Read(rnd[:]); err != nil {
		return nil, failed(err)
	}
	id := binary.BigEndian.Uint16(rnd[:])
	query, err := encodeQuery(id, name, typ)
	if err != nil {
		return nil, failed(fmt.Errorf("name %q: %w", q.Name, err))
	}
	if o.Timeout == 0 {
		o.Timeout = connectTimeout
	}
	server := netip.AddrPortFrom(q.Server, q.Port)
	var msg dnsmessage.Message
	_, r := exchange(ctx, ns, server, query, o, func(b []byte) bool { return decodeAnswer(b, id, &msg) })
	if !r.OK {
		return nil, r
	}
	if msg.Truncated {
		if err := overTCP(ctx, ns, server, query, id, &msg, o); err != nil {
			return nil, Result{Code: BadAnswer, Detail: fmt.Sprintf("the answer is too long for UDP, and over TCP: %v", err), From: q.Server}
		}
	}
	return &msg, r
}

func queryType(q DNSQuery) (dnsmessage.Type, bool) {
	if q.Name == "" {
		return dnsmessage.TypeNS, true
	}
	switch strings.ToUpper(q.Type) {
	case "", "A":
		return dnsmessage.TypeA, true
	case "AAAA":
		return dnsmessage.TypeAAAA, true
	case "NS":
		return dnsmessage.TypeNS, true
	case "MX":
		return dnsmessage.TypeMX, true
	case "TXT":
		return dnsmessage.TypeTXT, true
	case "PTR":
		return dnsmessage.TypePTR, true
	case "CNAME":
		return dnsmessage.TypeCNAME, true
	case "SOA":
		return dnsmessage.TypeSOA, true
	case "SRV":
		return dnsmessage.TypeSRV, true
	default:
		return 0, false
	}
}

func encodeQuery(id uint16, name dnsmessage.Name, typ dnsmessage.Type) ([]byte, error) {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: typ, Class: dnsmessage.ClassINET}},
	}
	return m.Pack()
}

func decodeAnswer(b []byte, id uint16, m *dnsmessage.Message) bool {
	var got dnsmessage.Message
	if got.Unpack(b) != nil || got.ID != id || !got.Response {
		return false
	}
	*m = got
	return true
}

func overTCP(ctx context.Context, ns Opener, server netip.AddrPort, query []byte, id uint16, m *dnsmessage.Message, o Options) error {
	c, err := Dial(ctx, ns, server, o)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(o.timeout(connectTimeout)))
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return err
	}
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return err
	}
	b := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if !decodeAnswer(b, id, m) {
		return errors.New("the answer is none")
	}
	return nil
}

func rcode(c dnsmessage.RCode) string {
	switch c {
	case dnsmessage.RCodeSuccess:
		return "NOERROR"
	case dnsmessage.RCodeFormatError:
		return "FORMERR"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case dnsmessage.RCodeNotImplemented:
		return "NOTIMP"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	default:
		return fmt.Sprintf("RCODE %d", c)
	}
}

func recordText(b dnsmessage.ResourceBody) string {
	switch r := b.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(r.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(r.AAAA).String()
	case *dnsmessage.NSResource:
		return r.NS.String()
	case *dnsmessage.CNAMEResource:
		return r.CNAME.String()
	case *dnsmessage.MXResource:
		return r.MX.String()
	case *dnsmessage.PTRResource:
		return r.PTR.String()
	case *dnsmessage.TXTResource:
		return strings.Join(r.TXT, "")
	case *dnsmessage.SRVResource:
		return r.Target.String()
	default:
		return ""
	}
}
