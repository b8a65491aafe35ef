package cms

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// Profile is how signed data is written.
type Profile string

const (
	// ProfileCMS: content types of RFC 5652, signature algorithm SM2-with-SM3, no signing time, since PAdES has the claim
	// in the signature dictionary (EN 319 142-1 6.3).
	ProfileCMS Profile = "cms"
	// ProfileGM: content types of GB/T 35275, the signature algorithm that its readers expect, and a signing time.
	ProfileGM Profile = "cms-gm"
)

// maxValue is the length of the longest SM2 value in DER, in octets.
const maxValue = 72

// Template is what the signatures of one signer have in common.
type Template struct {
	Profile Profile
	// Certificate is the signer's, with an SM2 key.
	Certificate *chain.Certificate
	// Chain goes along: the certificates above, usually without the root.
	Chain []*chain.Certificate
	// Seal is the electronic seal in DER, which becomes a signed attribute (see Signer.Seal); nil for none.
	Seal []byte
	// ContentType of what is signed; empty is the data of the profile.
	ContentType ID
	// Bare: no certificates go along; readers have them from elsewhere.
	Bare bool
}

// Writer makes signed data for one Template. It is immutable and may be shared.
type Writer struct {
	profile      Profile
	public       *ecdsa.PublicKey
	contentType  ID
	signedData   asn1.ObjectIdentifier
	algorithm    asn1.ObjectIdentifier
	version      int64
	identifier   []byte // issuerAndSerialNumber
	certificates []byte // with the tag, empty for none
	fixed        [][]byte
}

// NewWriter checks a template. Errors: ErrWrite with the field.
func NewWriter(t Template) (*Writer, error) {
	w := &Writer{profile: t.Profile, contentType: t.ContentType, version: 1}
	data := TypeData
	switch t.Profile {
	case ProfileCMS:
		w.signedData, w.algorithm = oid.SignedData, oid.SM2WithSM3
	case ProfileGM:
		w.signedData, w.algorithm, data = oid.SignedDataGM, oid.SM2Sign, TypeDataGM
	default:
		return nil, ErrWrite.With("profile")
	}
	if w.contentType == "" {
		w.contentType = data
	}
	if w.contentType != data {
		w.version = 3 // RFC 5652 5.1
	}
	if t.Certificate == nil || !isSM2(t.Certificate) {
		return nil, ErrWrite.Saying("证书", "certificate")
	}
	w.public, _ = t.Certificate.PublicKey.(*ecdsa.PublicKey)
	if !t.Bare {
		w.certificates = certificateSet(t)
	}
	fingerprint := sm3.Sum(t.Certificate.Raw)
	named := attribute(AttrSigningCertificateV2, sequence(sequence(sequence(
		algorithmIdentifier(oid.SM3), encode(der.OCTET_STRING, fingerprint[:])))))
	w.fixed = append(w.fixed, attribute(AttrContentType, encode(der.OBJECT_IDENTIFIER, []byte(w.contentType))), named)
	if t.Seal != nil {
		if seal, rest, err := Element(t.Seal); err != nil || len(rest) > 0 || seal[0] != idSequence {
			return nil, ErrWrite.With("seal")
		}
		w.fixed = append(w.fixed, attribute(AttrSignerAttributesV2,
			sequence(encode(idContext0, sequence(attribute(AttrSeal, t.Seal))))))
	}
	w.identifier = sequence(t.Certificate.RawIssuer, integer(t.Certificate.Serial))
	if size := w.Size(0); size == 0 || size > MaxSize {
		return nil, ErrWrite.With("size")
	}
	return w, nil
}

func certificateSet(t Template) []byte {
	set := [][]byte{t.Certificate.Raw}
	for _, c := range t.Chain {
		if c != nil && !slices.ContainsFunc(set, func(have []byte) bool { return bytes.Equal(have, c.Raw) }) {
			set = append(set, c.Raw)
		}
	}
	slices.SortFunc(set, bytes.Compare)
	return encode(idContext0, set...)
}

// Pending is signed data that only lacks the signature value.
type Pending struct {
	writer     *Writer
	content    []byte // nil when it is elsewhere
	attributes []byte // content of the SET, sorted
}

// Prepare makes the signed attributes for content that is elsewhere and has this SM3 digest. The time is written in the
// profile cms-gm only, to the second.
func (w *Writer) Prepare(digest [32]byte, at time.Time) *Pending {
	return &Pending{writer: w, attributes: w.attributes(digest, at)}
}

// PrepareEmbedded is Prepare for content that goes along.
func (w *Writer) PrepareEmbedded(content []byte, at time.Time) *Pending {
	return &Pending{writer: w, content: slices.Concat([]byte{}, content), attributes: w.attributes(sm3.Sum(content), at)}
}

// attributes gives the signed attributes as DER sorts a SET OF.
func (w *Writer) attributes(digest [32]byte, at time.Time) []byte {
	all := append(slices.Clone(w.fixed), attribute(AttrMessageDigest, encode(der.OCTET_STRING, digest[:])))
	if w.profile == ProfileGM {
		all = append(all, attribute(AttrSigningTime, encodeTime(at)))
	}
	slices.SortFunc(all, bytes.Compare)
	return slices.Concat(all...)
}

// encodeTime writes UTCTime until 2049, GeneralizedTime after (RFC 5652 11.3).
func encodeTime(at time.Time) []byte {
	at = at.UTC().Truncate(time.Second)
	if year := at.Year(); year >= 1950 && year < 2050 {
		return encode(der.UTCTime, []byte(at.Format("060102150405Z")))
	}
	return encode(der.GeneralizedTime, []byte(at.Format("20060102150405Z")))
}

// Signed is what the signature is over: the attributes as a SET OF (RFC 5652 5.4).
func (p *Pending) Signed() []byte { return encode(der.SET, p.attributes) }

// Digest is e = SM3(Z‖Signed) with the signer's public key: what the key signs.
func (p *Pending) Digest() ([32]byte, error) {
	e, err := sm2.CalculateSM2Hash(p.writer.public, p.Signed(), nil)
	if err != nil {
		return [32]byte{}, ErrWrite.Because(err)
	}
	return [32]byte(e), nil
}

// Assemble puts the signature value in, in DER, and a time-stamp token over the octets of the value, nil for none. The
// value is checked first: nothing leaves that this package would not accept. Errors: ErrWrite.
func (p *Pending) Assemble(value, timeStamp []byte) ([]byte, error) {
	e, err := p.Digest()
	if err != nil {
		return nil, err
	}
	notes, err := chain.CheckSM2Digest(p.writer.public, e, value)
	if err != nil {
		return nil, ErrWrite.Saying("签名", "signature").Because(err)
	}
	if len(notes) > 0 || len(value) > maxValue {
		return nil, ErrWrite.Saying("签名", "signature")
	}
	if timeStamp != nil {
		if _, rest, err := Element(timeStamp); err != nil || len(rest) > 0 {
			return nil, ErrWrite.With("timeStamp").Because(err)
		}
	}
	made := p.assemble(value, timeStamp)
	if made == nil {
		return nil, ErrWrite.With("size")
	}
	return made, nil
}

// Size is the largest length in octets of what Assemble gives for content that is elsewhere, with a time-stamp token of up
// to reserve octets; 0 is without one.
func (w *Writer) Size(reserve int) int {
	// Every year after 2049 is written longer than those before.
	longest := time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)
	var token []byte
	if reserve > 0 {
		token = make([]byte, reserve)
	}
	return len(w.Prepare([32]byte{}, longest).assemble(make([]byte, maxValue), token))
}

// assemble writes the ContentInfo; structure: Parse.
func (p *Pending) assemble(value, timeStamp []byte) []byte {
	w := p.writer
	encapsulated := [][]byte{encode(der.OBJECT_IDENTIFIER, []byte(w.contentType))}
	if p.content != nil {
		encapsulated = append(encapsulated, encode(idContext0, encode(der.OCTET_STRING, p.content)))
	}
	signer := [][]byte{integer(big.NewInt(1)), w.identifier, algorithmIdentifier(oid.SM3), encode(idContext0, p.attributes),
		algorithmIdentifier(w.algorithm), encode(der.OCTET_STRING, value)}
	if timeStamp != nil {
		signer = append(signer, encode(idContext1, attribute(AttrTimeStampToken, timeStamp)))
	}
	return sequence(encodeOID(w.signedData), encode(idContext0, sequence(
		integer(big.NewInt(w.version)),
		encode(der.SET, algorithmIdentifier(oid.SM3)),
		sequence(encapsulated...),
		w.certificates,
		encode(der.SET, sequence(signer...)))))
}

// encode gives one DER element; nil when it is too long for cryptobyte, which NewWriter finds out.
func encode(tag der.Tag, content ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, part := range content {
			b.AddBytes(part)
		}
	})
	made, err := b.Bytes()
	if err != nil {
		return nil
	}
	return made
}

func sequence(content ...[]byte) []byte { return encode(der.SEQUENCE, content...) }

func encodeOID(id asn1.ObjectIdentifier) []byte {
	return encode(der.OBJECT_IDENTIFIER, []byte(IDOf(id)))
}

// algorithmIdentifier is without parameters, as GM/T 0006 has SM3 and SM2.
func algorithmIdentifier(id asn1.ObjectIdentifier) []byte { return sequence(encodeOID(id)) }

func attribute(id ID, value []byte) []byte {
	return sequence(encode(der.OBJECT_IDENTIFIER, []byte(id)), encode(der.SET, value))
}

func integer(n *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1BigInt(n)
	return b.BytesOrPanic()
}
