package command

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/pem"
	"os"
	"regexp"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"github.com/rogpeppe/go-internal/testscript"

	"yinxin/ca"
	"yinxin/ca/envelope"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
)

// newkey NAME makes an SM2 key: NAME.key and NAME.pub.
func scriptNewKey(ts *testscript.TestScript, _ bool, args []string) {
	key, err := sm2.GenerateKey(rand.Reader)
	ts.Check(err)
	private, err := smx509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	public, err := smx509.MarshalPKIXPublicKey(&key.PublicKey)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), private, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o644))
}

// escrowed DIR NAME gives a person both certificates of a pair: the encryption certificate is in NAME.crt, the key in
// escrow is named by $KEY.
func scriptEscrowed(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	h, err := openInstallation(ctx, dataFlags{Data: ts.MkAbs(args[0])}, time.Now)
	ts.Check(err)
	defer h.close()
	var o officers
	o.registrar, err = h.access.Actor(ctx, "registrar")
	ts.Check(err)
	o.approver, err = h.access.Actor(ctx, "approver")
	ts.Check(err)
	token, err := sm2.GenerateKey(rand.Reader)
	ts.Check(err)
	r := ca.Request{Profile: ca.ProfilePersonal, Public: &token.PublicKey, Organisation: "某某市档案馆", CommonName: args[1]}
	approval, err := o.agree(ctx, h.access, access.KindIssueCertificate, r.Subject())
	ts.Check(err)
	signing, err := h.authority.Issue(ctx, approval, r)
	ts.Check(err)
	pair, err := h.escrow.Make(ctx, escrow.Holder{ID: "user-1", Signing: signing})
	ts.Check(err)
	defer pair.Close()
	r.Profile, r.Public = ca.ProfileEncryption, pair.Public()
	approval, err = o.agree(ctx, h.access, access.KindIssueCertificate, r.Terms())
	ts.Check(err)
	certificate, err := h.authority.Issue(ctx, approval, r, pair)
	ts.Check(err)
	ts.Check(h.settle(ctx))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".crt"), certificate.Raw, 0o644))
	ts.Setenv("KEY", pair.ID())
}

// termsagreed DIR has two people agree to a certificate whose key is made afterwards, by the room that made the request:
// $TERMS is the approval.
func scriptTermsAgreed(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	h, err := openInstallation(ctx, dataFlags{Data: ts.MkAbs(args[0])}, time.Now)
	ts.Check(err)
	defer h.close()
	o := officers{registrar: access.Actor{ID: "registrar"}, approver: access.Actor{ID: "approver"}}
	r := ca.Request{Profile: ca.ProfilePersonal, Organisation: "某某市档案馆", CommonName: "王五"}
	approval, err := o.agree(ctx, h.access, access.KindIssueCertificate, r.Terms())
	ts.Check(err)
	ts.Setenv("TERMS", approval)
	ts.Check(h.settle(ctx))
}

var sessionPattern = regexp.MustCompile(`ses_[a-z0-9]+`)

// sessionid VARIABLE keeps that of the session.
func scriptSessionID(ts *testscript.TestScript, _ bool, args []string) {
	for _, stream := range []string{"stdout", "stderr"} {
		if found := sessionPattern.FindString(ts.ReadFile(stream)); found != "" {
			ts.Setenv(args[0], found)
			return
		}
	}
	ts.Fatalf("no session is named")
}

// agreed DIR has the approver agree to every open request; the last is $APPROVAL.
func scriptAgreed(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	h, err := openInstallation(ctx, dataFlags{Data: ts.MkAbs(args[0])}, time.Now)
	ts.Check(err)
	defer h.close()
	open, err := h.access.Open(ctx, 100)
	ts.Check(err)
	if len(open) == 0 {
		ts.Fatalf("nothing was requested")
	}
	for _, p := range open {
		ts.Check(h.access.Approve(ctx, access.Actor{ID: "approver"}, p.ID))
		ts.Setenv("APPROVAL", p.ID)
	}
	ts.Check(h.settle(ctx))
}

// opens KEY ENVELOPE CERTIFICATE: the private key opens the envelope, and what is inside belongs to the certificate.
func scriptOpens(ts *testscript.TestScript, neg bool, args []string) {
	parsed, err := smx509.ParsePKCS8PrivateKey([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	k, err := envelope.Parse([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	key, err := k.Open(parsed.(*sm2.PrivateKey))
	if neg {
		if err == nil {
			ts.Fatalf("%s opens %s", args[0], args[1])
		}
		return
	}
	ts.Check(err)
	certificate, err := smx509.ParseCertificate([]byte(ts.ReadFile(args[2])))
	ts.Check(err)
	if !certificate.PublicKey.(*ecdsa.PublicKey).Equal(&key.PublicKey) {
		ts.Fatalf("%s holds the key of another certificate", args[1])
	}
}
