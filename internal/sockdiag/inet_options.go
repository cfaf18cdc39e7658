package sockdiag

// Options are switches of an internet socket (struct inet_diag_sockopt, Linux 5.10).
type Options struct {
	RecvErr, ConnectionSocket, FreeBind, HeaderIncluded, MulticastLoop, Transparent, MulticastAll, NoDefrag bool
	BindAddressNoPort, RecvErrRFC4884, DeferConnect                                                         bool
}

// fields are the switches in the order of their bits.
func (o *Options) fields() [11]*bool {
	return [11]*bool{
		&o.RecvErr, &o.ConnectionSocket, &o.FreeBind, &o.HeaderIncluded, &o.MulticastLoop, &o.Transparent, &o.MulticastAll, &o.NoDefrag,
		&o.BindAddressNoPort, &o.RecvErrRFC4884, &o.DeferConnect,
	}
}

func decodeOptions(b []byte) *Options {
	if len(b) < 2 {
		return nil
	}
	var o Options
	for i, f := range o.fields() {
		*f = b[i/8]&(1<<(i%8)) != 0
	}
	return &o
}

func (o *Options) encode(e *encoder) {
	if o == nil {
		return
	}
	var b [2]byte
	for i, f := range o.fields() {
		if *f {
			b[i/8] |= 1 << (i % 8)
		}
	}
	e.bytes(inetOptions, b[:])
}
