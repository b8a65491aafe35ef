package chain_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	tjsm2 "github.com/tjfoc/gmsm/sm2"
	tjx509 "github.com/tjfoc/gmsm/x509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

func mustRead(t testing.TB, raw []byte) *chain.Certificate {
	t.Helper()
	c, err := chain.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseCertificateGivesWhatAnInstitutionCertificateSays(t *testing.T) {
	root := chaintest.Root(t, "云岭省电子印章根 CA")
	code, err := asn1.MarshalWithParams("12530000MB1234567X", "printable")
	if err != nil {
		t.Fatal(err)
	}
	leaf := root.Issue(t, "53010000000012", func(c *smx509.Certificate) {
		c.Subject.Organization = []string{"12530000MB1234567X云岭省档案馆"}
		c.Subject.Province, c.Subject.Locality = []string{"云岭省"}, []string{"安和市"}
		c.CRLDistributionPoints = []string{"http://ca.example/crl/0.crl", "http://ca.example/crl/1.crl"}
		c.OCSPServer = []string{"http://ca.example/ocsp"}
		c.IssuingCertificateURL = []string{"http://ca.example/ca.cer"}
		c.ExtraExtensions = []pkix.Extension{{Id: oid.OrganisationCode, Value: code}}
	})
	c := leaf.Certificate

	if c.Version != 3 || c.Serial.Cmp(leaf.X509.SerialNumber) != 0 {
		t.Errorf("version %d, serial %v", c.Version, c.Serial)
	}
	if want := "CN=53010000000012,O=12530000MB1234567X云岭省档案馆,L=安和市,ST=云岭省,C=CN"; c.Subject.String() != want {
		t.Errorf("subject %s, want %s", c.Subject, want)
	}
	if c.Issuer.CommonName != "云岭省电子印章根 CA" || !bytes.Equal(c.RawIssuer, root.Certificate.RawSubject) {
		t.Errorf("issuer %s", c.Issuer)
	}
	if !c.NotBefore.Equal(chaintest.Start) || !c.NotAfter.Equal(chaintest.Start.Add(chaintest.Year)) {
		t.Errorf("validity %v to %v", c.NotBefore, c.NotAfter)
	}
	if !c.HasKeyUsage || c.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment {
		t.Errorf("key usage %v", c.KeyUsage)
	}
	if !c.BasicConstraints || c.IsCA || c.MaxPathLen != -1 {
		t.Errorf("basic constraints %v %v %d", c.BasicConstraints, c.IsCA, c.MaxPathLen)
	}
	if c.OrganisationCode != "12530000MB1234567X" {
		t.Errorf("organisation code %q", c.OrganisationCode)
	}
	if !slices.Equal(c.CRLURLs, leaf.X509.CRLDistributionPoints) || !slices.Equal(c.OCSPURLs, leaf.X509.OCSPServer) ||
		!slices.Equal(c.IssuerURLs, leaf.X509.IssuingCertificateURL) {
		t.Errorf("addresses %v %v %v", c.CRLURLs, c.OCSPURLs, c.IssuerURLs)
	}
	if !bytes.Equal(c.AuthorityKeyID, root.Certificate.SubjectKeyID) || len(c.AuthorityKeyID) == 0 {
		t.Errorf("authority key identifier %x, of the issuer %x", c.AuthorityKeyID, root.Certificate.SubjectKeyID)
	}
	if !c.SignatureAlgorithm.Equal(oid.SM2WithSM3) || len(c.Notes) != 0 || len(c.UnhandledCritical) != 0 {
		t.Errorf("algorithm %v, notes %v, unhandled %v", c.SignatureAlgorithm, c.Notes, c.UnhandledCritical)
	}
	if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != sm2.P256() || !leaf.Key.PublicKey.Equal(key) {
		t.Errorf("public key %v", c.PublicKey)
	}
	if notes, err := chain.CheckSignature(root.Certificate.PublicKey, c.SignatureAlgorithm, c.RawTBS, c.Signature); err != nil ||
		len(notes) != 0 {
		t.Errorf("signature: %v, notes %v", err, notes)
	}
}

func TestCheckSignatureKnowsTheAlgorithmsThatCertificatesUse(t *testing.T) {
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	for _, test := range []struct {
		name      string
		key       any
		public    any
		algorithm x509.SignatureAlgorithm
		want      string
	}{
		{"RSA with SHA-256", long, &long.PublicKey, x509.SHA256WithRSA, ""},
		{"RSA with SHA-384", long, &long.PublicKey, x509.SHA384WithRSA, ""},
		{"RSA with SHA-512", long, &long.PublicKey, x509.SHA512WithRSA, ""},
		{"RSASSA-PSS with SHA-256", long, &long.PublicKey, x509.SHA256WithRSAPSS, ""},
		{"RSASSA-PSS with SHA-512", long, &long.PublicKey, x509.SHA512WithRSAPSS, ""},
		{"ECDSA P-256 with SHA-256", p256, &p256.PublicKey, x509.ECDSAWithSHA256, ""},
		{"ECDSA P-384 with SHA-384", p384, &p384.PublicKey, x509.ECDSAWithSHA384, ""},
		{"ECDSA P-521 with SHA-512", p521, &p521.PublicKey, x509.ECDSAWithSHA512, ""},
		{"RSA of 1024 bits proves nothing", short, &short.PublicKey, x509.SHA256WithRSA, "chain.weak-algorithm"},
	} {
		t.Run(test.name, func(t *testing.T) {
			template := &x509.Certificate{SerialNumber: big.NewInt(7), SignatureAlgorithm: test.algorithm,
				NotBefore: chaintest.Start, NotAfter: chaintest.Start.Add(time.Hour)}
			raw, err := x509.CreateCertificate(rand.Reader, template, template, test.public, test.key)
			if err != nil {
				t.Fatal(err)
			}
			c := mustRead(t, raw)
			algorithm := chain.Algorithm{OID: c.SignatureAlgorithm, Parameters: c.SignatureParameters}
			if _, err := algorithm.Check(c.PublicKey, c.RawTBS, c.Signature); codeOf(err) != test.want {
				t.Errorf("right signature: %v, want %q", err, test.want)
			}
			changed := bytes.Clone(c.RawTBS)
			changed[len(changed)-1] ^= 1
			if _, err := algorithm.Check(c.PublicKey, changed, c.Signature); codeOf(err) != "chain.bad-signature" {
				t.Errorf("changed content: %v", err)
			}
			other := chaintest.Key(t)
			if _, err := algorithm.Check(&other.PublicKey, c.RawTBS, c.Signature); codeOf(err) != "chain.bad-key" {
				t.Errorf("a key of another kind: %v", err)
			}
		})
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

func TestSHA1AndMD5AreWeakWhenTheValueIsRightAndWrongWhenItIsNot(t *testing.T) {
	// openssl made these: dgst -sha1 / -md5 -sign over the octets "archive".
	dir := t.TempDir()
	run := func(args ...string) []byte {
		command := exec.Command("openssl", args...)
		command.Dir = dir
		command.Stdin = strings.NewReader("archive")
		out, err := command.Output()
		if err != nil {
			t.Skipf("openssl %v: %v", args[0], err)
		}
		return out
	}
	run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem")
	block, _ := pem.Decode(run("pkey", "-in", "key.pem", "-pubout"))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for name, algorithm := range map[string]asn1.ObjectIdentifier{
		"-sha1": oid.RSASHA1, "-md5": {1, 2, 840, 113549, 1, 1, 4},
	} {
		value := run("dgst", name, "-sign", "key.pem")
		if _, err := chain.CheckSignature(key, algorithm, []byte("archive"), value); codeOf(err) != "chain.weak-algorithm" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := chain.CheckSignature(key, algorithm, []byte("other"), value); codeOf(err) != "chain.bad-signature" {
			t.Errorf("%s over something else: %v", name, err)
		}
	}
}

func TestCheckSM2DigestTakesTheValueFormsThatAreFound(t *testing.T) {
	// The key and the digest are fresh until r begins with a bit and s without one, so that every form differs.
	key := chaintest.Key(t)
	digest, err := sm2.CalculateSM2Hash(&key.PublicKey, []byte("印章"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var pair struct{ R, S *big.Int }
	for pair.R == nil || pair.R.BitLen() != 256 || pair.S.BitLen() != 255 {
		value, err := sm2.SignASN1(rand.Reader, key, digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := asn1.Unmarshal(value, &pair); err != nil {
			t.Fatal(err)
		}
	}
	r, s := pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))
	integer := func(content []byte) []byte { return append([]byte{2, byte(len(content))}, content...) }
	sequence := func(parts ...[]byte) []byte {
		content := slices.Concat(parts...)
		return append([]byte{0x30, byte(len(content))}, content...)
	}
	zero := []byte{0}
	for _, test := range []struct {
		name  string
		value []byte
		notes int
		code  string
	}{
		{"DER", sequence(integer(slices.Concat(zero, r)), integer(s)), 0, ""},
		{"a needless leading zero", sequence(integer(slices.Concat(zero, r)), integer(slices.Concat(zero, s))), 1, ""},
		{"a missing leading zero", sequence(integer(r), integer(s)), 1, ""},
		{"bare octets", slices.Concat(r, s), 1, ""},
		{"bare octets swapped", slices.Concat(s, r), 1, "chain.bad-signature"},
		{"trailing octet", append(sequence(integer(slices.Concat(zero, r)), integer(s)), 0), 0, "chain.bad-signature"},
		{"trailing octet inside", sequence(integer(slices.Concat(zero, r)), integer(s), zero), 0, "chain.bad-signature"},
		{"zero r", sequence(integer(zero), integer(s)), 0, "chain.bad-signature"},
		{"no integers", sequence(), 0, "chain.bad-signature"},
		{"nothing", nil, 0, "chain.bad-signature"},
		{"33 octets of r", sequence(integer(slices.Concat([]byte{1}, r)), integer(s)), 0, "chain.bad-signature"},
	} {
		t.Run(test.name, func(t *testing.T) {
			notes, err := chain.CheckSM2Digest(&key.PublicKey, [32]byte(digest), test.value)
			if codeOf(err) != test.code || len(notes) != test.notes {
				t.Errorf("error %v, notes %q", err, notes)
			}
		})
	}
	if _, err := chain.CheckSM2Digest(nil, [32]byte{}, nil); codeOf(err) != "chain.bad-key" {
		t.Errorf("without a key: %v", err)
	}
}

func TestTheOtherImplementationReadsAndVerifiesTheSameCertificates(t *testing.T) {
	root := chaintest.Root(t, "云岭省电子印章根 CA")
	leaf := root.Issue(t, "53010000000012")
	theirRoot, err := tjx509.ParseCertificate(root.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := tjx509.ParseCertificate(leaf.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.CheckSignatureFrom(theirRoot); err != nil {
		t.Fatal(err)
	}
	if theirs.SerialNumber.Cmp(leaf.Certificate.Serial) != 0 || theirs.Subject.CommonName != leaf.Certificate.Subject.CommonName {
		t.Errorf("they read %v %q", theirs.SerialNumber, theirs.Subject.CommonName)
	}
	// And what they sign, we verify.
	private, err := tjsm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	value, err := private.Sign(rand.Reader, []byte("印章"), nil)
	if err != nil {
		t.Fatal(err)
	}
	point := slices.Concat([]byte{4}, private.X.FillBytes(make([]byte, 32)), private.Y.FillBytes(make([]byte, 32)))
	public, err := sm2.ParseUncompressedPublicKey(point)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chain.CheckSignature(public, oid.SM2WithSM3, []byte("印章"), value); err != nil {
		t.Error(err)
	}
}

func TestOpenSSLPrintsTheSameSubjectAndSerial(t *testing.T) {
	leaf := chaintest.Root(t, "Root").Issue(t, "53010000000012")
	command := exec.Command("openssl", "x509", "-inform", "DER", "-noout", "-serial", "-text")
	command.Stdin = bytes.NewReader(leaf.Certificate.Raw)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Skipf("openssl: %v", err)
	}
	for _, want := range []string{"CN = 53010000000012", strings.ToUpper(leaf.Certificate.Serial.Text(16)), "SM2-with-SM3"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("openssl does not print %q:\n%s", want, out)
		}
	}
}

// embeddedCertificates finds what looks like a certificate in data: SEQUENCE of SEQUENCE with a two-octet length.
func embeddedCertificates(data []byte) [][]byte {
	var found [][]byte
	for i := 0; i+8 < len(data); i++ {
		if data[i] != 0x30 || data[i+1] != 0x82 || data[i+4] != 0x30 || data[i+5] != 0x82 || data[i+8] != 0xa0 {
			continue
		}
		end := i + 4 + int(data[i+2])<<8 + int(data[i+3])
		if end <= len(data) {
			found = append(found, data[i:end])
		}
	}
	return found
}

func TestCertificatesInsideSealsMadeElsewhereAreRead(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/testdata/ses/*.*")
	count := 0
	for _, file := range files {
		if strings.HasSuffix(file, ".txt") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range embeddedCertificates(data) {
			c, err := chain.ParseCertificate(raw)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
				continue
			}
			count++
			if c.PublicKey == nil || c.Subject.CommonName == "" {
				t.Errorf("%s: %v, key %v, notes %v", filepath.Base(file), c.Subject, c.PublicKey, c.Notes)
			}
			t.Logf("%s: %s (%s) %v", filepath.Base(file), c.Subject, c.Issuer, c.Notes)
		}
	}
	if len(files) == 0 {
		t.Skip("no seals of other makers here")
	}
	if count == 0 {
		t.Error("no certificate found in the seals")
	}
}
