package ca

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/keystore"
)

// order is the order as it travels.
func (w *world) order(t *testing.T) []byte {
	t.Helper()
	o, err := w.RootOrder(t.Context())
	must(t, err)
	data, err := json.Marshal(o)
	must(t, err)
	return data
}

func (w *world) rootKey(t *testing.T) keystore.Key {
	t.Helper()
	key, err := w.rootKeys.Ring(keystore.PurposeRoot).Get(t.Context(), KeyRoot)
	must(t, err)
	return key
}

func TestAnOfflineRootRevokesTheIssuingCA(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		serial := w.first().Certificate.Serial
		w.pass(time.Hour)
		id := w.approve(t, access.KindRevokeCertificate, RevokeSubject(serial, ReasonKeyCompromise))
		must(t, w.Revoke(ctx, id, serial, ReasonKeyCompromise))
		before, err := w.RootCRL(ctx)
		must(t, err)
		der, err := SignRootCRL(ctx, w.rootKey(t), w.order(t), w.time())
		must(t, err)
		must(t, w.ImportRootCRL(ctx, "zhang", der))
		after, err := w.RootCRL(ctx)
		must(t, err)
		crl, err := chain.ParseCRL(after)
		must(t, err)
		if r, there := crl.Lookup(serial); !there || r.Reason != int(ReasonKeyCompromise) || crl.Number.Int64() != w.time().Unix() {
			t.Errorf("%v %v, number %v", there, r, crl.Number)
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ca_status_event WHERE crl = 0`); n != 0 {
			t.Errorf("%d events still wait", n)
		}
		// Neither again nor an older one.
		wantCode(t, w.ImportRootCRL(ctx, "zhang", der), ErrRootCRL)
		wantCode(t, w.ImportRootCRL(ctx, "zhang", before), ErrRootCRL)
		// The next list keeps the entry and counts on even in the same second.
		der, err = SignRootCRL(ctx, w.rootKey(t), w.order(t), w.time())
		must(t, err)
		must(t, w.ImportRootCRL(ctx, "zhang", der))
		crl, err = chain.ParseCRL(der)
		must(t, err)
		if _, there := crl.Lookup(serial); !there || crl.Number.Int64() != w.time().Unix()+1 {
			t.Errorf("%v, number %v", there, crl.Number)
		}
	})
}

func TestOpensslReadsTheListOfTheOfflineRoot(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	w := sqliteWorld(t)
	w.pass(time.Hour)
	o, err := w.RootOrder(t.Context())
	must(t, err)
	o.Add = []RootEntry{{Serial: SerialText(w.first().Certificate.Serial), Reason: ReasonCessationOfOperation, Since: w.time()}}
	data, err := json.Marshal(o)
	must(t, err)
	der, err := SignRootCRL(t.Context(), w.rootKey(t), data, w.time())
	must(t, err)
	path := filepath.Join(t.TempDir(), "root.crl")
	must(t, os.WriteFile(path, der, 0o600))
	out, err := exec.Command(openssl, "crl", "-inform", "DER", "-in", path, "-noout", "-text").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Cessation Of Operation") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAHoldOfTheRootIsLiftedByTheNextList(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	serial := w.first().Certificate.Serial
	publish := func() *chain.CRL {
		w.pass(time.Hour)
		der, err := SignRootCRL(ctx, w.rootKey(t), w.order(t), w.time())
		must(t, err)
		must(t, w.ImportRootCRL(ctx, "zhang", der))
		crl, err := chain.ParseCRL(der)
		must(t, err)
		return crl
	}
	must(t, w.Suspend(ctx, w.approve(t, access.KindSuspendCertificate, SuspendSubject(serial)), serial))
	if r, there := publish().Lookup(serial); !there || r.Reason != int(ReasonCertificateHold) {
		t.Errorf("held: %v %v", there, r)
	}
	must(t, w.Resume(ctx, w.approve(t, access.KindResumeCertificate, ResumeSubject(serial)), serial))
	if publish().Len() != 0 {
		t.Error("the entry is still there")
	}
	must(t, w.Suspend(ctx, w.approve(t, access.KindSuspendCertificate, SuspendSubject(serial)), serial))
	publish()
	must(t, w.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, RevokeSubject(serial, ReasonSuperseded)), serial, ReasonSuperseded))
	crl := publish()
	if r, _ := crl.Lookup(serial); crl.Len() != 1 || r.Reason != int(ReasonSuperseded) {
		t.Errorf("%d entries, %v", crl.Len(), r)
	}
}

func TestAListThatLacksWhatItMustHaveIsNotImported(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	serial := w.first().Certificate.Serial
	stale := w.order(t) // from before the revocation
	w.pass(time.Hour)
	must(t, w.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, RevokeSubject(serial, ReasonKeyCompromise)), serial, ReasonKeyCompromise))
	der, err := SignRootCRL(ctx, w.rootKey(t), stale, w.time())
	must(t, err)
	wantCode(t, w.ImportRootCRL(ctx, "zhang", der), ErrRootCRL)
	future, err := SignRootCRL(ctx, w.rootKey(t), w.order(t), w.time().Add(time.Hour))
	must(t, err)
	wantCode(t, w.ImportRootCRL(ctx, "zhang", future), ErrRootCRL)
	issued, err := w.CRL(ctx, FirstIssuer)
	must(t, err)
	wantCode(t, w.ImportRootCRL(ctx, "zhang", issued), ErrRootCRL) // of the issuing CA
	wantCode(t, w.ImportRootCRL(ctx, "zhang", []byte("no list")), ErrRootCRL)
	good, err := SignRootCRL(ctx, w.rootKey(t), w.order(t), w.time())
	must(t, err)
	w.pass(RootCRLValidity + time.Second)
	wantCode(t, w.ImportRootCRL(ctx, "zhang", good), ErrRootCRL) // expired on the way
}

func TestAnOrderThatIsNotRightIsNotSigned(t *testing.T) {
	w := sqliteWorld(t)
	w.pass(time.Hour)
	good, err := w.RootOrder(t.Context())
	must(t, err)
	for name, change := range map[string]func(o *RootOrder){
		"another format":           func(o *RootOrder) { o.Format = 2 },
		"no root":                  func(o *RootOrder) { o.Root = nil },
		"a root that did not list": func(o *RootOrder) { o.Root = w.first().Certificate.Raw },
		"no list":                  func(o *RootOrder) { o.LastCRL = []byte{0x30, 0} },
		"no serial number":         func(o *RootOrder) { o.Add = []RootEntry{{Serial: "x", Since: w.time()}} },
		"a negative one":           func(o *RootOrder) { o.Add = []RootEntry{{Serial: "-5", Since: w.time()}} },
		"a reason that is none":    func(o *RootOrder) { o.Add = []RootEntry{{Serial: "05", Since: w.time(), Reason: 7}} },
		"no time":                  func(o *RootOrder) { o.Add = []RootEntry{{Serial: "05"}} },
	} {
		o := good
		change(&o)
		data, err := json.Marshal(o)
		must(t, err)
		_, err = SignRootCRL(t.Context(), w.rootKey(t), data, w.time())
		t.Log(name)
		wantCode(t, err, ErrRootOrder)
	}
	_, err = SignRootCRL(t.Context(), w.first().key, w.order(t), w.time()) // the issuing CA's key
	wantCode(t, err, ErrKey)
	_, err = SignRootCRL(t.Context(), w.rootKey(t), w.order(t), w.time().Add(-24*time.Hour))
	wantCode(t, err, ErrClock)
}
