package sockdiag

import (
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// VsockRequest asks for vsock sockets (struct vsock_diag_req).
func VsockRequest(states Statuses) nl.Request {
	b := []byte{unix.AF_VSOCK, 0, 0, 0}
	b = native.AppendUint32(b, uint32(states))
	b = native.AppendUint32(b, 0)
	b = native.AppendUint32(b, 0)
	return nl.Request{Type: byFamily, Data: appendCookie(b, cookieNone)}
}

// VsockAny is the context, or port, that stands for any.
const VsockAny = ^uint32(0)

// A Vsock is a socket between a virtual machine and its host (vsock(7); struct vsock_diag_msg).
type Vsock struct {
	Type                  uint8
	Status                Status
	Shutdown              uint8
	Context, Port         uint32
	PeerContext, PeerPort uint32
	Inode                 uint32
	Cookie                uint64
}

const vsockLen = 32

// DecodeVsock reads the data of a reply.
func DecodeVsock(data []byte) (Vsock, error) {
	if len(data) < vsockLen {
		return Vsock{}, short("vsock socket", len(data), vsockLen)
	}
	w := numbers(data[4:24])
	return Vsock{
		Type: data[1], Status: Status(data[2]), Shutdown: data[3],
		Context: w[0], Port: w[1], PeerContext: w[2], PeerPort: w[3], Inode: w[4], Cookie: cookie(data[24:]),
	}, nil
}

// Encode is the inverse of [DecodeVsock].
func (s *Vsock) Encode() []byte {
	b := []byte{unix.AF_VSOCK, s.Type, uint8(s.Status), s.Shutdown}
	for _, v := range []uint32{s.Context, s.Port, s.PeerContext, s.PeerPort, s.Inode} {
		b = native.AppendUint32(b, v)
	}
	return appendCookie(b, s.Cookie)
}
