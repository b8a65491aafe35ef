package csr

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// Limits on what comes from outside. Real requests have a few hundred bytes.
const (
	// MaxRequest is the largest request that is read, in bytes as they come.
	MaxRequest = 32 << 10

	maxAttributes = 32
	maxExtensions = 32
)

// Request is a certification request as it was found. It is made by Parse only. The raw fields are slices of Raw.
type Request struct {
	// Raw is the whole request in DER, RawInfo what was signed, the others elements of it; all with tag and length.
	Raw, RawInfo, RawSubject, RawSPKI []byte
	// Subject is the name that was asked for; it may be empty. Nothing checks it.
	Subject chain.Name
	// Public is the key; its holder signed RawInfo.
	Public *ecdsa.PublicKey
	// Attributes are all attributes, as written, in their order.
	Attributes []Attribute
	// Extensions are those that were asked for (extensionRequest). Nothing here believes them.
	Extensions []Extension
	// Notes name the leniencies that reading it took.
	Notes []Note
}

// Attribute is an attribute of a request (RFC 2986 4.1); the values have tag and length.
type Attribute struct {
	ID     asn1.ObjectIdentifier
	Values [][]byte
}

// Extension is an extension that was asked for.
type Extension struct {
	ID       asn1.ObjectIdentifier
	Critical bool
	Value    []byte // content of the OCTET STRING
}

// Note is a leniency, in words for a person.
type Note struct{ ZH, EN string }

// Options say what Parse lets through beyond the rule.
type Options struct {
	// AcceptIDs are distinguishing identifiers that are allowed beside the default one, at most eight are tried; the
	// empty text is the empty ID, with which OpenSSL signs when none is given. Nil: the default alone.
	AcceptIDs []string
	// Reserved reports whether a key belongs to the authority itself. Nil: no key does.
	Reserved func(*ecdsa.PublicKey) (bool, error)
}

// Parse reads one request: DER, PEM ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"), or the base64 of DER without
// frame. Errors: ErrTooLarge, ErrFormat, ErrTrailing, ErrForeignKey, ErrPoint, ErrWeakKey, ErrReservedKey, ErrAlgorithm,
// ErrSignature, ErrOtherID, and those of Options.Reserved.
//
//	CertificationRequest ::= SEQUENCE { info CertificationRequestInfo, signatureAlgorithm AlgorithmIdentifier,
//	  signature BIT STRING }
//	CertificationRequestInfo ::= SEQUENCE { version INTEGER (0), subject Name, subjectPKInfo SubjectPublicKeyInfo,
//	  attributes [0] IMPLICIT SET OF Attribute }
func Parse(data []byte, o Options) (*Request, error) {
	if len(data) > MaxRequest {
		return nil, ErrTooLarge.With("%d", len(data))
	}
	data, err := unwrap(data)
	if err != nil {
		return nil, err
	}
	input := cryptobyte.String(data)
	var whole, outer, info, algorithm cryptobyte.String
	if !input.ReadASN1Element(&whole, der.SEQUENCE) {
		return nil, bad("certificationRequest")
	}
	if !input.Empty() {
		return nil, ErrTrailing.With("%d", len(input))
	}
	r := &Request{Raw: whole}
	if !whole.ReadASN1(&outer, der.SEQUENCE) || !outer.ReadASN1Element(&info, der.SEQUENCE) {
		return nil, bad("certificationRequestInfo")
	}
	if !outer.ReadASN1Element(&algorithm, der.SEQUENCE) {
		return nil, bad("signatureAlgorithm")
	}
	var signature []byte
	if !outer.ReadASN1BitStringAsBytes(&signature) || !outer.Empty() {
		return nil, bad("signature")
	}
	r.RawInfo = info
	if err := r.readInfo(info); err != nil {
		return nil, err
	}
	if err := r.checkKey(o); err != nil {
		return nil, err
	}
	if err := r.checkProof(algorithm, signature, o); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Request) note(zh, en string) {
	n := Note{zh, en}
	for _, have := range r.Notes {
		if have == n {
			return
		}
	}
	r.Notes = append(r.Notes, n)
}

// unwrap takes the frame off. What stands before a PEM frame is passed over, as RFC 7468 has it; after it only blanks
// may follow.
func unwrap(data []byte) ([]byte, error) {
	if len(data) > 0 && data[0] == byte(der.SEQUENCE) {
		return data, nil
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		block, rest := pem.Decode(data)
		if block == nil || block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
			return nil, bad("PEM")
		}
		if len(bytes.TrimSpace(rest)) != 0 {
			return nil, ErrTrailing.With("%d", len(rest))
		}
		return block.Bytes, nil
	}
	text := bytes.Join(bytes.Fields(data), nil)
	decoded, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(decoded) == 0 {
		return nil, bad("certificationRequest")
	}
	return decoded, nil
}

func (r *Request) readInfo(raw cryptobyte.String) error {
	var info, subject, key, attributes cryptobyte.String
	var version int
	if !raw.ReadASN1(&info, der.SEQUENCE) || !info.ReadASN1Integer(&version) || version < 0 || version > 2 {
		return bad("version")
	}
	if version != 0 {
		r.note("版本号不是 0。", "The version is not 0.")
	}
	if !info.ReadASN1Element(&subject, der.SEQUENCE) {
		return bad("subject")
	}
	if !info.ReadASN1Element(&key, der.SEQUENCE) {
		return bad("subjectPKInfo")
	}
	r.RawSubject, r.RawSPKI = subject, key
	var notes []string
	r.Subject, notes = chain.ParseName(subject)
	if len(notes) > 0 {
		r.note("主体名称的编码不规范。", "The subject is not encoded as it should be.")
	}
	var present bool
	if !info.ReadOptionalASN1(&attributes, &present, der.Tag(0).Constructed().ContextSpecific()) || !info.Empty() {
		return bad("attributes")
	}
	if !present {
		r.note("缺少属性字段。", "The field of attributes is missing.")
	}
	return r.readAttributes(attributes)
}

// The attributes that hold extensions: that of PKCS #9 and that of Microsoft, which its libraries still write.
var extensionRequests = []asn1.ObjectIdentifier{oid.ExtensionRequest, oid.ExtensionRequestMS}

func (r *Request) readAttributes(input cryptobyte.String) error {
	for !input.Empty() {
		var one, values cryptobyte.String
		var a Attribute
		if len(r.Attributes) == maxAttributes || !input.ReadASN1(&one, der.SEQUENCE) ||
			!one.ReadASN1ObjectIdentifier(&a.ID) {
			return bad("attributes")
		}
		if one.PeekASN1Tag(der.SET) {
			if !one.ReadASN1(&values, der.SET) || !one.Empty() {
				return bad("attributes")
			}
		} else {
			// The devices that ask for two keys write the value without the set around it.
			r.note("属性值没有放在集合中。", "The value of an attribute does not stand in a set.")
			values = one
		}
		for !values.Empty() {
			var value cryptobyte.String
			var tag der.Tag
			if len(a.Values) == maxAttributes || !values.ReadAnyASN1Element(&value, &tag) {
				return bad("attributes")
			}
			a.Values = append(a.Values, value)
		}
		r.Attributes = append(r.Attributes, a)
		for _, id := range extensionRequests {
			if !a.ID.Equal(id) {
				continue
			}
			if len(a.Values) != 1 {
				return bad("extensionRequest")
			}
			if err := r.readExtensions(a.Values[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// readExtensions reads Extensions ::= SEQUENCE OF SEQUENCE { extnID OID, critical BOOLEAN DEFAULT FALSE, extnValue
// OCTET STRING }.
func (r *Request) readExtensions(input cryptobyte.String) error {
	var list cryptobyte.String
	if !input.ReadASN1(&list, der.SEQUENCE) || !input.Empty() {
		return bad("extensionRequest")
	}
	for !list.Empty() {
		var one, value cryptobyte.String
		var e Extension
		if len(r.Extensions) == maxExtensions || !list.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&e.ID) {
			return bad("extensionRequest")
		}
		if one.PeekASN1Tag(der.BOOLEAN) && !one.ReadASN1Boolean(&e.Critical) {
			return bad("extensionRequest")
		}
		if !one.ReadASN1(&value, der.OCTET_STRING) || !one.Empty() {
			return bad("extensionRequest")
		}
		for _, have := range r.Extensions {
			if have.ID.Equal(e.ID) {
				return bad("extensionRequest")
			}
		}
		e.Value = value
		r.Extensions = append(r.Extensions, e)
	}
	return nil
}
