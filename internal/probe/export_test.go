package probe

import "net/netip"

// EncodeEcho and DecodeEcho are the codec, for fuzzing.
var EncodeEcho = encodeEcho

// DecodeEcho tells sequence number and token of an answer.
func DecodeEcho(v6 bool, id uint16, b []byte) (seq uint16, token uint64, reply, ok bool) {
	e, ok := decodeEcho(v6, id, netip.Addr{}, b)
	return e.seq, e.token, e.reply, ok
}
