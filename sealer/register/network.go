package register

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// The networks of 用章范围.
const (
	GovernmentNetwork = "government-network" // 政务外网
	Internet          = "internet"           // 互联网
)

// Networks are all of them.
var Networks = []string{GovernmentNetwork, Internet}

var errNetwork = fault.Spec{Kind: fault.Refused, Code: "seal.network",
	ZH: "印章的用章范围不包括当前网络。", EN: "The seal may not be used on the network that the request came from."}

type networkKey struct{}

// WithNetwork says over which network a request came, for what is done in its context. Without it nothing is refused for
// its network: commands on the machine itself, and a service whose listeners have no label.
func WithNetwork(ctx context.Context, network string) context.Context {
	return context.WithValue(ctx, networkKey{}, network)
}

// NetworkOf is what WithNetwork said, or empty.
func NetworkOf(ctx context.Context) string {
	network, _ := ctx.Value(networkKey{}).(string)
	return network
}

// onNetwork refuses a seal on a network that is not of its 用章范围.
func onNetwork(ctx context.Context, q store.Querier, code string) error {
	network := NetworkOf(ctx)
	if network == "" {
		return nil
	}
	var allowed string
	err := q.QueryRowContext(ctx, `SELECT networks FROM seal WHERE code = $1`, code).Scan(&allowed)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoSeal.With("%s", code)
	}
	if err != nil || allowed == "" || slices.Contains(strings.Fields(allowed), network) {
		return err
	}
	return errNetwork.With("%s", code)
}
