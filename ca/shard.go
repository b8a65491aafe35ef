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

const (
	// PathIssuers is what the paths of lists and certificates begin with.
	PathIssuers = "/pki/"

	deltaMark            = "-delta"
	crlExtension         = ".crl"
	certificateExtension = ".cer"
)

// PathShard is where the revocation list of a shard of an issuing CA is published, or the delta list to it:
//
//	shard 0, the complete list   /pki/ID.crl     /pki/ID-delta.crl
//	shard n, from 1              /pki/ID/n.crl   /pki/ID/n-delta.crl
func PathShard(id string, shard int, delta bool) string {
	path := PathIssuers + id
	if shard > 0 {
		path += "/" + strconv.Itoa(shard)
	}
	if delta {
		path += deltaMark
	}
	return path + crlExtension
}

// ParsePathShard reads what PathShard wrote, and nothing else.
func ParsePathShard(path string) (id string, shard int, delta, ok bool) {
	name, ok := strings.CutPrefix(path, PathIssuers)
	if ok {
		name, ok = strings.CutSuffix(name, crlExtension)
	}
	if !ok {
		return "", 0, false, false
	}
	name, delta = strings.CutSuffix(name, deltaMark)
	id, number, sharded := strings.Cut(name, "/")
	if sharded {
		var err error
		if shard, err = strconv.Atoi(number); err != nil || shard < 1 {
			return "", 0, false, false
		}
	}
	if !ValidIssuerID(id) || PathShard(id, shard, delta) != path {
		return "", 0, false, false
	}
	return id, shard, delta, true
}

// PathIssuerCertificate is where the certificate of an issuing CA is published.
func PathIssuerCertificate(id string) string { return PathIssuers + id + certificateExtension }

// ParsePathIssuerCertificate reads what PathIssuerCertificate wrote, and nothing else.
func ParsePathIssuerCertificate(path string) (id string, ok bool) {
	id, ok = strings.CutPrefix(path, PathIssuers)
	if ok {
		id, ok = strings.CutSuffix(id, certificateExtension)
	}
	return id, ok && ValidIssuerID(id)
}

// shardOf is the list that a new certificate will be on: its serial number modulo the number of shards, from 1. It is
// recorded with the certificate, so the number of shards may change.
func (a *Authority) shardOf(serial *big.Int) int {
	return int(new(big.Int).Mod(serial, big.NewInt(int64(a.Shards))).Int64()) + 1
}

// crlURL is the distribution point of the certificates of a shard.
func (a *Authority) crlURL(id string, shard int) string {
	return a.BaseURL + PathShard(id, shard, false)
}

// dataOf is what a certificate of a shard takes from its issuer.
func (a *Authority) dataOf(s *issuingCA, shard int) issuerData {
	d := s.urls
	d.crlURL = a.crlURL(s.ID, shard)
	return d
}

// lastShard is the highest shard of an issuing CA that a list is made of: there may be certificates in more shards than new
// ones get.
func (a *Authority) lastShard(ctx context.Context, id string) (int, error) {
	var highest int
	err := a.DB.Read().QueryRowContext(ctx, `SELECT COALESCE(MAX(shard), 0) FROM ca_certificate WHERE issuer = $1`, id).Scan(&highest)
	return max(highest, a.Shards), err
}

// points are the addresses of a shard, one for every base URL under which certificates were issued; none for the
// complete list, which speaks for all.
func (a *Authority) points(ctx context.Context, id string, shard int) ([]string, error) {
	if shard == 0 {
		return nil, nil
	}
	bases, err := store.Column[string](a.DB.Read().QueryContext(ctx, `SELECT url FROM ca_base_url ORDER BY since DESC, url LIMIT $1`, maxPoints))
	points := []string{a.crlURL(id, shard)}
	for _, base := range bases {
		if base != a.BaseURL {
			points = append(points, base+PathShard(id, shard, false))
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
