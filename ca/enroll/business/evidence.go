package business

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/store"
)

// headSize is the length of keystore.Safe.Head.
const headSize = 5

// MaxEvidence is the largest evidence of a template in bytes.
const MaxEvidence = 16 << 20

// The evidence of a template shows parts of the scan: the boxes of the imprints, across which people write. It is kept
// like the scans themselves, sealed by the safe for personal data.

func evidenceContext(application string, version int) []string {
	return []string{"business_evidence", application, strconv.Itoa(version)}
}

// evidence is a template's evidence as it is kept; none where digest is empty.
type evidence struct {
	digest string
	sealed []byte
}

func (s *Service) sealEvidence(application string, version int, plain []byte) (evidence, error) {
	if len(plain) == 0 {
		return evidence{}, nil
	}
	if len(plain) > MaxEvidence {
		return evidence{}, ErrTemplate.With("evidence: %d MiB", MaxEvidence>>20)
	}
	sum := sm3.Sum(plain)
	sealed, err := s.Safe.Seal(plain, evidenceContext(application, version)...)
	return evidence{hex.EncodeToString(sum[:]), sealed}, err
}

// keepEvidence puts the evidence of a new template in the place of that of the one it replaced.
func keepEvidence(ctx context.Context, tx *store.Tx, application string, version int, e evidence) error {
	if e.digest == "" {
		_, err := tx.ExecContext(ctx, `DELETE FROM business_evidence WHERE application = $1 AND version = $2`, application, version)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO business_evidence (application, version, digest, sealing, sealed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (application, version) DO UPDATE SET digest = excluded.digest, sealing = excluded.sealing, sealed = excluded.sealed`,
		application, version, e.digest, e.sealed[:headSize], e.sealed)
	return err
}

// EvidenceOf gives the evidence of the template that TemplateOf gives: business.no-evidence where none was kept. Who may
// see it is for the caller to say.
func (s *Service) EvidenceOf(ctx context.Context, application string, version int) ([]byte, error) {
	var of int
	var digest string
	var sealed []byte
	err := s.DB.Read().QueryRowContext(ctx, `SELECT e.version, e.digest, e.sealed FROM business_evidence e WHERE e.application = $1 AND e.version =
		(SELECT MAX(t.version) FROM business_template t WHERE t.application = $1 AND t.version <= $2)`, application, version).Scan(&of, &digest, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoEvidence.New()
	}
	if err != nil {
		return nil, err
	}
	plain, err := s.Safe.Open(sealed, evidenceContext(application, of)...)
	if err != nil {
		return nil, err
	}
	if sum := sm3.Sum(plain); hex.EncodeToString(sum[:]) != digest {
		return nil, ErrNoEvidence.With("digest")
	}
	return plain, nil
}
