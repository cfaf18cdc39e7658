package sockdiag

import "encoding/binary"

// A Program is a filter that the kernel runs over internet sockets while it lists them (INET_DIAG_REQ_BYTECODE). It is a row of
// operations; each says how many bytes to go on when it is fulfilled and when not. Reaching the end takes the socket, four
// bytes past the end refuses it. Nil takes every socket.
type Program []byte

// Operations (enum in linux/inet_diag.h).
const (
	opJump       = 1
	opLocalLeast = 2
	opLocalMost  = 3
	opPeerLeast  = 4
	opPeerMost   = 5
	opAuto       = 6
	opLocal      = 7
	opPeer       = 8
	opMark       = 10
	opCgroup     = 13
)

// operation is struct inet_diag_bc_op, with its operand, refusing what does not fulfil it.
func operation(code uint8, operand []byte) Program {
	n := 4 + len(operand)
	b := []byte{code, uint8(n)}
	b = native.AppendUint16(b, uint16(n+4))
	return append(b, operand...)
}

// AnyPort stands for a port that does not matter.
const AnyPort = -1

// IsAt takes sockets whose local (or peer's) port is the one given, and whose address begins with the first bits of addr.
// family 0 takes both; AF_INET takes IPv6 sockets with addresses mapped from IPv4 too.
func IsAt(peer bool, family uint8, port int, addr []byte, bits int) Program {
	code := uint8(opLocal)
	if peer {
		code = opPeer
	}
	b := []byte{family, uint8(bits), 0, 0}
	b = native.AppendUint32(b, uint32(int32(port)))
	size := 4
	if len(addr) == 16 {
		size = 16
	}
	var field [16]byte
	copy(field[:], addr)
	return operation(code, append(b, field[:size]...))
}

// PortAtLeast takes sockets with that local (or peer's) port or a higher one.
func PortAtLeast(peer bool, port uint16) Program { return portOp(peer, opLocalLeast, port) }

// PortAtMost takes sockets with that local (or peer's) port or a lower one.
func PortAtMost(peer bool, port uint16) Program { return portOp(peer, opLocalMost, port) }

func portOp(peer bool, code uint8, port uint16) Program {
	if peer {
		code += opPeerLeast - opLocalLeast
	}
	operand := native.AppendUint16([]byte{0, 0}, port)
	return operation(code, operand)
}

// AutoBound takes sockets whose port was chosen by the kernel.
func AutoBound() Program {
	b := []byte{opAuto, 4}
	return native.AppendUint16(b, 8)
}

// HasMark takes sockets whose mark, under the mask, is that one. It needs CAP_NET_ADMIN.
func HasMark(mark, mask uint32) Program {
	return operation(opMark, native.AppendUint32(native.AppendUint32(nil, mark), mask))
}

// InCgroup takes sockets of a cgroup v2 directory (Linux 5.9).
func InCgroup(id uint64) Program { return operation(opCgroup, native.AppendUint64(nil, id)) }

// And takes what both take.
func (p Program) And(q Program) Program {
	if p == nil || q == nil {
		return nil
	}
	r := append(Program(nil), p...)
	r.moveExit(len(q))
	return append(r, q...)
}

// Or takes what one of them takes. What p refuses lands behind the jump, where q begins.
func (p Program) Or(q Program) Program {
	if p == nil || q == nil {
		return nil
	}
	r := append(Program(nil), p...)
	r = append(r, jump(len(q)+4)...)
	return append(r, q...)
}

// Not takes what p refuses, which lands behind the jump, at the end.
func (p Program) Not() Program {
	if p == nil {
		return nil
	}
	return append(append(Program(nil), p...), jump(8)...)
}

func jump(by int) Program {
	return native.AppendUint16([]byte{opJump, 4}, uint16(by))
}

// moveExit lets every operation that refuses do so farther on.
func (p Program) moveExit(by int) {
	for at := 0; at < len(p); at += int(p[at+1]) {
		no := p[at+2 : at+4]
		if int(native.Uint16(no)) == len(p)-at+4 {
			native.PutUint16(no, uint16(len(p)-at+4+by))
		}
	}
}

// Run carries the program out on a socket, as the kernel does, but for what the message of a socket does not tell: whether
// its port was chosen by the kernel, which auto says. An operation that is not known, or a program that runs astray, refuses.
func (p Program) Run(s *Inet, auto bool) bool {
	for at := 0; ; {
		if at == len(p) {
			return true
		}
		if at < 0 || at+4 > len(p) || int(p[at+1]) < 4 || at+int(p[at+1]) > len(p) {
			return false
		}
		yes, no := int(p[at+1]), int(native.Uint16(p[at+2:]))
		if no < 4 {
			return false
		}
		if fulfils(p[at], p[at+4:at+yes], s, auto) {
			at += yes
		} else {
			at += no
		}
	}
}

func fulfils(code uint8, operand []byte, s *Inet, auto bool) bool {
	end := s.Local
	switch code {
	case opJump:
		return false
	case opAuto:
		return auto
	case opPeer, opPeerLeast, opPeerMost:
		end = s.Remote
	}
	switch {
	case (code == opLocalLeast || code == opPeerLeast) && len(operand) == 4:
		return end.Port() >= native.Uint16(operand[2:])
	case (code == opLocalMost || code == opPeerMost) && len(operand) == 4:
		return end.Port() <= native.Uint16(operand[2:])
	case (code == opLocal || code == opPeer) && len(operand) >= 12:
		if port := int32(native.Uint32(operand[4:])); port != AnyPort && port != int32(end.Port()) {
			return false
		}
		return addressFits(s.Family, end.Addr().AsSlice(), operand[0], operand[8:], int(operand[1]))
	case code == opMark && len(operand) == 8:
		return s.Mark != nil && *s.Mark&native.Uint32(operand[4:]) == native.Uint32(operand)
	case code == opCgroup && len(operand) == 8:
		return s.Cgroup == native.Uint64(operand)
	}
	return false
}

func addressFits(family uint8, addr []byte, want uint8, pattern []byte, bits int) bool {
	const inet, inet6 = 2, 10
	if want != 0 && want != family {
		mapped := family == inet6 && want == inet && binary.BigEndian.Uint64(addr) == 0 && binary.BigEndian.Uint32(addr[8:]) == 0xffff
		if !mapped {
			return false
		}
		addr = addr[12:]
	}
	return BeginsWith(addr, pattern, bits)
}

// BeginsWith reports whether the first bits of both are the same.
func BeginsWith(addr, pattern []byte, bits int) bool {
	if bits > 8*len(addr) || bits > 8*len(pattern) {
		return false
	}
	for i := range bits / 8 {
		if addr[i] != pattern[i] {
			return false
		}
	}
	rest := bits % 8
	return rest == 0 || (addr[bits/8]^pattern[bits/8])>>(8-rest) == 0
}
