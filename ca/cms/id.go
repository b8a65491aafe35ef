package cms

import (
	"encoding/asn1"
	"math/big"
	"strings"

	"yinxin/internal/oid"
)

// ID is an object identifier as the content octets of its encoding, so that identifiers compare with == and 128-bit
// arcs (2.25 and a UUID, X.667) have a place.
type ID string

// IDOf gives the ID of an identifier; empty for one that cannot be encoded.
func IDOf(id asn1.ObjectIdentifier) ID {
	for _, arc := range id {
		if arc < 0 { // what ca/chain gives for an arc that does not fit
			return ""
		}
	}
	encoded, err := asn1.Marshal(id)
	if err != nil || len(encoded) < 3 || encoded[1] >= 0x80 {
		return ""
	}
	return ID(encoded[2:])
}

// String is the dotted form.
func (id ID) String() string {
	var b strings.Builder
	n := new(big.Int)
	for i := 0; i < len(id); i++ {
		n.Lsh(n, 7).Or(n, big.NewInt(int64(id[i]&0x7f)))
		if id[i]&0x80 != 0 {
			continue
		}
		if b.Len() == 0 {
			first := int64(2)
			if n.IsInt64() {
				first = min(n.Int64()/40, 2)
			}
			b.WriteByte(byte('0' + first))
			n.Sub(n, big.NewInt(first*40))
		}
		b.WriteByte('.')
		b.WriteString(n.String())
		n = new(big.Int)
	}
	return b.String()
}

// Content types: data and signed data, of RFC 5652 and of GB/T 35275, and the content of a time-stamp token.
var (
	TypeData         = IDOf(oid.Data)
	TypeSignedData   = IDOf(oid.SignedData)
	TypeDataGM       = IDOf(oid.DataGM)
	TypeSignedDataGM = IDOf(oid.SignedDataGM)
	TypeTSTInfo      = IDOf(oid.TSTInfo)
)

// Attribute types.
var (
	AttrContentType          = IDOf(oid.ContentTypeAttr)
	AttrMessageDigest        = IDOf(oid.MessageDigestAttr)
	AttrSigningTime          = IDOf(oid.SigningTimeAttr)
	AttrSigningCertificate   = IDOf(oid.SigningCertificate)
	AttrSigningCertificateV2 = IDOf(oid.SigningCertificateV2)
	AttrAlgorithmProtection  = IDOf(oid.AlgorithmProtection)
	AttrRevocationArchival   = IDOf(oid.RevocationArchival)
	AttrSignerAttributesV2   = IDOf(oid.SignerAttributesV2)
	AttrTimeStampToken       = IDOf(oid.SignatureTimeStamp)
	AttrSeal                 = ID(oid.SealAttributeDER)
)
