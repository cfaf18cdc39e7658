package iproute

import (
	"math"

	"warren/internal/sockdiag"
)

// tcpInfo writes what TCP tells of a connection, and what is stacked on it.
func (s *ss) tcpInfo(i *sockdiag.Inet) {
	if i.TCP != nil {
		s.tcpSetup(i)
		s.tcpCounters(i.TCP)
		s.tcpControl(i)
		s.tcpTimes(i)
		s.tcpLosses(i)
	}
	if len(i.MD5) > 0 {
		s.table.printf(" md5keys:%s", md5Keys(i.MD5))
	}
	if len(i.ULP) > 0 {
		s.upperLayer(i.ULP)
	}
}

// A ssNumber is written when it is not zero.
type ssNumber struct {
	name string
	v    uint64
}

func (s *ss) numbers(list ...ssNumber) {
	for _, n := range list {
		if n.v != 0 {
			s.table.printf(" %s:%d", n.name, n.v)
		}
	}
}

func (s *ss) milliseconds(name string, us float64) {
	if us != 0 {
		s.table.printf(" %s:%s", name, short(us/1000))
	}
}

// tcpSetup is what was agreed upon, and sizes.
func (s *ss) tcpSetup(i *sockdiag.Inet) {
	const defaultRTO = 3000000
	t, c := s.table, i.TCP
	if s.opt.timers {
		for _, o := range []struct {
			bit  uint8
			name string
		}{{sockdiag.TCPTimestamps, "ts"}, {sockdiag.TCPSack, "sack"}, {sockdiag.TCPECN, "ecn"}, {sockdiag.TCPECNSeen, "ecnseen"}, {sockdiag.TCPSynData, "fastopen"}} {
			if c.Options&o.bit != 0 {
				t.printf(" %s", o.name)
			}
		}
	}
	if i.Congestion != "" {
		t.printf(" %s", i.Congestion)
	}
	if c.Options&sockdiag.TCPWscale != 0 {
		t.printf(" wscale:%d,%d", c.Wscale&15, c.Wscale>>4)
	}
	if c.RTO != defaultRTO {
		s.milliseconds("rto", float64(c.RTO))
	}
	s.numbers(ssNumber{"backoff", uint64(c.Backoff)})
	if c.RTT != 0 {
		t.printf(" rtt:%s/%s", short(float64(c.RTT)/1000), short(float64(c.RTTVar)/1000))
	}
	s.milliseconds("ato", float64(c.ATO))
	s.signed(ssNumber{"mss", uint64(c.SndMSS)})
	s.numbers(ssNumber{"pmtu", uint64(c.PMTU)})
	s.signed(ssNumber{"rcvmss", uint64(c.RcvMSS)}, ssNumber{"advmss", uint64(c.AdvMSS)})
	s.numbers(ssNumber{"cwnd", uint64(c.SndCwnd)})
	if c.SndSsthresh < 0xffff {
		s.numbers(ssNumber{"ssthresh", uint64(c.SndSsthresh)})
	}
}

// signed writes 32-bit numbers as signed ones.
func (s *ss) signed(list ...ssNumber) {
	for _, n := range list {
		if n.v != 0 {
			s.table.printf(" %s:%d", n.name, int32(n.v))
		}
	}
}

func (s *ss) tcpCounters(c *sockdiag.TCPInfo) {
	s.numbers(
		ssNumber{"bytes_sent", c.BytesSent}, ssNumber{"bytes_retrans", c.BytesRetrans}, ssNumber{"bytes_acked", c.BytesAcked},
		ssNumber{"bytes_received", c.BytesReceived}, ssNumber{"segs_out", uint64(c.SegsOut)}, ssNumber{"segs_in", uint64(c.SegsIn)},
		ssNumber{"data_segs_out", uint64(c.DataSegsOut)}, ssNumber{"data_segs_in", uint64(c.DataSegsIn)},
	)
}

// tcpControl is what the congestion control tells of itself.
func (s *ss) tcpControl(i *sockdiag.Inet) {
	t := s.table
	if d := i.DCTCP; d != nil {
		if d.Enabled != 0 {
			t.printf(" dctcp:(ce_state:%d,alpha:%d,ab_ecn:%d,ab_tot:%d)", d.CEState, d.Alpha, d.ABECN, d.ABTot)
		} else {
			t.printf(" dctcp:fallback_mode")
		}
	}
	if b := i.BBR; b != nil {
		t.printf(" bbr:(bw:%sbps,mrtt:%s", s.rate(float64(b.Bandwidth)*8), short(float64(b.MinRTT)/1000))
		if b.PacingGain != 0 {
			t.printf(",pacing_gain:%s", short(float64(b.PacingGain)/256))
		}
		if b.CwndGain != 0 {
			t.printf(",cwnd_gain:%s", short(float64(b.CwndGain)/256))
		}
		t.printf(")")
	}
}

func (s *ss) tcpTimes(i *sockdiag.Inet) {
	t, c := s.table, i.TCP
	rtt := float64(c.RTT)
	if v := i.Vegas; v != nil && v.Enabled != 0 && v.RTT != 0 && v.RTT != math.MaxInt32 {
		rtt = float64(v.RTT)
	}
	if rtt > 0 && c.SndMSS != 0 && c.SndCwnd != 0 {
		t.printf(" send %sbps", s.rate(float64(c.SndCwnd)*float64(c.SndMSS)*8e6/rtt))
	}
	s.numbers(ssNumber{"lastsnd", uint64(c.LastDataSent)}, ssNumber{"lastrcv", uint64(c.LastDataRecv)}, ssNumber{"lastack", uint64(c.LastAckRecv)})
	if c.PacingRate != 0 && c.PacingRate != math.MaxUint64 {
		t.printf(" pacing_rate %sbps", s.rate(float64(c.PacingRate)*8))
		if c.MaxPacingRate != 0 && c.MaxPacingRate != math.MaxUint64 {
			t.printf("/%sbps", s.rate(float64(c.MaxPacingRate)*8))
		}
	}
	if c.DeliveryRate != 0 {
		t.printf(" delivery_rate %sbps", s.rate(float64(c.DeliveryRate)*8))
	}
	s.numbers(ssNumber{"delivered", uint64(c.Delivered)}, ssNumber{"delivered_ce", uint64(c.DeliveredCE)})
	if c.Limited&1 != 0 {
		t.printf(" app_limited")
	}
	if c.BusyTime == 0 {
		return
	}
	t.printf(" busy:%dms", c.BusyTime/1000)
	for _, l := range []ssNumber{{"rwnd_limited", c.RwndLimited}, {"sndbuf_limited", c.SndbufLimited}} {
		if l.v != 0 {
			t.printf(" %s:%dms(%.1f%%)", l.name, l.v/1000, 100*float64(l.v)/float64(c.BusyTime))
		}
	}
}

func (s *ss) tcpLosses(i *sockdiag.Inet) {
	const usualReordering = 3
	t, c := s.table, i.TCP
	s.numbers(ssNumber{"unacked", uint64(c.Unacked)})
	if c.Retrans != 0 || c.TotalRetrans != 0 {
		t.printf(" retrans:%d/%d", c.Retrans, c.TotalRetrans)
	}
	s.numbers(ssNumber{"lost", uint64(c.Lost)})
	if i.Status != sockdiag.Listen { // there it is the backlog
		s.numbers(ssNumber{"sacked", uint64(c.Sacked)})
	}
	s.numbers(ssNumber{"dsack_dups", uint64(c.DsackDups)}, ssNumber{"fackets", uint64(c.Fackets)})
	if c.Reordering != usualReordering {
		t.printf(" reordering:%d", int32(c.Reordering))
	}
	s.signed(ssNumber{"reord_seen", uint64(c.ReordSeen)})
	s.milliseconds("rcv_rtt", float64(c.RcvRTT))
	s.signed(ssNumber{"rcv_space", uint64(c.RcvSpace)})
	s.numbers(ssNumber{"rcv_ssthresh", uint64(c.RcvSsthresh)}, ssNumber{"notsent", uint64(c.NotsentBytes)})
	if c.MinRTT != math.MaxUint32 {
		s.milliseconds("minrtt", float64(c.MinRTT))
	}
	s.numbers(ssNumber{"rcv_ooopack", uint64(c.RcvOoopack)}, ssNumber{"snd_wnd", uint64(c.SndWnd)})
}
