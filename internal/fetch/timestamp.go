package fetch

import (
	"context"

	"yinxin/ca/tsa"
)

// TimeStamps is a source of time stamps: the authority at an address, asked over HTTP (RFC 3161 3.4). Errors of Stamp:
// those of Fetch and of tsa.Client.
func (c *Client) TimeStamps(address string) *tsa.Client {
	return &tsa.Client{Send: func(ctx context.Context, request []byte) ([]byte, error) {
		return c.exchange(ctx, address, tsa.MediaRequest, request, tsa.MediaResponse, tsa.MaxResponse)
	}}
}
