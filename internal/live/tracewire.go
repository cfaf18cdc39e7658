package live

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Attributes of NFT_MSG_TRACE (enum nft_trace_attributes).
const (
	traceTable     = 1
	traceChain     = 2
	traceHandle    = 3
	traceType      = 4
	traceVerdict   = 5
	traceID        = 6
	traceNetwork   = 8
	traceTransport = 9
	traceIIF       = 10
	traceOIF       = 12
	tracePolicy    = 16
)

// Types of a trace message (enum nft_trace_types).
const (
	tracedPolicy = 1
	tracedReturn = 2
	tracedRule   = 3
)

// Verdicts (linux/netfilter.h, enum nft_verdicts).
const (
	verdictDrop   = 0
	verdictStolen = 2
	verdictQueue  = 3
	verdictCont   = -1
	verdictBreak  = -2
	verdictJump   = -3
	verdictGoto   = -4
	verdictReturn = -5
)

// A traced is one message of a trace: what a rule, or a chain's policy, did with a packet.
type traced struct {
	family  uint8
	table   string
	chain   string
	handle  uint64 // of the rule; 0 = the policy, or a return
	typ     uint32
	verdict int32 // of a rule or policy
	target  string
	id      uint32 // of the packet
	iif     uint32
	oif     uint32
	// packet begins with the network header. The kernel sends it with the first message of each chain that hooks call.
	packet []byte
}

var errTrace = errors.New("malformed trace message")

// decodeTrace reads the body of NFT_MSG_TRACE. Unknown attributes are passed over: newer kernels have more.
func decodeTrace(b []byte) (traced, error) {
	var t traced
	if len(b) < 4 {
		return t, errTrace
	}
	t.family = b[0]
	ad, err := netlink.NewAttributeDecoder(b[4:])
	if err != nil {
		return t, fmt.Errorf("%w: %w", errTrace, err)
	}
	ad.ByteOrder = binary.BigEndian
	var network, transport []byte
	policy := int32(verdictAccept)
	for ad.Next() {
		switch ad.Type() {
		case traceTable:
			t.table = ad.String()
		case traceChain:
			t.chain = ad.String()
		case traceHandle:
			t.handle = ad.Uint64()
		case traceType:
			t.typ = ad.Uint32()
		case traceVerdict:
			ad.Nested(func(ad *netlink.AttributeDecoder) error {
				for ad.Next() {
					switch ad.Type() {
					case unix.NFTA_VERDICT_CODE:
						t.verdict = int32(ad.Uint32())
					case unix.NFTA_VERDICT_CHAIN:
						t.target = ad.String()
					}
				}
				return ad.Err()
			})
		case traceID:
			t.id = ad.Uint32()
		case traceNetwork:
			network = ad.Bytes()
		case traceTransport:
			transport = ad.Bytes()
		case traceIIF:
			t.iif = ad.Uint32()
		case traceOIF:
			t.oif = ad.Uint32()
		case tracePolicy:
			policy = int32(ad.Uint32())
		}
	}
	if err := ad.Err(); err != nil {
		return traced{}, fmt.Errorf("%w: %w", errTrace, err)
	}
	if t.typ == tracedPolicy {
		t.verdict = policy
	}
	if network != nil {
		t.packet = append(append([]byte{}, network...), transport...)
	}
	return t, nil
}

// verdictWord is a verdict as nft writes it.
func verdictWord(v int32, target string) string {
	switch v & 0xff {
	case verdictDrop:
		return "drop"
	case verdictAccept:
		return "accept"
	case verdictStolen:
		return "stolen"
	case verdictQueue:
		return "queue"
	}
	switch v {
	case verdictCont, verdictBreak:
		return "continue"
	case verdictJump:
		return "jump " + target
	case verdictGoto:
		return "goto " + target
	case verdictReturn:
		return "return"
	}
	return fmt.Sprintf("verdict %d", v)
}

func familyWord(f uint8) string {
	switch f {
	case familyInet4:
		return "ip"
	case familyInet6:
		return "ip6"
	case familyBridge:
		return "bridge"
	case unix.NFPROTO_INET:
		return "inet"
	case unix.NFPROTO_ARP:
		return "arp"
	case unix.NFPROTO_NETDEV:
		return "netdev"
	}
	return fmt.Sprintf("family %d", f)
}
