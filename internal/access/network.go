package access

import (
	"context"
	"slices"
)

// The networks that listeners are labelled with, of which 用章范围 of seals and the limits of keys speak.
const (
	GovernmentNetwork = "government-network" // 政务外网
	Internet          = "internet"           // 互联网
)

// Networks are all of them.
var Networks = []string{GovernmentNetwork, Internet}

type networkKey struct{}

// WithNetwork says over which network a request came, for what is done in its context. Without it no seal is refused for its
// network: commands on the machine itself, and a service whose listeners have no label.
func WithNetwork(ctx context.Context, network string) context.Context {
	return context.WithValue(ctx, networkKey{}, network)
}

// NetworkOf is what WithNetwork said, or empty.
func NetworkOf(ctx context.Context) string {
	network, _ := ctx.Value(networkKey{}).(string)
	return network
}

// checkNetwork says that a request did not come over a network within the limits: access.key-network. Over a listener without
// a label nobody knows from where it came, and a key with limits does not count.
func (o Only) checkNetwork(ctx context.Context) error {
	if len(o.Networks) == 0 || slices.Contains(o.Networks, NetworkOf(ctx)) {
		return nil
	}
	return ErrKeyNetwork.New()
}
