package cms_test

import (
	"testing"

	"github.com/emmansun/gmsm/pkcs7"
)

// What gmsm signs after GB/T 35275 is verified here: with and without attributes, its content along or elsewhere.
func TestWhatGmsmSignsIsVerified(t *testing.T) {
	s := newScene(t)
	for _, test := range []struct {
		name               string
		attributes, detach bool
	}{
		{"with attributes, content along", true, false},
		{"with attributes, content elsewhere", true, true},
		{"without attributes, content along", false, false},
		{"without attributes, content elsewhere", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			made, err := pkcs7.NewSMSignedData(content)
			if err != nil {
				t.Fatal(err)
			}
			add := made.AddSigner
			if !test.attributes {
				add = made.SignWithoutAttr
			}
			if err := add(s.signer.X509, s.signer.Key, pkcs7.SignerInfoConfig{}); err != nil {
				t.Fatal(err)
			}
			outside := []byte(nil)
			if test.detach {
				made.Detach()
				outside = content
			}
			raw, err := made.Finish()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify(raw, outside); err != nil {
				t.Fatal(err)
			}
			d := parse(t, raw)
			if signer, err := d.Signer(); err != nil || signer.Signed != test.attributes || !d.GM || d.Embedded == test.detach {
				t.Errorf("%+v, %v", d, err)
			}
			if _, err := verify(raw, []byte("another")); err == nil {
				t.Error("other content is accepted")
			}
		})
	}
}
