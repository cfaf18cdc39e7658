package warren

import (
	"context"
	"fmt"
	"net/netip"

	"warren/ipam"
	"warren/state"
)

// defaultPool is where the net of the lab "default" comes from: a part of 10.0.0.0/8 that other labs reach last. The prefix is
// large from the beginning, so that addresses can stay when nodes become many.
var defaultPool = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 192}), 10)

const defaultBits = 16

// freePrefix chooses it; the zero Prefix leaves it to the expansion, which looks further.
func (w *Warren) freePrefix(ctx context.Context) (netip.Prefix, error) {
	have, err := w.kernel.Observe(ctx, state.Query{Names: []string{state.HostNS}, Parts: state.PartRoutes})
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("look for a free prefix: %w", err)
	}
	var taken []netip.Prefix
	if host := have.Namespace(state.HostNS); host != nil {
		for _, u := range used("", host) {
			taken = append(taken, u.Prefix)
		}
	}
	p, err := ipam.NewPool(defaultPool, taken...).Next(defaultBits)
	if err != nil {
		return netip.Prefix{}, nil //nolint:nilerr // all taken: any other prefix will do
	}
	return p, nil
}
