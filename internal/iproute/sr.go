package iproute

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

const srUsage = `Usage: ip sr hmac { show | set KEY { sha1 | sha256 } }
       ip sr tunsrc { show | set ADDRESS }`

// Commands and attributes of IPv6's segment routing (linux/seg6_genl.h).
const (
	srSetHMAC   = 1
	srDumpHMAC  = 2
	srSetSource = 3
	srGetSource = 4

	srDst       = 1
	srKeyID     = 3
	srSecret    = 4
	srSecretLen = 5
	srAlgorithm = 6
)

// An srDigest is how a key signs, a number of linux/seg6_hmac.h.
type srDigest uint8

const (
	srSHA1   srDigest = 1
	srSHA256 srDigest = 2
)

func (d srDigest) String() string {
	switch d {
	case srSHA1:
		return "sha1"
	case srSHA256:
		return "sha256"
	}
	return "<unknown>"
}

// srObject is "ip sr": the keys that sign segments, and the source of what is encapsulated.
func srObject(s *session, w *words) {
	if !w.more() || matches(w.peek(), "help") {
		usageOf(srUsage)
	}
	object := w.peek()
	hmac := matches(object, "hmac")
	if !hmac && !matches(object, "tunsrc") {
		invalid("unknown", object)
	}
	verb := w.next()
	show := matches(verb, "show")
	if !show && !matches(verb, "set") {
		invalid("unknown", verb)
	}
	switch {
	case hmac && show:
		s.srKeys()
	case hmac:
		s.srSetKey(w)
	case show:
		s.srSource()
	default:
		addr := address(w.next(), unix.AF_INET6)
		f := s.srFamily()
		m := f.message(srSetSource)
		if !addr.IsValid() {
			addr = netip.IPv6Unspecified()
		}
		m.Addr(srDst, addr)
		s.talk(f, m)
	}
}

func (s *session) srFamily() genlFamily { return s.family("SEG6") }

// srSetKey sets or, with an empty secret, deletes a key.
func (s *session) srSetKey(w *words) {
	word := w.next()
	id, ok := parseUint(word, 0, 32)
	if !ok || id == 0 {
		invalid("hmac KEYID value is invalid", word)
	}
	var digest srDigest
	switch word := w.next(); word {
	case srSHA1.String():
		digest = srSHA1
	case srSHA256.String():
		digest = srSHA256
	default:
		invalid("hmac ALGO value is invalid", word)
	}
	secret := s.secret("Enter secret for HMAC key ID (blank to delete): ")
	f := s.srFamily()
	m := f.message(srSetHMAC)
	m.U32(srKeyID, uint32(id))
	m.U8(srSecretLen, uint8(len(secret)))
	m.U8(srAlgorithm, uint8(digest))
	if secret != "" {
		m.Bytes(srSecret, []byte(secret))
	}
	s.talk(f, m)
}

func (s *session) srKeys() {
	f := s.srFamily()
	keys := s.list(f, f.message(srDumpHMAC))
	p := s.out()
	for _, a := range keys {
		s.printKey(p, a)
	}
}

// printKey prints a key as it is: what the kernel gives to anyone who may ask.
func (s *session) printKey(p *printer, a rtnl.Attrs) {
	p.openObject("")
	num(p, "hmac", "hmac %d ", a.U32(srKeyID))
	p.str("algo", "algo %s ", srDigest(a.U8(srAlgorithm)).String())
	secret := a.Bytes(srSecret)
	p.str("secret", "secret \"%s\"\n", string(secret[:min(len(secret), int(a.U8(srSecretLen)), 63)]))
	p.closeObject()
}

func (s *session) srSource() {
	f := s.srFamily()
	answer := s.get(f, f.message(srGetSource))
	p := s.out()
	for _, a := range answer {
		p.openObject("")
		p.str("tunsrc", "tunsrc addr %s\n", a.Addr(srDst).String())
		p.closeObject()
	}
}
