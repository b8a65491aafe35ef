package tsa

import (
	"context"
	"crypto/rand"
	"io"
	"math/big"

	"yinxin/ca/cms"
)

// MediaRequest and MediaResponse are the content types over HTTP (RFC 3161 3.4).
const (
	MediaRequest  = "application/timestamp-query"
	MediaResponse = "application/timestamp-reply"
)

// Client is a Source for an authority elsewhere. Whether that one is trusted is not asked here: a token is checked to be
// genuine and to answer the request.
type Client struct {
	// Send carries a request to the authority and brings its response, at most MaxResponse octets, both in DER.
	Send func(ctx context.Context, request []byte) (response []byte, err error)
	// Random makes nonces; nil is the operating system's.
	Random io.Reader
	// Policy is asked for; empty is any.
	Policy cms.ID
}

var _ Source = (*Client)(nil)

// Stamp implements Source. Errors: those of Send, ErrImprintAlgorithm, ErrResponse, ErrRefused with what the authority
// says, ErrToken, ErrImprint, ErrNonce, ErrPolicy, ErrCertificate, and those of ca/cms and ca/chain for a token that is
// not genuine.
func (c *Client) Stamp(ctx context.Context, hash cms.Hash, digest []byte) ([]byte, error) {
	nonce := make([]byte, 16)
	random := c.Random
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, ErrAuthority.With("random").Because(err)
	}
	request := Request{Imprint: Imprint{Hash: hash, Digest: digest}, Policy: c.Policy, Nonce: new(big.Int).SetBytes(nonce), Certificates: true}
	encoded, err := CreateRequest(request)
	if err != nil {
		return nil, err
	}
	raw, err := c.Send(ctx, encoded)
	if err != nil {
		return nil, err
	}
	response, err := ParseResponse(raw)
	if err != nil {
		return nil, err
	}
	if response.Status != Granted && response.Status != GrantedWithMods {
		return nil, ErrRefused.With("%d, %d, %q", response.Status, response.Failure, response.Text)
	}
	if response.Token == nil {
		return nil, ErrResponse.With("timeStampToken")
	}
	token, err := Parse(response.Token)
	if err != nil {
		return nil, err
	}
	if err := token.answers(request); err != nil {
		return nil, err
	}
	if err := token.Check(digest).Err; err != nil {
		return nil, err
	}
	return response.Token, nil
}
