package register

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

var errNetwork = fault.Spec{Kind: fault.Refused, Code: "seal.network",
	ZH: "印章的用章范围不包括当前网络。", EN: "The seal may not be used on the network that the request came from."}

// onNetwork refuses a seal on a network that is not of its 用章范围.
func onNetwork(ctx context.Context, q store.Querier, code string) error {
	network := access.NetworkOf(ctx)
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
