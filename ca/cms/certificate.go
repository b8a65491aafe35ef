package cms

import (
	"bytes"
	"crypto/ecdsa"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/chain"
)

// SignerCertificate finds the signer's certificate among those that came along and those that the caller knows. Issuer
// and serial number can be repeated by anyone who runs a CA, so where signing-certificate attributes tell which one is
// meant, it is that one; where they do not and several different ones fit, none is chosen. Errors: ErrSignerCount,
// ErrNoCertificate, ErrCertificate when one fits but is not the one that was signed for, ErrAmbiguous.
func (d *SignedData) SignerCertificate(known ...*chain.Certificate) (*chain.Certificate, error) {
	signer, err := d.Signer()
	if err != nil {
		return nil, err
	}
	var fitting []*chain.Certificate
	seen := map[[32]byte]bool{}
	for _, group := range [][]*chain.Certificate{d.Certificates, known} {
		for _, c := range group {
			if c != nil && !seen[c.Fingerprint()] && signer.names(c) {
				seen[c.Fingerprint()] = true
				fitting = append(fitting, c)
			}
		}
	}
	if len(fitting) == 0 {
		return nil, ErrNoCertificate.New()
	}
	names, err := signer.signingCertificates()
	if err != nil {
		// Verify tells what is wrong with the attributes; a certificate is needed to say so.
		names = nil
	}
	if len(names) == 0 {
		if len(fitting) > 1 {
			return nil, ErrAmbiguous.With("%d", len(fitting))
		}
		return fitting[0], nil
	}
	for _, c := range fitting {
		if fitsAll(names, c) {
			return c, nil
		}
	}
	return nil, ErrCertificate.With("%s", fitting[0].Subject.CommonName)
}

// names says whether the signer's identifier names the certificate.
func (s *Signer) names(c *chain.Certificate) bool {
	if s.KeyID != nil {
		return bytes.Equal(s.KeyID, c.SubjectKeyID)
	}
	return s.Serial.Cmp(c.Serial) == 0 && (bytes.Equal(s.Issuer, c.RawIssuer) || chain.SameName(s.Issuer, c.RawIssuer))
}

func fitsAll(names []named, c *chain.Certificate) bool {
	for _, n := range names {
		if !n.fits(c) {
			return false
		}
	}
	return true
}

// checkCertificate says whether the certificate is the one that the signer names in every way. Errors: ErrCertificate,
// ErrDuplicate, ErrAttribute.
func (s *Signer) checkCertificate(c *chain.Certificate) (notes []string, err error) {
	if !s.names(c) {
		return nil, ErrCertificate.With("%s", c.Subject.CommonName)
	}
	if s.KeyID == nil && !bytes.Equal(s.Issuer, c.RawIssuer) {
		notes = append(notes, "the issuer is written differently in the certificate")
	}
	names, err := s.signingCertificates()
	switch {
	case err != nil:
		return notes, err
	case len(names) == 0 && s.Signed:
		return append(notes, "the certificate is named by issuer and serial number only"), nil
	case !fitsAll(names, c):
		return nil, ErrCertificate.With("%s", c.Subject.CommonName)
	}
	for _, n := range names {
		if n.hash.Weak() && len(names) == 1 {
			notes = append(notes, "the certificate is named by a digest with "+string(n.hash))
		}
	}
	return notes, nil
}

func isSM2(c *chain.Certificate) bool {
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	return ok && key != nil && key.Curve == sm2.P256()
}
