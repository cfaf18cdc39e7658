package kernel

import (
	"errors"

	"golang.org/x/sys/unix"

	"warren/internal/ctnl"
	"warren/internal/nl"
)

// readConntrack reads the table of connections of the namespace that the calling thread is in. It changes all the time: a
// list that changed while it was read is as good as any.
func (o *observation) readConntrack(r *reading) error {
	conn, err := openSocket(unix.NETLINK_NETFILTER)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	if none(conn) {
		return nil
	}
	msgs, err := conn.Dump(o.ctx, ctnl.Dump())
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
		return nil // a kernel without conntrack
	case err != nil && !errors.Is(err, nl.ErrInconsistent):
		return err
	}
	r.ns.Conntrack, err = ctnl.Decode(msgs)
	return err
}

// none reports whether the table is known to be empty.
func none(conn *nl.Conn) bool {
	res := conn.Query([]nl.Request{ctnl.Count()})[0]
	if res.Err != nil || len(res.Messages) != 1 {
		return false
	}
	n, err := ctnl.DecodeCount(res.Messages[0])
	return err == nil && n == 0
}
