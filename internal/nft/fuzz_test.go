package nft_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"

	"warren/internal/nft"
	"warren/state"
)

// pack writes messages as type, length and body; unpack reads that back.
func pack(msgs []netlink.Message) []byte {
	var b []byte
	for _, m := range msgs {
		b = binary.LittleEndian.AppendUint16(b, uint16(m.Header.Type))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(m.Data)))
		b = append(b, m.Data...)
	}
	return b
}

func unpack(b []byte) []netlink.Message {
	var msgs []netlink.Message
	for len(b) >= 4 {
		n := min(int(binary.LittleEndian.Uint16(b[2:])), len(b)-4)
		msgs = append(msgs, netlink.Message{
			Header: netlink.Header{Type: netlink.HeaderType(binary.LittleEndian.Uint16(b))}, Data: b[4 : 4+n : 4+n],
		})
		b = b[4+n:]
	}
	return msgs
}

func messagesOf(tb testing.TB, table state.Table) []netlink.Message {
	tb.Helper()
	reqs, err := nft.Encode([]nft.Op{{Replace: &table}})
	if err != nil {
		tb.Fatal(err)
	}
	msgs := make([]netlink.Message, len(reqs))
	for i, r := range reqs {
		msgs[i] = netlink.Message{Header: netlink.Header{Type: r.Type}, Data: r.Data}
	}
	return msgs
}

// FuzzDecode feeds broken messages. What can be decoded, and written again, decodes to the same; and it can be printed.
func FuzzDecode(f *testing.F) {
	for _, table := range written() {
		f.Add(pack(messagesOf(f, table)))
	}
	for _, phrases := range [][]state.Expr{
		state.SaddrIn(netip.MustParsePrefix("10.0.0.0/9")), state.Dport("tcp", state.OnePort(1), state.PortRange{First: 5, Last: 9}),
		state.CTState("new"), state.DNATTo(netip.MustParseAddr("fd00::1"), 80), state.SetMark(7), state.LogPrefix("x"), state.LimitTo(5, "hour"),
		state.RejectWith("tcp reset"), state.FIBLocal(), state.Count(), state.PayloadIs("ip", "dscp", state.Value{Type: "dscp", Data: "\x08"}),
	} {
		f.Add(pack(messagesOf(f, state.Table{Family: "inet", Name: "t", Chains: []state.Chain{state.SubChain("c", state.RuleOf(phrases))}})))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tables, err := nft.Decode(unpack(b))
		if err != nil {
			return
		}
		for _, table := range tables {
			nft.Text(table)
			again, err := reread(table)
			if errors.Is(err, nft.ErrUnsupported) {
				continue
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, nft.Text(table))
			}
			if diff := cmp.Diff(table.Canonical(), again.Canonical()); diff != "" {
				t.Fatalf("-first +again:\n%s", diff)
			}
		}
	})
}
