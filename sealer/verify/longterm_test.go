package verify

import (
	"fmt"
	"testing"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
)

// TestLongTermDataIsAddedLater seals, adds validation data, stamps the document, and years later knows nothing but the
// root: the shape of PAdES B-LTA.
func TestLongTermDataIsAddedLater(t *testing.T) {
	for _, profile := range []cms.Profile{"", cms.ProfileCMS} {
		h := newHouse(t)
		h.profile = profile
		good := newClock(t, h.issuing, late.Add(chaintest.Year))
		f := newFile().seal(t, h)
		objects := map[int]string{}
		refs := func(all ...[]byte) string {
			list := ""
			for _, data := range all {
				num := f.next + 20 + len(objects)
				objects[num] = stream("", string(data))
				list += fmt.Sprintf("%d 0 R ", num)
			}
			return "[" + list + "]"
		}
		at := signed.Add(oneDay)
		store := fmt.Sprintf(" /DSS << /Certs %s /CRLs %s >>", refs(h.issuing.Certificate.Raw),
			refs(h.issuing.CRL(t, 1, signed.Add(-oneDay), at), h.root.CRL(t, 1, signed.Add(-oneDay), at)))
		objects[catalogObject] = "<< " + f.root + store + " /AcroForm << /SigFlags 3 /Fields [" + f.fields + " ] >> >>"
		f.update("", objects)
		f.root += store
		f.seal(t, h, good.document(t, signed.Add(time6)))
		r := f.verify(t, Options{At: late, Language: "en", Chain: &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate)}})
		want(t, r, Valid, "proved by a document time stamp")
	}
}

const time6 = oneDay / 4
