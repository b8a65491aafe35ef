package ca

import (
	"context"
	"math/big"
	"strconv"
	"strings"

	"yinxin/internal/store"
)

const (
	// DefaultShards is into how many revocation lists the certificates of an authority are divided.
	DefaultShards = 16
	// maxShards bounds the work of one round of publishing.
	maxShards = 1024
	// maxPoints is how many addresses a shard may be known under.
	maxPoints = 32
)

// The complete list, shard 0, and its delta list are at the paths of old; the shards are numbered from 1.
const (
	// PathShards is what the paths of the shards begin with.
	PathShards = "/pki/issuing/"

	pathDelta    = "/pki/issuing-delta.crl"
	deltaMark    = "-delta"
	crlExtension = ".crl"
)

// PathShard is where the revocation list of a shard is published, or the delta list to it:
//
//	shard 0, the complete list   /pki/issuing.crl     /pki/issuing-delta.crl
//	shard n                      /pki/issuing/n.crl   /pki/issuing/n-delta.crl
func PathShard(shard int, delta bool) string {
	switch {
	case shard == 0 && delta:
		return pathDelta
	case shard == 0:
		return PathIssuingCRL
	case delta:
		return PathShards + strconv.Itoa(shard) + deltaMark + crlExtension
	}
	return PathShards + strconv.Itoa(shard) + crlExtension
}

// ParsePathShard reads what PathShard wrote, and nothing else.
func ParsePathShard(path string) (shard int, delta, ok bool) {
	switch path {
	case PathIssuingCRL:
		return 0, false, true
	case pathDelta:
		return 0, true, true
	}
	name, ok := strings.CutPrefix(path, PathShards)
	if !ok {
		return 0, false, false
	}
	if name, ok = strings.CutSuffix(name, crlExtension); !ok {
		return 0, false, false
	}
	name, delta = strings.CutSuffix(name, deltaMark)
	shard, err := strconv.Atoi(name)
	if err != nil || shard < 1 || PathShard(shard, delta) != path {
		return 0, false, false
	}
	return shard, delta, true
}

// shardOf is the list that a new certificate will be on: its serial number modulo the number of shards, from 1. It is
// recorded with the certificate, so the number of shards may change.
func (a *Authority) shardOf(serial *big.Int) int {
	return int(new(big.Int).Mod(serial, big.NewInt(int64(a.Shards))).Int64()) + 1
}

// crlURL is the distribution point of the certificates of a shard.
func (a *Authority) crlURL(shard int) string { return a.BaseURL + PathShard(shard, false) }

// issuerOf is what a certificate of a shard takes from its issuer.
func (a *Authority) issuerOf(shard int) issuerData {
	d := a.urls
	d.crlURL = a.crlURL(shard)
	return d
}

// lastShard is the highest shard that a list is made of: there may be certificates in more shards than new ones get.
func (a *Authority) lastShard(ctx context.Context) (int, error) {
	var highest int
	err := a.DB.Read().QueryRowContext(ctx, `SELECT COALESCE(MAX(shard), 0) FROM ca_certificate WHERE issuer = $1`, string(ProfileIssuing)).Scan(&highest)
	return max(highest, a.Shards), err
}

// points are the addresses of a shard, one for every base URL under which certificates were issued; none for the
// complete list, which speaks for all.
func (a *Authority) points(ctx context.Context, shard int) ([]string, error) {
	if shard == 0 {
		return nil, nil
	}
	bases, err := store.Column[string](a.DB.Read().QueryContext(ctx, `SELECT url FROM ca_base_url ORDER BY since DESC, url LIMIT $1`, maxPoints))
	points := []string{a.crlURL(shard)}
	for _, base := range bases {
		if base != a.BaseURL {
			points = append(points, base+PathShard(shard, false))
		}
	}
	return points, err
}

// noteBaseURL records the address that new certificates will have, before there are any.
func (a *Authority) noteBaseURL(ctx context.Context) error {
	var known int
	if err := a.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_base_url WHERE url = $1`, a.BaseURL).Scan(&known); err != nil || known > 0 {
		return err
	}
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ca_base_url (url, since) VALUES ($1, $2) ON CONFLICT (url) DO NOTHING`, a.BaseURL, store.Time(a.Clock()))
		return err
	})
}
