package iproute

import (
	"encoding/json"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
	"warren/state"
)

// A ssJSON is a socket as --json prints it.
type ssJSON struct {
	Netns string `json:"netns,omitempty"` // with --all-netns
	state.Socket
	Cookie     uint64            `json:"cookie,omitempty"`
	Processes  []ssUser          `json:"processes,omitempty"` // with -p
	Timer      *ssTimer          `json:"timer,omitempty"`     // with -o
	Memory     *sockdiag.Buffers `json:"memory,omitempty"`    // with -m
	Congestion string            `json:"congestion,omitempty"`
	TCP        *ssTCP            `json:"tcp,omitempty"` // with -i
}

// A ssUser is a process that has the socket open.
type ssUser struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	TID  int    `json:"tid,omitempty"` // with -T
	FD   int    `json:"fd"`
}

// A ssTimer is what a TCP socket waits for.
type ssTimer struct {
	Name        string `json:"name"`
	Expires     uint32 `json:"expires_ms"`
	Retransmits uint8  `json:"retransmits"`
}

// A ssTCP is a part of what TCP tells of a connection: rates in bytes per second.
type ssTCP struct {
	RTO           uint32 `json:"rto_us"`
	RTT           uint32 `json:"rtt_us"`
	RTTVar        uint32 `json:"rttvar_us"`
	MinRTT        uint32 `json:"min_rtt_us"`
	MSS           uint32 `json:"mss"`
	PMTU          uint32 `json:"pmtu"`
	Cwnd          uint32 `json:"cwnd"`
	Ssthresh      uint32 `json:"ssthresh"`
	Unacked       uint32 `json:"unacked"`
	Lost          uint32 `json:"lost"`
	Retrans       uint32 `json:"retrans"`
	TotalRetrans  uint32 `json:"total_retrans"`
	NotSent       uint32 `json:"notsent"`
	SndWnd        uint32 `json:"snd_wnd"`
	RcvSpace      uint32 `json:"rcv_space"`
	BytesSent     uint64 `json:"bytes_sent"`
	BytesRetrans  uint64 `json:"bytes_retrans"`
	BytesAcked    uint64 `json:"bytes_acked"`
	BytesReceived uint64 `json:"bytes_received"`
	PacingRate    uint64 `json:"pacing_rate"`
	DeliveryRate  uint64 `json:"delivery_rate"`
}

// addJSON notes a socket.
func (s *ss) addJSON(k *ssSocket) {
	v := ssJSON{Netns: s.place, Cookie: k.cookie}
	switch {
	case k.inet != nil:
		s.addInetJSON(&v, k)
	case k.unix != nil:
		v.Socket = k.unix.Socket()
		if s.opt.memory {
			v.Memory = k.unix.Buffers
		}
	case k.packet != nil:
		v.Socket = k.packet.Socket(s.linkName)
		if s.opt.memory {
			v.Memory = k.packet.Buffers
		}
	case k.netlink != nil:
		v.Socket = k.netlink.Socket()
		if s.opt.memory {
			v.Memory = k.netlink.Buffers
		}
	default:
		v.Socket = state.Socket{Protocol: "vsock", State: k.status.String(), Inode: k.inode}
	}
	if k.inode != 0 && (s.opt.processes || s.opt.threads) {
		for _, o := range s.owners()[k.inode] {
			u := ssUser{Name: o.Name, PID: o.PID, FD: o.FD}
			if s.opt.threads {
				u.TID = o.TID
			}
			v.Processes = append(v.Processes, u)
		}
	}
	s.json = append(s.json, v)
}

func (s *ss) addInetJSON(v *ssJSON, k *ssSocket) {
	protocol := k.protocol
	if protocol == 0 {
		protocol = unix.IPPROTO_RAW
	}
	i := k.inet
	v.Socket = i.Socket(protocol, s.linkName)
	if s.opt.memory {
		v.Memory = i.Buffers
	}
	if s.opt.timers && i.Timer != sockdiag.TimerOff {
		v.Timer = &ssTimer{timerName(i.Timer), i.Expires, i.Retransmits}
	}
	if !s.opt.info || i.TCP == nil {
		return
	}
	v.Congestion = i.Congestion
	c := i.TCP
	v.TCP = &ssTCP{
		RTO: c.RTO, RTT: c.RTT, RTTVar: c.RTTVar, MinRTT: c.MinRTT, MSS: c.SndMSS, PMTU: c.PMTU, Cwnd: c.SndCwnd, Ssthresh: c.SndSsthresh,
		Unacked: c.Unacked, Lost: c.Lost, Retrans: c.Retrans, TotalRetrans: c.TotalRetrans, NotSent: c.NotsentBytes, SndWnd: c.SndWnd,
		RcvSpace: c.RcvSpace, BytesSent: c.BytesSent, BytesRetrans: c.BytesRetrans, BytesAcked: c.BytesAcked,
		BytesReceived: c.BytesReceived, PacingRate: c.PacingRate, DeliveryRate: c.DeliveryRate,
	}
}

// printJSON writes what was noted.
func (s *ss) printJSON() {
	if s.json == nil {
		s.json = []ssJSON{}
	}
	s.writeJSON(s.json)
}

func (s *ss) writeJSON(v any) {
	e := json.NewEncoder(s.stdio.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // nobody to tell
}
