package tsa_test

import (
	"bytes"
	"context"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"testing/iotest"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

var stamped = []byte("the octets of a signature value")

// onlyStamps is the extended key usage of a time-stamp authority, critical or not.
func onlyStamps(critical bool) chaintest.Change {
	return chaintest.Extension(pkix.Extension{Id: oid.ExtKeyUsage, Critical: critical, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}})
}

// scene is a CA with a time-stamp authority, and its clock.
type scene struct {
	ca, holder *chaintest.Holder
	now        time.Time
	authority  *tsa.Authority
}

func newScene(t testing.TB, changes ...chaintest.Change) *scene {
	t.Helper()
	s := &scene{ca: chaintest.Root(t, "云岭省时间戳 CA"), now: chaintest.Start.Add(24*time.Hour + 300*time.Millisecond)}
	s.holder = s.ca.Issue(t, "时间戳", append([]chaintest.Change{onlyStamps(true)}, changes...)...)
	var err error
	if s.authority, err = tsa.New(s.config()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) config() tsa.Config {
	return tsa.Config{Certificate: s.holder.Certificate, Chain: []*chain.Certificate{s.ca.Certificate}, Key: s.holder,
		Clock: func() time.Time { return s.now }}
}

// verifier trusts the CA, whose list says that nothing is revoked, but for the entries.
func (s *scene) verifier(t testing.TB, entries ...smx509.RevocationListEntry) *chain.Verifier {
	t.Helper()
	crl := s.ca.ParsedCRL(t, 1, chaintest.Start, chaintest.Start.Add(chaintest.Year), entries...)
	return &chain.Verifier{Anchors: chain.NewAnchors(s.ca.Certificate), Revocation: chain.NewCRLSource(crl)}
}

func (s *scene) stamp(t testing.TB, hash cms.Hash) []byte {
	t.Helper()
	token, err := s.authority.Stamp(t.Context(), hash, hash.Sum(stamped))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func parse(t testing.TB, raw []byte) *tsa.Token {
	t.Helper()
	token, err := tsa.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

func TestATokenProvesItsTime(t *testing.T) {
	s := newScene(t)
	for _, hash := range []cms.Hash{cms.SM3, cms.SHA256, cms.SHA384, cms.SHA512} {
		t.Run(string(hash), func(t *testing.T) {
			raw := s.stamp(t, hash)
			token := parse(t, raw)
			r := token.Verify(t.Context(), token.Hash().Sum(stamped), s.verifier(t))
			if !r.Good() || r.Err != nil || len(r.Notes) > 0 {
				t.Fatalf("%v, %+v, %q", r.Err, r.Chain, r.Notes)
			}
			if token.Hash() != hash || !token.Info.Time.Equal(s.now.Truncate(time.Second)) || token.Info.Accuracy != time.Second ||
				token.Info.Policy != tsa.Policy || token.Info.Nonce != nil || token.Info.Ordering ||
				r.Certificate.Fingerprint() != s.holder.Certificate.Fingerprint() {
				t.Errorf("%+v", token.Info)
			}
			if from, to := token.Bounds(); s.now.Before(from) || s.now.After(to) {
				t.Errorf("%v is not between %v and %v", s.now, from, to)
			}
			if slack := s.authority.Size() - len(raw); slack < 0 || slack > 64 {
				t.Errorf("%d octets of slack", slack)
			}
		})
	}
}

func TestWhatDoesNotProveATimeIsNotGood(t *testing.T) {
	s := newScene(t)
	token := parse(t, s.stamp(t, cms.SM3))
	digest := cms.SM3.Sum(stamped)
	later := smx509.RevocationListEntry{SerialNumber: s.holder.Certificate.Serial, RevocationTime: s.now.Add(time.Hour)}
	before := smx509.RevocationListEntry{SerialNumber: s.holder.Certificate.Serial, RevocationTime: s.now.Add(-time.Hour)}
	for _, test := range []struct {
		name     string
		digest   []byte
		verifier *chain.Verifier
		good     bool
		want     string // code of Err
	}{
		{"all is well", digest, s.verifier(t), true, ""},
		{"revoked later", digest, s.verifier(t, later), true, ""},
		{"revoked before", digest, s.verifier(t, before), false, ""},
		{"no source of revocation", digest, &chain.Verifier{Anchors: chain.NewAnchors(s.ca.Certificate)}, false, ""},
		{"nobody trusts the authority", digest, nil, false, ""},
		{"another digest", cms.SM3.Sum([]byte("another")), s.verifier(t), false, "tsa.imprint"},
		{"no digest", nil, s.verifier(t), false, "tsa.imprint"},
		{"another algorithm", cms.SHA256.Sum(stamped), s.verifier(t), false, "tsa.imprint"},
	} {
		r := token.Verify(t.Context(), test.digest, test.verifier)
		if r.Good() != test.good || codeOf(r.Err) != test.want {
			t.Errorf("%s: good %v, %v, want %v, %q", test.name, r.Good(), r.Err, test.good, test.want)
		}
	}
	if (tsa.Result{}).Good() {
		t.Error("an empty result is good")
	}
}

// The authority refuses such certificates, so the tokens are made by hand.
func TestOnlyACertificateForTimeStampingSignsTimes(t *testing.T) {
	s := newScene(t)
	good := parse(t, s.stamp(t, cms.SM3))
	both := chaintest.Extension(pkix.Extension{Id: oid.ExtKeyUsage, Critical: true,
		Value: []byte{0x30, 20, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 4}})
	for name, test := range map[string]struct {
		changes []chaintest.Change
		want    string
	}{
		"for time stamping":          {[]chaintest.Change{onlyStamps(true)}, ""},
		"for anything":               {nil, "tsa.bad-certificate"},
		"not marked critical":        {[]chaintest.Change{onlyStamps(false)}, "tsa.bad-certificate"},
		"for other purposes as well": {[]chaintest.Change{both}, "tsa.bad-certificate"},
		"for OCSP": {[]chaintest.Change{chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageOCSPSigning)},
			"tsa.bad-certificate"},
	} {
		holder := s.ca.Issue(t, name, test.changes...)
		raw := sign(t, holder, good.Data.Content, cms.TypeTSTInfo)
		r := parse(t, raw).Verify(t.Context(), cms.SM3.Sum(stamped), s.verifier(t))
		if codeOf(r.Err) != test.want || r.Good() != (test.want == "") {
			t.Errorf("%s: %v, want %q", name, r.Err, test.want)
		}
		c := s.config()
		c.Certificate, c.Key = holder.Certificate, holder
		if _, err := tsa.New(c); codeOf(err) != test.want {
			t.Errorf("%s: an authority: %v", name, err)
		}
	}
	expired := s.ca.Issue(t, "expired", onlyStamps(true), chaintest.Valid(chaintest.Start, s.now.Add(-time.Hour)))
	r := parse(t, sign(t, expired, good.Data.Content, cms.TypeTSTInfo)).Verify(t.Context(), cms.SM3.Sum(stamped), s.verifier(t))
	if r.Err != nil || !r.Chain.Expired || r.Good() {
		t.Errorf("expired: %v, %+v", r.Err, r.Chain)
	}
	forged := s.ca.Forge(t, "forged", onlyStamps(true))
	if r := parse(t, sign(t, forged, good.Data.Content, cms.TypeTSTInfo)).Verify(t.Context(), cms.SM3.Sum(stamped), s.verifier(t)); r.Good() {
		t.Error("a certificate that the CA did not sign")
	}
}

// sign makes signed data as a token has it, whatever the certificate.
func sign(t testing.TB, by *chaintest.Holder, content []byte, kind cms.ID) []byte {
	t.Helper()
	w, err := cms.NewWriter(cms.Template{Profile: cms.ProfileCMS, Certificate: by.Certificate, ContentType: kind})
	if err != nil {
		t.Fatal(err)
	}
	pending := w.PrepareEmbedded(content, chaintest.Start)
	e, err := pending.Digest()
	if err != nil {
		t.Fatal(err)
	}
	value, err := by.SignDigest(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pending.Assemble(value, nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// GM/T 0033 has the signed data of GB/T 35275 around the same TSTInfo.
func TestATokenOfGB35275IsRead(t *testing.T) {
	s := newScene(t)
	w, err := cms.NewWriter(cms.Template{Profile: cms.ProfileGM, Certificate: s.holder.Certificate, ContentType: cms.TypeTSTInfo})
	if err != nil {
		t.Fatal(err)
	}
	pending := w.PrepareEmbedded(parse(t, s.stamp(t, cms.SM3)).Data.Content, s.now)
	e, err := pending.Digest()
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.holder.SignDigest(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pending.Assemble(value, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := parse(t, raw).Verify(t.Context(), cms.SM3.Sum(stamped), s.verifier(t)); !r.Good() {
		t.Errorf("%v", r.Err)
	}
}

func TestATokenThatWasChangedIsRefused(t *testing.T) {
	s := newScene(t)
	raw := s.stamp(t, cms.SM3)
	token := parse(t, raw)
	year := bytes.Index(raw, []byte("20260103"))
	if year < 0 {
		t.Fatal("no genTime")
	}
	earlier := bytes.Clone(raw)
	earlier[year+3] = '5'
	if r := parse(t, earlier).Verify(t.Context(), cms.SM3.Sum(stamped), s.verifier(t)); codeOf(r.Err) != "cms.message-digest" || r.Good() {
		t.Errorf("an earlier time: %v", r.Err)
	}
	// A plain signature over the same octets is no token.
	if _, err := tsa.Parse(sign(t, s.holder, token.Data.Content, cms.TypeData)); codeOf(err) != "tsa.bad-token" {
		t.Errorf("another content type: %v", err)
	}
	for cut := range raw {
		if _, err := tsa.Parse(raw[:cut]); err == nil {
			t.Fatalf("the first %d octets are read", cut)
		}
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 0x20
		other, err := tsa.Parse(changed)
		if err != nil {
			continue
		}
		r := other.Verify(t.Context(), cms.SM3.Sum(stamped), s.verifier(t))
		if r.Good() && !bytes.Equal(other.Data.Content, token.Data.Content) {
			t.Fatalf("octet %d may be changed", i)
		}
	}
}

func request(t testing.TB, r tsa.Request) []byte {
	t.Helper()
	raw, err := tsa.CreateRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func imprint(hash cms.Hash) tsa.Imprint { return tsa.Imprint{Hash: hash, Digest: hash.Sum(stamped)} }

func TestARequestComesBackAsItWasMade(t *testing.T) {
	nonce, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for _, want := range []tsa.Request{
		{Imprint: imprint(cms.SM3)},
		{Imprint: imprint(cms.SHA512), Policy: tsa.Policy, Nonce: nonce, Certificates: true},
		{Imprint: imprint(cms.SHA256), Nonce: big.NewInt(-1)},
	} {
		got, err := tsa.ParseRequest(request(t, want))
		if err != nil {
			t.Fatal(err)
		}
		if got.Imprint.Hash != want.Imprint.Hash || !bytes.Equal(got.Imprint.Digest, want.Imprint.Digest) || got.Policy != want.Policy ||
			(got.Nonce == nil) != (want.Nonce == nil) || got.Nonce != nil && got.Nonce.Cmp(want.Nonce) != 0 || got.Certificates != want.Certificates || got.Extended {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestTheAuthorityAnswersWhatIsAsked(t *testing.T) {
	s := newScene(t)
	nonce := big.NewInt(0x1234567890)
	answer := func(r tsa.Request) *tsa.Token {
		t.Helper()
		response, err := tsa.ParseResponse(s.authority.Answer(t.Context(), request(t, r)))
		if err != nil || response.Status != tsa.Granted || response.Failure != tsa.NoFailure {
			t.Fatalf("%+v, %v", response, err)
		}
		return parse(t, response.Token)
	}
	token := answer(tsa.Request{Imprint: imprint(cms.SHA256), Policy: tsa.Policy, Nonce: nonce, Certificates: true})
	if token.Info.Nonce.Cmp(nonce) != 0 || len(token.Data.Certificates) != 2 {
		t.Errorf("%+v", token.Info)
	}
	if r := token.Verify(t.Context(), cms.SHA256.Sum(stamped), s.verifier(t)); !r.Good() {
		t.Errorf("%v", r.Err)
	}
	bare := answer(tsa.Request{Imprint: imprint(cms.SM3)})
	if len(bare.Data.Certificates) != 0 || bare.Info.Nonce != nil {
		t.Errorf("%+v", bare.Info)
	}
	if r := bare.Verify(t.Context(), cms.SM3.Sum(stamped), s.verifier(t)); codeOf(r.Err) != "cms.certificate-missing" {
		t.Errorf("without the certificate: %v", r.Err)
	}
	if r := bare.Verify(t.Context(), cms.SM3.Sum(stamped), s.verifier(t), s.holder.Certificate); !r.Good() {
		t.Errorf("with the certificate from elsewhere: %v", r.Err)
	}
	if token.Info.Serial.Cmp(bare.Info.Serial) == 0 || token.Info.Serial.BitLen() < 64 {
		t.Errorf("serial numbers %v and %v", token.Info.Serial, bare.Info.Serial)
	}
}

func TestTheAuthoritySaysWhyItRefuses(t *testing.T) {
	s := newScene(t)
	sound := request(t, tsa.Request{Imprint: imprint(cms.SM3)})
	sha1 := bytes.Replace(request(t, tsa.Request{Imprint: imprint(cms.SHA256)}), []byte(cms.IDOf(oid.SHA256)), append([]byte(cms.IDOf(oid.SHA256))[:8:8], 7), 1)
	short := bytes.Replace(request(t, tsa.Request{Imprint: imprint(cms.SHA512)}), []byte(cms.IDOf(oid.SHA512)), []byte(cms.IDOf(oid.SHA384)), 1)
	extended := bytes.Clone(sound)
	extended = append(extended, 0xa0, 2, 0x30, 0)
	extended[1] += 4
	for name, test := range map[string]struct {
		raw  []byte
		want tsa.Failure
	}{
		"nothing":              {nil, tsa.BadDataFormat},
		"no request":           {[]byte("a time stamp, please"), tsa.BadDataFormat},
		"something after it":   {append(bytes.Clone(sound), 0), tsa.BadDataFormat},
		"a digest of the past": {sha1, tsa.BadAlgorithm},
		"a digest too long":    {short, tsa.BadRequest},
		"another policy":       {request(t, tsa.Request{Imprint: imprint(cms.SM3), Policy: cms.TypeData}), tsa.UnacceptedPolicy},
		"an extension":         {extended, tsa.UnacceptedExtension},
		"an endless request":   {make([]byte, tsa.MaxRequest+1), tsa.BadDataFormat},
	} {
		response, err := tsa.ParseResponse(s.authority.Answer(t.Context(), test.raw))
		if err != nil || response.Status != tsa.Rejection || response.Failure != test.want || response.Token != nil || response.Text == "" {
			t.Errorf("%s: %+v, %v, want %d", name, response, err, test.want)
		}
	}
	s.now = s.holder.Certificate.NotAfter.Add(time.Second)
	if response, err := tsa.ParseResponse(s.authority.Answer(t.Context(), sound)); err != nil || response.Failure != tsa.SystemFailure {
		t.Errorf("an expired certificate: %+v, %v", response, err)
	}
	if _, err := s.authority.Stamp(t.Context(), cms.SM3, cms.SM3.Sum(stamped)); codeOf(err) != "tsa.unavailable" {
		t.Errorf("an expired certificate: %v", err)
	}
	if _, err := s.authority.Stamp(t.Context(), cms.SHA1, cms.SHA1.Sum(stamped)); codeOf(err) != "tsa.unknown-digest" {
		t.Errorf("SHA-1: %v", err)
	}
	if _, err := s.authority.Stamp(t.Context(), cms.SM3, stamped); codeOf(err) != "tsa.unknown-digest" {
		t.Errorf("no digest: %v", err)
	}
	if response, err := tsa.ParseResponse(tsa.Unavailable()); err != nil || response.Failure != tsa.SystemFailure {
		t.Errorf("%+v, %v", response, err)
	}
}

// broken is a key that does not sign.
type broken struct{ *chaintest.Holder }

func (broken) SignDigest(context.Context, [32]byte) ([]byte, error) { return nil, errors.New("no key") }

func TestAnAuthorityThatCannotStampSaysSo(t *testing.T) {
	s := newScene(t)
	for name, change := range map[string]func(c *tsa.Config){
		"the key fails": func(c *tsa.Config) { c.Key = broken{s.holder} },
		"no randomness": func(c *tsa.Config) { c.Random = iotest.ErrReader(errors.New("no randomness")) },
	} {
		c := s.config()
		change(&c)
		authority, err := tsa.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := authority.Stamp(t.Context(), cms.SM3, cms.SM3.Sum(stamped)); codeOf(err) != "tsa.unavailable" {
			t.Errorf("%s: %v", name, err)
		}
		response, err := tsa.ParseResponse(authority.Answer(t.Context(), request(t, tsa.Request{Imprint: imprint(cms.SM3)})))
		if err != nil || response.Failure != tsa.SystemFailure || response.Token != nil {
			t.Errorf("%s: %+v, %v", name, response, err)
		}
	}
	for name, change := range map[string]func(c *tsa.Config){
		"another key":    func(c *tsa.Config) { c.Key = s.ca },
		"no certificate": func(c *tsa.Config) { c.Certificate = nil },
		"no clock":       func(c *tsa.Config) { c.Clock = nil },
	} {
		c := s.config()
		change(&c)
		if _, err := tsa.New(c); codeOf(err) != "tsa.unavailable" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
