//go:build cgo

package hsm

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/hsm/tokentest"
)

// softHSM is a token that nobody here wrote, with RSA and ECDSA and without SM2.
func softHSM(t *testing.T) (*world, *Token) {
	path := tokentest.SoftHSM(t, "seal")
	w := &world{TB: t, clock: &manual{at: time.Now()}}
	w.open(path)
	profiles, err := ReadProfiles("")
	w.must(err)
	p, err := profiles.Named("standard")
	w.must(err)
	w.config = Config{Token: Selection{Label: "seal"}, Profile: p, Clock: w.clock.now, PIN: source(tokentest.UserPIN), KeepAlive: -1}
	return w, w.activate()
}

func TestKeysByTheMechanismsOfTheStandard(t *testing.T) {
	w, token := softHSM(t)
	ctx := context.Background()
	for _, algorithm := range []Algorithm{P256, P384, RSA2048, RSA3072} {
		t.Run(string(algorithm), func(t *testing.T) {
			k, err := token.Generate(ctx, NewKey{Algorithm: algorithm, ID: []byte(algorithm), Label: string(algorithm)})
			w.must(err)
			if k.Info().Algorithm != algorithm {
				t.Errorf("%+v", k.Info())
			}
			signer := k.Signer(ctx)
			sum256, sum384 := sha256.Sum256([]byte("档案")), sha512.Sum384([]byte("档案"))
			for hash, digest := range map[crypto.Hash][]byte{crypto.SHA256: sum256[:], crypto.SHA384: sum384[:]} {
				signature, err := signer.Sign(nil, digest, hash)
				w.must(err)
				switch public := k.Public().(type) {
				case *ecdsa.PublicKey:
					if !ecdsa.VerifyASN1(public, digest, signature) {
						t.Errorf("%v: not good", hash)
					}
				case *rsa.PublicKey:
					w.must(rsa.VerifyPKCS1v15(public, hash, digest, signature))
					pss := &rsa.PSSOptions{Hash: hash, SaltLength: rsa.PSSSaltLengthEqualsHash}
					signature, err = signer.Sign(nil, digest, pss)
					w.must(err)
					w.must(rsa.VerifyPSS(public, hash, digest, signature, pss))
				}
			}
			_, err = signer.Sign(nil, sum256[:31], crypto.SHA256)
			w.want(err, ErrAlgorithm)
			_, err = k.SignMessage(ctx, []byte("档案"))
			w.want(err, ErrAlgorithm)
		})
	}
	_, err := token.Generate(ctx, NewKey{Algorithm: SM2})
	w.want(err, ErrAlgorithm)
	list, err := token.Keys(ctx)
	w.must(err)
	if len(list) != 4 {
		t.Errorf("%d keys", len(list))
	}
}

// A key of the token serves TLS: the standard library hands it what it wants signed.
func TestAKeyOnATokenServesTLS(t *testing.T) {
	w, token := softHSM(t)
	ctx := context.Background()
	for _, algorithm := range []Algorithm{P256, RSA2048} {
		k, err := token.Generate(ctx, NewKey{Algorithm: algorithm})
		w.must(err)
		request, err := k.Request(ctx, &smx509.CertificateRequest{Subject: pkix.Name{CommonName: "yinxin.example"}})
		w.must(err)
		parsed, err := x509.ParseCertificateRequest(request)
		w.must(err)
		w.must(parsed.CheckSignature())
		template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"yinxin.example"}, IsCA: true, BasicConstraintsValid: true,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k.Signer(ctx))
		w.must(err)
		w.must(token.StoreCertificate(ctx, Certificate{ID: k.Info().ID, Label: "TLS", DER: der}))
		stored, err := k.CertificateOf(ctx)
		w.must(err)
		certificate, err := x509.ParseCertificate(stored.DER)
		w.must(err)
		roots := x509.NewCertPool()
		roots.AddCert(certificate)
		here, there := net.Pipe()
		server := tls.Server(here, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{stored.DER}, PrivateKey: k.Signer(ctx)}}})
		go func() {
			_, _ = server.Write([]byte("印"))
			_ = server.Close()
		}()
		client := tls.Client(there, &tls.Config{RootCAs: roots, ServerName: "yinxin.example"})
		text, err := io.ReadAll(client)
		if err != nil || string(text) != "印" {
			t.Errorf("%s: %q, %v", algorithm, text, err)
		}
	}
}
