package sockdiag

import "warren/internal/rtnl"

// Memory is what a socket's queues take up, in bytes (INET_DIAG_MEMINFO).
type Memory struct{ Read, Write, Forward, Transmit uint32 }

// Buffers is the same in detail (SK_MEMINFO_*), in bytes but for the last.
type Buffers struct {
	Read       uint32 `json:"rmem_alloc"`
	ReadLimit  uint32 `json:"rcvbuf"`
	Transmit   uint32 `json:"wmem_alloc"`
	WriteLimit uint32 `json:"sndbuf"`
	Forward    uint32 `json:"fwd_alloc"`
	Write      uint32 `json:"wmem_queued"`
	Options    uint32 `json:"optmem"`
	Backlog    uint32 `json:"backlog"`
	Drops      uint32 `json:"drops"` // packets
}

func decodeMemory(b []byte) *Memory {
	if len(b) < 16 {
		return nil
	}
	w := numbers(b[:16])
	return &Memory{Read: w[0], Write: w[1], Forward: w[2], Transmit: w[3]}
}

func (m *Memory) encode(e *encoder, typ uint16) {
	if m != nil {
		e.words(typ, m.Read, m.Write, m.Forward, m.Transmit)
	}
}

// decodeBuffers reads what is there: kernels before 4.10 end earlier.
func decodeBuffers(a rtnl.Attrs, typ int) *Buffers {
	b := a.Bytes(typ)
	if len(b) < 4 {
		return nil
	}
	var w [9]uint32
	copy(w[:], numbers(b))
	return &Buffers{
		Read: w[0], ReadLimit: w[1], Transmit: w[2], WriteLimit: w[3], Forward: w[4], Write: w[5], Options: w[6], Backlog: w[7], Drops: w[8],
	}
}

func (m *Buffers) encode(e *encoder, typ uint16) {
	if m != nil {
		e.words(typ, m.Read, m.ReadLimit, m.Transmit, m.WriteLimit, m.Forward, m.Write, m.Options, m.Backlog, m.Drops)
	}
}
