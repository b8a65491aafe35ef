package intake

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"yinxin/fixtures"
)

// TestASealedFileIsSealedAgain scans files that carry seals: where these hold, nothing speaks against another.
func TestASealedFileIsSealedAgain(t *testing.T) {
	der, err := hex.DecodeString("3003020101")
	if err != nil {
		t.Fatal(err)
	}
	signer := fixtures.Signer{Filter: "GM.PKILite", SubFilter: "GM.sm2seal", Room: 3000,
		Sign:  func(_, _ []byte, _ string) ([]byte, error) { return der, nil },
		Stamp: func(_, _ []byte) ([]byte, error) { return der, nil }}
	holds := Options{Signatures: func(context.Context) (all []EarlierSignature, err error) {
		for n := range 30 {
			all = append(all, EarlierSignature{fmt.Sprintf("Seal%d", n), SignatureHolds})
		}
		all = append(all, EarlierSignature{"Empty", SignatureHolds})
		return all, nil
	}}
	for _, a := range fixtures.Additions() {
		data, err := a.Make(signer)
		if err != nil {
			t.Fatal(err)
		}
		r := scan(t, data, holds)
		for _, f := range r.Findings {
			if f.Severity != Info && !slices.Contains([]Code{CodeCertified, CodeFields, CodeUnreadable}, f.Code) {
				t.Errorf("%s: %s%s", a.Name, f.Code, listed(r))
			}
		}
		if d := Decide(r.Findings, nil); d.Action == Refuse {
			t.Errorf("%s: refused%s", a.Name, listed(r))
		}
	}
}
