package tsa_test

import (
	"math/big"
	"testing"

	"yinxin/ca/cms"
	"yinxin/ca/tsa"
)

func FuzzRequest(f *testing.F) {
	s := newScene(f)
	f.Add(request(f, tsa.Request{Imprint: imprint(cms.SM3), Policy: tsa.Policy, Nonce: big.NewInt(77), Certificates: true}))
	f.Add(request(f, tsa.Request{Imprint: imprint(cms.SHA384)}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		asked, err := tsa.ParseRequest(raw)
		response, err2 := tsa.ParseResponse(s.authority.Answer(t.Context(), raw))
		switch {
		case err2 != nil:
			t.Fatalf("an answer that we cannot read: %v", err2)
		case (response.Token == nil) != (response.Status != tsa.Granted):
			t.Fatalf("%+v", response)
		case response.Token != nil && err != nil:
			t.Fatal("what cannot be read is stamped")
		case response.Token != nil:
			if err := parse(t, response.Token).Check(asked.Imprint.Digest, s.holder.Certificate).Err; err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzResponse(f *testing.F) {
	s := newScene(f)
	f.Add(s.authority.Answer(f.Context(), request(f, tsa.Request{Imprint: imprint(cms.SM3)})))
	f.Add(s.authority.Answer(f.Context(), nil))
	f.Add([]byte{0x30, 5, 0x30, 3, 2, 1, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r, err := tsa.ParseResponse(raw); err == nil && len(r.Token) > len(raw) {
			t.Fatal("a token from nowhere")
		}
	})
}

func FuzzToken(f *testing.F) {
	s := newScene(f)
	f.Add(s.stamp(f, cms.SM3))
	f.Add(sign(f, s.holder, []byte{0x30, 0}, cms.TypeTSTInfo))
	v := s.verifier(f)
	never := cms.SM3.Sum([]byte("never stamped"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, err := tsa.Parse(raw)
		if err != nil {
			return
		}
		if token.Verify(t.Context(), never, v, s.holder.Certificate).Good() {
			t.Fatal("a stamp that nobody made")
		}
		token.Bounds()
	})
}
