package command

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/ocsp"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
	"yinxin/internal/store"
)

// The figures "ocsp", kept answers by one caller after the other, and "crl-10000", a shard of so many entries.
const (
	ocspFigure = "ocsp"
	ocspBatch  = 1000 // answers of one run; the figure is for one of them
	crlFigure  = "crl-10000"
	crlEntries = 10_000
	crlShard   = ca.DefaultShards + 1 // one in which no certificate of the installation is
)

// publishing is what the two figures work on.
type publishing struct {
	b       *bench
	request []byte
	kept    map[string][]byte // answers by CertID
}

func (b *bench) publishing() (*publishing, error) {
	list, err := b.h.authority.Certificates(b.ctx, ca.Filter{Profile: ca.ProfileInstitution, Limit: 1})
	if err != nil {
		return nil, err
	}
	id, err := ocsp.NewCertID(oid.SHA1, b.h.authority.Issuing(ca.ProfileInstitution), list[0].Serial)
	if err != nil {
		return nil, err
	}
	p := &publishing{b: b}
	if p.request, err = ocsp.CreateRequest([]ocsp.CertID{id}, nil); err != nil {
		return nil, err
	}
	answer := b.h.authority.OCSP(b.ctx, p.request)
	if r, err := ocsp.ParseResponse(answer); err != nil || r.Status != ocsp.Successful {
		return nil, errInternal.At(fault.Field(ocspFigure)).Because(err)
	}
	p.kept = map[string][]byte{string(id.Raw): answer}
	if err := p.crowd(); err != nil {
		return nil, err
	}
	return p, b.h.authority.PublishShard(b.ctx, ca.FirstIssuer, crlShard)
}

// crowd fills a shard with revoked certificates, as issuing and revoking them would leave them in the database.
func (p *publishing) crowd() error {
	maker, err := p.b.h.authority.Current(p.b.ctx, ca.ProfileSealMaker)
	if err != nil {
		return err
	}
	model := ca.SerialText(maker.Serial)
	return p.b.h.db.Write(p.b.ctx, func(tx *store.Tx) error {
		octets := make([]byte, 16)
		for range crlEntries {
			if _, err := rand.Read(octets); err != nil {
				return err
			}
			octets[0] = octets[0]&0x3f | 0x40
			serial := hex.EncodeToString(octets)
			_, err := tx.ExecContext(p.b.ctx, `INSERT INTO ca_certificate (serial, issuer, profile, state, request, organisation, common_name, public_key, tbs,
					certificate, shard, not_before, not_after, created, completed, ceremony)
				SELECT $1, issuer, profile, state, request, organisation, common_name, $3, tbs, certificate, $2, not_before, not_after, created, completed, ceremony
				FROM ca_certificate WHERE serial = $4`, serial, crlShard, octets, model)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(p.b.ctx, `INSERT INTO ca_status (serial, issuer, shard, state, reason, since, not_after)
				SELECT serial, issuer, shard, 'revoked', 4, not_before, not_after FROM ca_certificate WHERE serial = $1`, serial)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (p *publishing) ocsp() error {
	for range ocspBatch {
		if len(p.b.h.authority.OCSP(p.b.ctx, p.request)) < 100 { // an error has five octets
			return errInternal.At(fault.Field(ocspFigure))
		}
	}
	return nil
}

// ocspFloor is what no responder can leave out that keeps its answers: reading the request and finding the answer.
func (p *publishing) ocspFloor() error {
	for range ocspBatch {
		asked, err := ocsp.ParseRequest(p.request)
		if err != nil || len(p.kept[string(asked.CertIDs[0].Raw)]) == 0 {
			return errInternal.At(fault.Field(ocspFigure)).Because(err)
		}
	}
	return nil
}

// crl makes, signs, reads back, compares and stores a list with its delta list.
func (p *publishing) crl() error {
	return p.b.h.authority.PublishShard(p.b.ctx, ca.FirstIssuer, crlShard)
}

// crlFloor is what no authority can leave out that has its entries in a database: reading them once, putting them one
// after the other, SM3 over the list, one signature, and one verification.
func (p *publishing) crlFloor() error {
	rows, err := p.b.h.db.Read().QueryContext(context.WithoutCancel(p.b.ctx), `SELECT serial, reason, since FROM ca_status WHERE issuer = $1 AND shard = $2 ORDER BY issuer, shard, serial`, ca.FirstIssuer, crlShard)
	if err != nil {
		return err
	}
	defer rows.Close()
	var list []byte
	for rows.Next() {
		var serial, since string
		var reason int
		if err := rows.Scan(&serial, &reason, &since); err != nil {
			return err
		}
		list = append(append(list, serial...), byte(reason)) // about as long as in DER
	}
	if err := rows.Err(); err != nil {
		return err
	}
	digest := [32]byte(hashOf(list).Sum(nil))
	value, err := sm2.SignASN1(rand.Reader, p.b.key, digest[:], nil)
	if err != nil || !sm2.VerifyASN1(&p.b.key.PublicKey, digest[:], value) {
		return errInternal.At(fault.Field(crlFigure)).Because(err)
	}
	return nil
}
