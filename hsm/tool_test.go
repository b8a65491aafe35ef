//go:build cgo

package hsm

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/hsm/tokentest"
	"yinxin/internal/tooltest"
)

// What is put on a token here, a program that nobody here wrote finds there.
func TestAnotherProgramFindsWhatIsOnTheToken(t *testing.T) {
	tooltest.Find(t, "pkcs11-tool")
	w := newWorld(t, "sansec")
	token := w.activate()
	ctx := context.Background()
	k, err := token.Generate(ctx, NewKey{Algorithm: SM2, ID: []byte{0x5A, 0x17}, Label: "the seal's key"})
	w.must(err)
	template := &smx509.Certificate{SerialNumber: big.NewInt(77), NotBefore: w.clock.now(), NotAfter: w.clock.now().Add(time.Hour)}
	der, err := smx509.CreateCertificate(rand.Reader, template, template, k.Public(), k.Signer(ctx))
	w.must(err)
	w.must(token.StoreCertificate(ctx, Certificate{ID: k.Info().ID, Label: "the seal's certificate", DER: der}))
	w.must(token.StoreData(ctx, Data{Application: "yinxin", Label: "the seal", Value: []byte("seal")}, false))
	w.must(token.Close())
	w.must(w.module.Close())

	tool := func(args ...string) string {
		return tooltest.Run(t, "pkcs11-tool", append([]string{"--module", tokentest.Module(t), "--token-label", "seal", "--login", "--pin", tokentest.UserPIN}, args...)...)
	}
	objects := tool("--list-objects")
	for _, want := range []string{"Private Key Object", "Public Key Object", "Certificate Object", "Data object", "the seal's key", "the seal's certificate", "5a17", "'the seal'"} {
		if !strings.Contains(objects, want) {
			t.Errorf("no %s in\n%s", want, objects)
		}
	}
	if got := tool("--read-object", "--type", "cert", "--id", "5a17"); !strings.Contains(got, string(der)) {
		t.Error("another certificate")
	}
}
