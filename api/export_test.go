package api

import (
	"crypto/ecdsa"
	"testing"

	"yinxin/internal/jobs"
)

// Served is a world that serves, for tests of who calls it.
type Served struct {
	URL  string
	Keys map[string]string // by actor
	Seal string            // a seal that platform and clerk may use
	// Certificate is the one of the seal, in DER.
	Certificate []byte
	Work        *jobs.Jobs
	// Sequence gives the entries of the ledger their places.
	Sequence func() error
	Ledger   *ecdsa.PublicKey
	// USBKey gives the clerk the seal on a key of their own.
	USBKey func()
}

// Serve gives a world that serves.
func Serve(t *testing.T) Served {
	w := equipped(t)
	return Served{URL: w.http.URL, Keys: w.keys, Seal: sealCode, Certificate: w.certificate.Raw, Work: w.work, Ledger: w.ledgerKey,
		USBKey:   func() { w.usbKey() },
		Sequence: func() error { _, err := w.server.Ledger.Sequence(t.Context()); return err }}
}
