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
