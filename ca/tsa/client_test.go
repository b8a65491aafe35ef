package tsa_test

import (
	"context"
	"math/big"
	"testing"

	"yinxin/ca/cms"
	"yinxin/ca/tsa"
)

// The client is shown answers that are wrong in one way each.
func TestTheClientAcceptsOnlyAnAnswerToItsRequest(t *testing.T) {
	s := newScene(t)
	digest := cms.SM3.Sum(stamped)
	change := func(change func(r *tsa.Request)) func([]byte) ([]byte, error) {
		return func(raw []byte) ([]byte, error) {
			r, err := tsa.ParseRequest(raw)
			if err != nil {
				return nil, err
			}
			change(r)
			return s.authority.Answer(t.Context(), request(t, *r)), nil
		}
	}
	for name, test := range map[string]struct {
		policy cms.ID
		send   func(raw []byte) ([]byte, error)
		want   string
	}{
		"the right answer":                     {"", change(func(*tsa.Request) {}), ""},
		"the right policy":                     {tsa.Policy, change(func(*tsa.Request) {}), ""},
		"another policy":                       {cms.TypeData, change(func(r *tsa.Request) { r.Policy = "" }), "tsa.policy"},
		"a refusal":                            {cms.TypeData, change(func(*tsa.Request) {}), "tsa.refused"},
		"another nonce":                        {"", change(func(r *tsa.Request) { r.Nonce = big.NewInt(1) }), "tsa.nonce"},
		"no nonce":                             {"", change(func(r *tsa.Request) { r.Nonce = nil }), "tsa.nonce"},
		"another digest":                       {"", change(func(r *tsa.Request) { r.Imprint.Digest = cms.SM3.Sum([]byte("another")) }), "tsa.imprint"},
		"another algorithm":                    {"", change(func(r *tsa.Request) { r.Imprint = imprint(cms.SHA256) }), "tsa.imprint"},
		"the same digest of another algorithm": {"", change(func(r *tsa.Request) { r.Imprint = tsa.Imprint{Hash: cms.SHA256, Digest: r.Imprint.Digest} }), "tsa.imprint"},
		"no certificate":                       {"", change(func(r *tsa.Request) { r.Certificates = false }), "cms.certificate-missing"},
		"junk":                                 {"", func([]byte) ([]byte, error) { return []byte("junk"), nil }, "tsa.bad-response"},
		"nothing":                              {"", func([]byte) ([]byte, error) { return nil, nil }, "tsa.bad-response"},
		"granted, no token":                    {"", func([]byte) ([]byte, error) { return []byte{0x30, 5, 0x30, 3, 2, 1, 0}, nil }, "tsa.bad-response"},
		"too much":                             {"", func([]byte) ([]byte, error) { return make([]byte, tsa.MaxResponse+1), nil }, "tsa.too-large"},
		"no way there":                         {"", func([]byte) ([]byte, error) { return nil, tsa.ErrAuthority.New() }, "tsa.unavailable"},
	} {
		client := &tsa.Client{Policy: test.policy, Send: func(_ context.Context, raw []byte) ([]byte, error) { return test.send(raw) }}
		token, err := client.Stamp(t.Context(), cms.SM3, digest)
		if codeOf(err) != test.want {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if err == nil && !parse(t, token).Verify(t.Context(), digest, s.verifier(t)).Good() {
			t.Errorf("%s: not good", name)
		}
	}
	client := &tsa.Client{}
	if _, err := client.Stamp(t.Context(), cms.SHA1, cms.SHA1.Sum(stamped)); codeOf(err) != "tsa.unknown-digest" {
		t.Errorf("SHA-1: %v", err)
	}
}
