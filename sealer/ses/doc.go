// Package ses reads and writes electronic seals (SESeal) and electronic seal signatures (SES_Signature): the
// structures of GM/T 0031-2014 (version 1), GB/T 38540-2020 (version 4) and GM/T 0031-2025 (version 5).
//
// To read, call ParseSignature with the DER found in a document, or ParseSeal with a seal of its own; IsSignature
// tells a seal signature from a CMS message before either. To make a seal, fill a SealInfo, sign the bytes that
// Marshal gives and put the parts together with AssembleSeal. To seal documents, make one Form per seal with NewForm
// and use it for every signature: its Prefix never changes, so the SM3 state over Z and the prefix can be kept.
//
// The package promises that what it reads is never marshalled again: every slice it returns is a part of the input,
// so signatures are checked over the bytes that were signed. It reads what producers are known to write against the
// letter of the standards and says so in Notes; it writes plain DER only. Input is limited in size and counts, and
// the reader goes exactly as deep as the structure, so hostile input costs no more than its length.
//
// It does not verify signatures, certificates, digests, validity or time stamps; package verify does. It knows no
// keys, files or clock.
package ses

import (
	"encoding/asn1"
	"time"
)

// The generations of the structures. In version 1 the number in the header is free, here it is always 1.
const (
	Version1 = 1 // GM/T 0031-2014, read only
	Version4 = 4 // GB/T 38540-2020, written by default
	Version5 = 5 // GM/T 0031-2025
)

// Kinds of certList (GB/T 38540-2020, 6.1).
const (
	CertListCertificates = 1 // the certificates themselves
	CertListDigests      = 2 // their SM3 digests
)

// Limits of what is read. Seals seen are 5 to 60 kB.
const (
	MaxSize         = 16 << 20 // bytes of a whole structure
	MaxCertificates = 4096     // entries of certList
	MaxExtensions   = 256      // entries of extDatas
	maxText         = 64 << 10 // bytes of a name, identifier or propertyInfo
	maxMillimetres  = 10_000   // width and height of a picture
)

// Seal is a seal as read. Its slices are parts of the input.
type Seal struct {
	Raw     []byte // DER SESeal
	RawInfo []byte // DER SES_SealInfo

	Version       int    // Version1, Version4 or Version5
	HeaderVersion int    // the number in the header: free in version 1, else equal to Version
	VendorID      string // vid
	ID            string // esID

	Type         int    // defined by the business; version 1: 1 unit seal, 2 personal seal
	Name         string // name of the seal
	CertListType int    // CertListCertificates or CertListDigests; version 1: CertListCertificates
	Certificates [][]byte
	Digests      []CertDigest
	CreateDate   time.Time
	ValidStart   time.Time
	ValidEnd     time.Time

	Picture    Picture
	Extensions []Extension

	MakerCertificate []byte                // DER certificate of the seal maker
	Algorithm        asn1.ObjectIdentifier // of the maker's signature
	Value            []byte                // the maker's signature over SignedBytes, as it stands in the BIT STRING
	TimeStamp        []byte                // token over Value; nil: absent, empty: present and empty

	// Notes names the leniencies that reading this seal took: values of the Note constants.
	Notes []string

	rawSignInfo []byte // version 1: cert and signatureAlgorithm as they stand
}

// CertDigest is an entry of a certList of digests.
type CertDigest struct {
	Type  string // free text; empty in version 1
	Value []byte // SM3 of the DER certificate, 32 bytes when right
}

// Picture is the image of a seal.
type Picture struct {
	Type          string // "PNG", "JPG", "GIF", "BMP", "SVG"; upper case; seen also "OFD"
	Data          []byte // the image file
	Width, Height int    // displayed size, whole millimetres
}

// Extension is an entry of extDatas.
type Extension struct {
	ID       []byte // content octets of the object identifier: arcs of 128 bits (2.25) do not fit asn1.ObjectIdentifier
	Critical bool
	Value    []byte // content of extnValue
}

// Signature is a seal signature as read. Its slices are parts of the input.
type Signature struct {
	Raw    []byte // DER SES_Signature
	RawTBS []byte // DER TBS_Sign: what Value signs

	Version int // Version1, Version4 or Version5
	Seal    *Seal

	// Time is timeInfo, a claim of the signer. Zero only in version 1, when timeInfo could not be understood.
	Time     time.Time
	TimeText string // timeInfo as written; empty when it is a time-stamp token

	DataHash     []byte // SM3 of the protected bytes, 32 bytes when right
	PropertyInfo string // what is protected; in a PDF the text of the ByteRange
	Extensions   []Extension

	Certificate []byte                // DER certificate of the signer
	Algorithm   asn1.ObjectIdentifier // of Value
	Value       []byte                // signature over RawTBS, as it stands in the BIT STRING

	// TimeStamp is a time-stamp token over Value; in version 1 the token that stands in timeInfo, which cannot cover
	// Value. Nil: absent, empty: present and empty.
	TimeStamp []byte

	// Notes names the leniencies that reading took outside the seal: values of the Note constants.
	Notes []string
}
