package cms_test

import (
	"encoding/asn1"
	"testing"

	"yinxin/ca/cms"
	"yinxin/internal/oid"
)

func TestIdentifiersAreWrittenInDots(t *testing.T) {
	for _, test := range []struct {
		id   cms.ID
		want string
	}{
		{cms.TypeData, "1.2.840.113549.1.7.1"},
		{cms.TypeSignedDataGM, "1.2.156.10197.6.1.4.2.2"},
		{cms.IDOf(oid.SHA256), "2.16.840.1.101.3.4.2.1"},
		{cms.IDOf(asn1.ObjectIdentifier{0, 9, 2342}), "0.9.2342"},
		{cms.IDOf(asn1.ObjectIdentifier{2, 999, 3}), "2.999.3"},
		// A UUID is one arc: 2b7e419a-c503-4f68-b19d-50e6378af21c as an integer.
		{cms.AttrSeal, "2.25.57812363841660584081819919566471098908"},
		{"", ""},
	} {
		if got := test.id.String(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
	// ca/chain gives -1 for an arc that does not fit; it must not become a shorter identifier that is known.
	if got := cms.IDOf(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1, -1}); got != "" {
		t.Errorf("%s", got)
	}
}
