package ca

import (
	"errors"
	"fmt"

	"github.com/emmansun/gmsm/smx509"
	second "github.com/tjfoc/gmsm/x509"

	"yinxin/ca/chain"
)

// The readers of certificates that are asked about a foreign one.
const (
	ReaderLenient = "chain"       // our own, which reads what others write
	ReaderStrict  = "gmsm-smx509" // emmansun/gmsm
	ReaderSecond  = "tjfoc-x509"  // tjfoc/gmsm, which shares no code with the others
	maxReading    = 300           // characters of what a reader said
	badSignature  = "signature on itself: "
)

// Reading is what one reader said of a certificate.
type Reading struct {
	Reader string   `json:"reader"`
	OK     bool     `json:"ok"`
	Said   string   `json:"said,omitempty"`  // why not
	Notes  []string `json:"notes,omitempty"` // what the lenient reader overlooked
}

// ReadForeign reads a certificate of another authority with three readers. Our own, which is lenient, must take it, or the
// error is its own; lenient says that one of the strict ones refused it, or that ours had to overlook something. Where the
// certificate is self-signed, each reader also judges that signature.
func ReadForeign(der []byte) (c *chain.Certificate, readings []Reading, lenient bool, err error) {
	if c, err = chain.ParseCertificate(der); err != nil {
		return nil, nil, false, err
	}
	self := chain.SameName(c.RawSubject, c.RawIssuer)
	ours := Reading{Reader: ReaderLenient, OK: true, Notes: c.Notes}
	if self {
		algorithm := chain.Algorithm{OID: c.SignatureAlgorithm, Parameters: c.SignatureParameters}
		if _, err := algorithm.Check(c.PublicKey, c.RawTBS, c.Signature); err != nil {
			return nil, nil, false, err
		}
	}
	readings = append(readings, ours, judged(ReaderStrict, func() error {
		x, err := smx509.ParseCertificate(c.Raw)
		if err == nil && self {
			if signed := x.CheckSignature(x.SignatureAlgorithm, x.RawTBSCertificate, x.Signature); signed != nil {
				err = errors.New(badSignature + signed.Error())
			}
		}
		return err
	}), judged(ReaderSecond, func() error {
		x, err := second.ParseCertificate(c.Raw)
		if err == nil && self {
			if signed := x.CheckSignature(x.SignatureAlgorithm, x.RawTBSCertificate, x.Signature); signed != nil {
				err = errors.New(badSignature + signed.Error())
			}
		}
		return err
	}))
	lenient = len(c.Notes) > 0
	for _, r := range readings {
		lenient = lenient || !r.OK
	}
	return c, readings, lenient, nil
}

// judged asks a reader that is not ours: what it does with input that it does not expect is not ours to know.
func judged(reader string, read func() error) (r Reading) {
	r.Reader = reader
	defer func() {
		if p := recover(); p != nil {
			r.OK, r.Said = false, clip(fmt.Sprintf("panic: %v", p))
		}
	}()
	if err := read(); err != nil {
		r.Said = clip(err.Error())
		return r
	}
	r.OK = true
	return r
}

func clip(s string) string {
	if runes := []rune(s); len(runes) > maxReading {
		return string(runes[:maxReading])
	}
	return s
}
