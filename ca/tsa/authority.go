package tsa

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"io"
	"math/big"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/internal/fault"
)

// Source gives time-stamp tokens. Authority and Client are sources.
type Source interface {
	// Stamp gives a token of something whose digest, by the algorithm, this is. The token names its certificate and brings
	// it along. Errors: ErrImprintAlgorithm, ErrAuthority, ErrRefused, and what a source says of an answer that is wrong.
	Stamp(ctx context.Context, hash cms.Hash, digest []byte) (token []byte, err error)
}

// Signer is the authority's key; e is SM3(Z‖message), the answer a DER SM2 value. keystore.Key is one.
type Signer interface {
	Public() *ecdsa.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Config is what an Authority works with.
type Config struct {
	// Certificate is for time stamping only and says so critically; its key is SM2.
	Certificate *chain.Certificate
	// Chain goes along in tokens: the certificates above, usually without the root.
	Chain []*chain.Certificate
	Key   Signer
	Clock func() time.Time
	// Time gives the time of the next token, or an error when the clock cannot be relied on. Nil: Clock is relied on.
	Time func(ctx context.Context) (time.Time, error)
	// Ordering: the tokens can be ordered by their time alone, which is written to the microsecond (RFC 3161 2.4.2). In
	// this process it rises by itself; where others stamp for the same authority, Time must see to it.
	Ordering bool
	// Random makes serial numbers, of 127 random bits; nil is the operating system's.
	Random io.Reader
	// Policy is that of every token; empty is the built-in one (Policy).
	Policy cms.ID
	// Accuracy is how far the clock may be off, in whole seconds; less than one second becomes one.
	Accuracy time.Duration
}

// Authority is a time-stamp authority: SM2 with SM3, one policy, no extensions. It is safe for concurrent use if key,
// clock and random source are.
type Authority struct {
	config     Config
	full, bare *cms.Writer
	name       []byte

	lock sync.Mutex
	last time.Time // of the last token, with Ordering
}

var _ Source = (*Authority)(nil)

// New checks the particulars. Errors: ErrAuthority with the field, ErrCertificate.
func New(c Config) (*Authority, error) {
	if c.Certificate == nil || c.Key == nil || c.Clock == nil {
		return nil, ErrAuthority.With("config")
	}
	if err := checkCertificate(c.Certificate); err != nil {
		return nil, err
	}
	public, ok := c.Certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok || !public.Equal(c.Key.Public()) {
		return nil, ErrAuthority.With("key")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Policy == "" {
		c.Policy = Policy
	}
	c.Accuracy = max(c.Accuracy.Round(time.Second), time.Second)
	a := &Authority{config: c}
	template := cms.Template{Profile: cms.ProfileCMS, Certificate: c.Certificate, Chain: c.Chain, ContentType: cms.TypeTSTInfo}
	var err error
	if a.full, err = cms.NewWriter(template); err != nil {
		return nil, ErrAuthority.Because(err)
	}
	template.Bare = true
	if a.bare, err = cms.NewWriter(template); err != nil {
		return nil, ErrAuthority.Because(err)
	}
	var b cryptobyte.Builder
	directoryName := der.Tag(4).ContextSpecific().Constructed()
	b.AddASN1(directoryName, func(b *cryptobyte.Builder) { b.AddBytes(c.Certificate.RawSubject) })
	if a.name, err = b.Bytes(); err != nil {
		return nil, ErrAuthority.Because(err)
	}
	return a, nil
}

// Answer gives a response in DER to a request in DER; it never fails otherwise. Why there is no token is said by the
// failure of the response: badDataFormat for what is no request, badAlg for another digest than SM3 and SHA-2, badRequest
// for a digest of another length, unacceptedPolicy, unacceptedExtension, timeNotAvailable when the clock cannot be relied
// on, and systemFailure when the key, the certificate or the random source cannot be used.
func (a *Authority) Answer(ctx context.Context, request []byte) []byte {
	asked, err := ParseRequest(request)
	if err != nil {
		return refusal(BadDataFormat, "the request cannot be read")
	}
	if f, text := a.examine(asked); f != NoFailure {
		return refusal(f, text)
	}
	token, err := a.token(ctx, asked)
	if fault.Has(err, ErrTime) {
		return refusal(TimeNotAvailable, "the clock cannot be relied on now")
	}
	if err != nil {
		return refusal(SystemFailure, "the authority cannot stamp now")
	}
	response, err := granted(token)
	if err != nil {
		return refusal(SystemFailure, "the authority cannot stamp now")
	}
	return response
}

// Unavailable is the response of an authority that is not there: systemFailure.
func Unavailable() []byte { return refusal(SystemFailure, "the authority cannot stamp now") }

// examine says why a request is refused, NoFailure if it is not.
func (a *Authority) examine(r *Request) (Failure, string) {
	switch {
	case r.Imprint.Hash == "" || r.Imprint.Hash.Weak():
		return BadAlgorithm, "SM3, SHA-256, SHA-384 and SHA-512 are stamped"
	case len(r.Imprint.algorithm.Parameters) > 0 && string(r.Imprint.algorithm.Parameters) != "\x05\x00":
		return BadAlgorithm, "the digest algorithm has parameters"
	case !r.Imprint.sound():
		return BadRequest, "the digest has another length than its algorithm gives"
	case r.Policy != "" && r.Policy != a.config.Policy:
		return UnacceptedPolicy, "the policy is " + a.config.Policy.String()
	case r.Extended:
		return UnacceptedExtension, "no extension is known"
	}
	return NoFailure, ""
}

// Stamp implements Source, in this process.
func (a *Authority) Stamp(ctx context.Context, hash cms.Hash, digest []byte) ([]byte, error) {
	r := Request{Imprint: Imprint{Hash: hash, Digest: digest}, Certificates: true}
	if !r.Imprint.sound() {
		return nil, ErrImprintAlgorithm.With("%s, %d", hash, len(digest))
	}
	return a.token(ctx, &r)
}

// Size is the largest length of a token of Stamp in octets, for whoever reserves room for one.
func (a *Authority) Size() int {
	info, err := Info{Policy: a.config.Policy, Imprint: Imprint{Hash: cms.SHA512, Digest: make([]byte, 64)}, Serial: largest,
		Time: time.Unix(0, 1000), Ordering: a.config.Ordering, Accuracy: a.config.Accuracy, Name: a.name}.marshal()
	if err != nil {
		return MaxResponse
	}
	return a.full.Size(0) + len(info) + 16 // the headers around the embedded content
}

// largest is the largest serial number.
var largest = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 127), big.NewInt(1))

// token makes a token for a request that was found good.
func (a *Authority) token(ctx context.Context, r *Request) ([]byte, error) {
	now, err := a.time(ctx)
	if err != nil {
		return nil, err
	}
	if !a.config.Certificate.ValidAt(now) {
		return nil, ErrAuthority.With("notAfter")
	}
	serial, err := a.serial()
	if err != nil {
		return nil, err
	}
	info, err := Info{Policy: a.config.Policy, Imprint: r.Imprint, Serial: serial, Time: now, Accuracy: a.config.Accuracy,
		Ordering: a.config.Ordering, Nonce: r.Nonce, Name: a.name}.marshal()
	if err != nil {
		return nil, ErrAuthority.Because(err)
	}
	writer := a.bare
	if r.Certificates {
		writer = a.full
	}
	pending := writer.PrepareEmbedded(info, now)
	e, err := pending.Digest()
	if err != nil {
		return nil, ErrAuthority.Because(err)
	}
	value, err := a.config.Key.SignDigest(ctx, e)
	if err != nil {
		if _, ok := fault.Of(err); !ok && ctx.Err() != nil {
			return nil, err
		}
		return nil, ErrAuthority.With("key").Because(err)
	}
	token, err := pending.Assemble(value, nil)
	if err != nil {
		return nil, ErrAuthority.Because(err)
	}
	return token, nil
}

// time is that of the next token, in UTC. With ordering it is later than that of the last one, but never further ahead of
// the clock than the accuracy allows. Errors: ErrTime.
func (a *Authority) time(ctx context.Context) (time.Time, error) {
	now := a.config.Clock()
	if a.config.Time != nil {
		var err error
		if now, err = a.config.Time(ctx); err != nil {
			return now, ErrTime.Because(err)
		}
	}
	now = now.UTC()
	if !a.config.Ordering {
		return now, nil
	}
	now = now.Truncate(time.Microsecond)
	a.lock.Lock()
	defer a.lock.Unlock()
	next := now
	if !next.After(a.last) {
		next = a.last.Add(time.Microsecond)
	}
	if next.Sub(now) > a.config.Accuracy {
		return now, ErrTime.With("%s", next.Sub(now))
	}
	a.last = next
	return next, nil
}

// serial is random: nobody counts our stamps, and two nodes never meet. The first octet keeps the length.
func (a *Authority) serial() (*big.Int, error) {
	octets := make([]byte, 16)
	if _, err := io.ReadFull(a.config.Random, octets); err != nil {
		return nil, ErrAuthority.With("random").Because(err)
	}
	octets[0] &= 0x7f
	return new(big.Int).SetBytes(octets), nil
}
