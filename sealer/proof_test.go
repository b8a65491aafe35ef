package sealer_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// foreign is a document that somebody else signed, with RSA and by openssl.
func foreign(t *testing.T, h *house) []byte {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	b := original(t)
	doc, err := pdf.Open(t.Context(), bytes.NewReader(b), int64(len(b)))
	must(t, err)
	u, err := doc.PlanSeal(t.Context(), pdf.SealRequest{Filter: "Adobe.PPKLite", SubFilter: "adbe.pkcs7.detached", ContentsSize: 8000, Time: h.now})
	must(t, err)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "content"), append(append(bytes.Clone(b), u.Before()...), u.After()...), 0o600))
	for _, args := range [][]string{
		{"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Somebody Else", "-addext", "crlDistributionPoints=URI:http://127.0.0.1:1/crl", "-keyout", "key", "-out", "cert"},
		{"cms", "-sign", "-binary", "-md", "sha256", "-in", "content", "-signer", "cert", "-inkey", "key", "-outform", "DER", "-out", "value"},
	} {
		c := exec.Command("openssl", args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	value, err := os.ReadFile(filepath.Join(dir, "value"))
	must(t, err)
	update, err := u.Fill(value)
	must(t, err)
	return append(bytes.Clone(b), update...)
}

// broken is a document whose signature nobody can read.
func broken(t *testing.T) []byte {
	t.Helper()
	b := original(t)
	doc, err := pdf.Open(t.Context(), bytes.NewReader(b), int64(len(b)))
	must(t, err)
	u, err := doc.PlanSeal(t.Context(), pdf.SealRequest{Filter: "Adobe.PPKLite", SubFilter: "adbe.pkcs7.detached", ContentsSize: 100, Time: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)})
	must(t, err)
	update, err := u.Fill([]byte{0x30, 0x03, 0x02, 0x01, 0x01})
	must(t, err)
	return append(b, update...)
}

// entry is the validation data that a document carries for each of its signatures: how many certificates, lists, answers.
func vri(t *testing.T, b []byte) (all map[string][3]int) {
	t.Helper()
	doc, err := pdf.Open(t.Context(), bytes.NewReader(b), int64(len(b)))
	must(t, err)
	get := func(d pdf.Dict, key pdf.Name) pdf.Object {
		o, err := doc.Resolve(d.Get(key))
		must(t, err)
		return o
	}
	catalog, _, err := doc.Catalog()
	must(t, err)
	dss, _ := get(catalog, "DSS").(pdf.Dict)
	entries, _ := get(dss, "VRI").(pdf.Dict)
	fields, err := doc.SignatureFields(t.Context())
	must(t, err)
	all = map[string][3]int{}
	for _, f := range fields {
		contents, err := f.Contents()
		must(t, err)
		e, _ := get(entries, pdf.Name(pdf.VRIKey(contents.Value))).(pdf.Dict)
		var n [3]int
		for i, key := range []pdf.Name{"Cert", "CRL", "OCSP"} {
			list, _ := get(e, key).(pdf.Array)
			n[i] = len(list)
		}
		all[f.Name] = n
	}
	return all
}

func TestExtendingProvesEverySignature(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		d := h.upload(original(t))
		for i := range 2 {
			o := order(d, "")
			o.Places[0].Y = 20 + 80*float64(i)
			sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
			must(t, err)
			d = sealed.Document
		}
		once, err := h.sealer.Extend(t.Context(), h.clerk, d.ID)
		must(t, err)
		b := h.bytes(once)
		counted := vri(t, b)
		if len(counted) != 3 {
			t.Fatalf("%v", counted)
		}
		stamp := ""
		for field, n := range counted {
			if n == [3]int{} {
				stamp = field // the document time stamp itself is proved by the next one
			} else if n[0] < 4 || n[1] != 2 || n[2] < 3 {
				// signer, maker, authority of time, and what is above them; lists of root and issuing CA; an answer for each leaf
				t.Errorf("%s: %v", field, n)
			}
		}
		if stamp == "" {
			t.Errorf("the time stamp is proved already: %v", counted)
		}
		twice, err := h.sealer.Extend(t.Context(), h.clerk, once.ID)
		must(t, err)
		if n := vri(t, h.bytes(twice))[stamp]; n[0] == 0 || n[1] == 0 || n[2] == 0 {
			t.Errorf("the first time stamp is not proved: %v", n)
		}
		for field, v := range h.verdicts(twice) {
			if v != verify.Valid {
				t.Errorf("%s: %s", field, v)
			}
		}
	})
}

func TestExtendingWhatOthersSigned(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		h.now = time.Now().Add(time.Minute).UTC() // openssl signs and certifies by its own clock
		must(t, h.authority.PublishCRL(t.Context()))
		d := h.upload(foreign(t, h))
		extended, err := h.sealer.Extend(t.Context(), h.clerk, d.ID)
		must(t, err)
		for field, n := range vri(t, h.bytes(extended)) {
			if field != "" && n[1]+n[2] != 0 {
				t.Errorf("%s: a stranger was asked: %v", field, n)
			}
		}
		for field, v := range h.verdicts(extended) {
			if v == verify.Modified || v == verify.Invalid {
				t.Errorf("%s: %s", field, v)
			}
		}
		// What cannot be read is no reason to leave the rest without proof, and alone it is nothing.
		unread := h.upload(broken(t))
		_, err = h.sealer.Extend(t.Context(), h.clerk, unread.ID)
		wants(t, err, "sealing.extend-broken")
		h.sealer.Intake = map[intakeCode]intakeAction{"signature.broken": "warn"}
		sealed, err := h.sealer.Seal(t.Context(), h.clerk, order(unread, ""))
		must(t, err)
		_, err = h.sealer.Extend(t.Context(), h.clerk, sealed.Document.ID)
		must(t, err)
	})
}

// noEvidence answers as it is told.
type noEvidence struct{ err error }

func (n noEvidence) Evidence(context.Context, *chain.Certificate, *chain.Certificate) (crls, ocsps [][]byte, err error) {
	return nil, nil, n.err
}

func TestAProofThatIsNotToBeHad(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		sealed, err := h.sealer.Seal(t.Context(), h.clerk, order(h.upload(original(t)), ""))
		must(t, err)
		objects, documents := h.stored(), h.count(`SELECT COUNT(*) FROM document`)
		extend := func(want string) {
			t.Helper()
			_, err := h.sealer.Extend(t.Context(), h.clerk, sealed.Document.ID)
			wants(t, err, want)
		}
		for _, e := range []sealer.Evidence{noEvidence{errors.New("no answer")}, noEvidence{}, nil} {
			h.sealer.Evidence = e
			extend("sealing.no-evidence")
		}
		// Found out after signing: the intent has failed, and nothing else is left.
		h.sealer.Evidence = noEvidence{}
		o := order(sealed.Document, "")
		o.Places[0].Y, o.LongTerm = 120, true
		_, err = h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "sealing.no-evidence")
		if h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'failed' AND failure = 'sealing.no-evidence'`) != 1 || h.used() != 1 {
			t.Error("the failure is not on record, or a use is counted")
		}
		h.sealer.Evidence = h.authority
		for _, source := range []stamps{
			func(context.Context) ([]byte, error) { return nil, errors.New("no answer") },
			func(context.Context) ([]byte, error) { return make([]byte, 9000), nil },
			func(context.Context) ([]byte, error) { return nil, nil },
		} {
			h.sealer.TimeStamps = source
			extend("sealing.no-time-stamp")
		}
		h.sealer.TimeStamps = stamps(func(context.Context) ([]byte, error) { return []byte{0x30, 3, 2, 1, 1}, nil })
		extend("sealing.not-verified")
		h.sealer.TimeStamps = h.authority
		stranger, err := h.access.CreateActor(t.Context(), access.Actor{ID: "stranger", Name: "stranger", Organisation: "elsewhere", Roles: []access.Role{access.RoleOperator}})
		must(t, err)
		_, err = h.sealer.Extend(t.Context(), stranger, sealed.Document.ID)
		wants(t, err, "document.not-found")
		if h.stored() != objects || h.count(`SELECT COUNT(*) FROM document`) != documents {
			t.Error("something was kept")
		}
	})
}

func TestACertifiedDocumentLastsLong(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		for level := 1; level <= 3; level++ {
			o := order(h.upload(original(t)), "")
			o.Certify, o.LongTerm, o.Profile = level, true, sealer.ProfileCMS
			sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
			must(t, err)
			extended, err := h.sealer.Extend(t.Context(), h.clerk, sealed.Document.ID)
			must(t, err)
			for field, v := range h.verdicts(extended) {
				if v != verify.Valid {
					t.Errorf("level %d, %s: %s", level, field, v)
				}
			}
			again := order(extended, "")
			again.Places[0].Y = 150
			second, err := h.sealer.Seal(t.Context(), h.clerk, again)
			if level < 3 {
				wants(t, err, "pdf.certified")
			} else {
				must(t, err) // its field comes with an annotation, which level 3 lets in
				for field, v := range h.verdicts(second.Document) {
					if v != verify.Valid {
						t.Errorf("sealed again, %s: %s", field, v)
					}
				}
			}
			again = order(h.upload(h.bytes(sealed.Document)), "")
			again.Certify = 1
			if _, err = h.sealer.Seal(t.Context(), h.clerk, again); err == nil {
				t.Errorf("level %d: certified twice", level)
			}
		}
	})
}

func TestSomebodyWhoGoesAwayIsSealedNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, long := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			h.sealer.TimeStamps = stamps(func(ctx context.Context) ([]byte, error) {
				cancel()
				return nil, ctx.Err()
			})
			if long { // after the signature, between the two updates
				h.sealer.TimeStamps, h.sealer.Evidence = h.authority, leaving{cancel}
			}
			o := order(h.upload(original(t)), "")
			o.LongTerm = long
			objects := h.stored()
			if _, err := h.sealer.Seal(ctx, h.clerk, o); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if h.stored() != objects || h.used() != 0 || h.count(`SELECT COUNT(*) FROM sealing WHERE state <> 'failed'`) != 0 {
				t.Error("something is left")
			}
		}
	})
}

// leaving is a source of evidence during whose answer the caller goes away.
type leaving struct{ cancel func() }

func (l leaving) Evidence(ctx context.Context, _, _ *chain.Certificate) (crls, ocsps [][]byte, err error) {
	l.cancel()
	return nil, nil, ctx.Err()
}
