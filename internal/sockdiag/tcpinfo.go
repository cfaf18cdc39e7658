package sockdiag

import "encoding/binary"

// TCPInfo is struct tcp_info of linux/tcp.h up to tcpi_total_rto_time (Linux 6.7), under its names. Times are in microseconds
// where the kernel has them so (rto, ato, rtt, rttvar, rcv_rtt, min_rtt, busy_time, rwnd_limited, sndbuf_limited) and in
// milliseconds otherwise. What an older kernel does not tell is zero.
type TCPInfo struct {
	State, CAState, Retransmits, Probes, Backoff, Options uint8
	Wscale                                                uint8 // sending in the low four bits, receiving in the high ones
	Limited                                               uint8 // bit 0: the rate is the application's; bits 1 and 2: why no fast open

	RTO, ATO, SndMSS, RcvMSS                             uint32
	Unacked, Sacked, Lost, Retrans, Fackets              uint32
	LastDataSent, LastAckSent, LastDataRecv, LastAckRecv uint32
	PMTU, RcvSsthresh, RTT, RTTVar, SndSsthresh, SndCwnd uint32
	AdvMSS, Reordering, RcvRTT, RcvSpace, TotalRetrans   uint32

	PacingRate, MaxPacingRate, BytesAcked, BytesReceived uint64
	SegsOut, SegsIn, NotsentBytes, MinRTT                uint32
	DataSegsIn, DataSegsOut                              uint32
	DeliveryRate, BusyTime, RwndLimited, SndbufLimited   uint64
	Delivered, DeliveredCE                               uint32
	BytesSent, BytesRetrans                              uint64
	DsackDups, ReordSeen, RcvOoopack, SndWnd, RcvWnd     uint32
	Rehash                                               uint32
	TotalRTO, TotalRTORecoveries                         uint16
	TotalRTOTime                                         uint32
}

// tcpInfoLen is the size of [TCPInfo] in a message.
const tcpInfoLen = 248

// Options of a connection (TCPI_OPT_*).
const (
	TCPTimestamps = 1 << iota
	TCPSack
	TCPWscale
	TCPECN
	TCPECNSeen
	TCPSynData
)

func decodeTCPInfo(b []byte) *TCPInfo {
	var whole [tcpInfoLen]byte
	copy(whole[:], b)
	var t TCPInfo
	if _, err := binary.Decode(whole[:], native, &t); err != nil {
		return nil // it has that size
	}
	return &t
}

func (t *TCPInfo) encode() []byte {
	b, err := binary.Append(nil, native, t)
	if err != nil {
		return nil // every field has a fixed size
	}
	return b
}

// Vegas, DCTCP and BBR are what those congestion controls tell of themselves (struct tcpvegas_info and so on).
type (
	// Vegas is also filled in by illinois, westwood and others, for their round trip time in microseconds.
	Vegas struct{ Enabled, RTTCount, RTT, MinRTT uint32 }
	// DCTCP is Data Center TCP.
	DCTCP struct {
		Enabled, CEState    uint16
		Alpha, ABECN, ABTot uint32
	}
	// BBR has a bandwidth in bytes per second, microseconds, and gains of which 256 means 1.
	BBR struct {
		Bandwidth                    uint64
		MinRTT, PacingGain, CwndGain uint32
	}
)

func decodeVegas(b []byte) *Vegas {
	if len(b) < 16 {
		return nil
	}
	w := numbers(b[:16])
	return &Vegas{w[0], w[1], w[2], w[3]}
}

func (v *Vegas) encode(e *encoder) {
	if v != nil {
		e.words(inetVegas, v.Enabled, v.RTTCount, v.RTT, v.MinRTT)
	}
}

func decodeDCTCP(b []byte) *DCTCP {
	if len(b) < 16 {
		return nil
	}
	w := numbers(b[4:16])
	return &DCTCP{native.Uint16(b), native.Uint16(b[2:]), w[0], w[1], w[2]}
}

func (d *DCTCP) encode(e *encoder) {
	if d != nil {
		b := native.AppendUint16(nil, d.Enabled)
		b = native.AppendUint16(b, d.CEState)
		for _, w := range []uint32{d.Alpha, d.ABECN, d.ABTot} {
			b = native.AppendUint32(b, w)
		}
		e.bytes(inetDCTCP, b)
	}
}

func decodeBBR(b []byte) *BBR {
	if len(b) < 20 {
		return nil
	}
	w := numbers(b[:20])
	return &BBR{uint64(w[0]) | uint64(w[1])<<32, w[2], w[3], w[4]}
}

func (r *BBR) encode(e *encoder) {
	if r != nil {
		e.words(inetBBR, uint32(r.Bandwidth), uint32(r.Bandwidth>>32), r.MinRTT, r.PacingGain, r.CwndGain)
	}
}
