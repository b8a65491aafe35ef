package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
)

const (
	// MaxCertificateFile is the largest file of certificates that is judged, in bytes.
	MaxCertificateFile = 256 << 10
	// maxCertificates is how many certificates of one file are judged.
	maxCertificates = 32
)

// certificateEndings are how files of certificates and keys are called.
var certificateEndings = []string{".cer", ".crt", ".der", ".pem", ".p7b", ".p7c", ".spc", ".p12", ".pfx", ".key", ".p8"}

// LooksLikeCertificates says whether a file is one of certificates or keys and not a PDF, by its first octets (1 KiB is
// enough) and by its name. Readers look for a PDF as far as that behind other octets.
func LooksLikeCertificates(name string, head []byte) bool {
	if bytes.Contains(head, []byte("%PDF-")) {
		return false
	}
	named := slices.ContainsFunc(certificateEndings, func(e string) bool { return strings.HasSuffix(strings.ToLower(name), e) })
	if named || bytes.Contains(head, []byte("-----BEGIN ")) || structured(head) {
		return true
	}
	begin := make([]byte, 3)
	if len(head) < 4 || len(bytes.Trim(head, base64Text)) > 0 {
		return false
	}
	_, err := base64.StdEncoding.Decode(begin, head[:4])
	return err == nil && structured(begin)
}

// base64Text is what Base64 without the lines of PEM is written in.
const base64Text = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"

// structured says whether octets begin as certificates do, or as keys: none is short but a key, which begins with a version.
func structured(head []byte) bool {
	return len(head) > 2 && head[0] == byte(der.SEQUENCE) && (head[1] >= 0x80 || head[2] == byte(der.INTEGER))
}

// certificateFile is what a file of certificates holds.
type certificateFile struct {
	certificates []*chain.Certificate
	lists        []*chain.CRL
}

// add takes a certificate once. Errors: verify.too-many-certificates.
func (f *certificateFile) add(certs ...*chain.Certificate) error {
	for _, c := range certs {
		if slices.ContainsFunc(f.certificates, func(have *chain.Certificate) bool { return have.Fingerprint() == c.Fingerprint() }) {
			continue
		}
		if len(f.certificates) == maxCertificates {
			return errManyCertificates.With("%d", maxCertificates)
		}
		f.certificates = append(f.certificates, c)
	}
	return nil
}

// readCertificates reads certificates in PEM, DER, PKCS #7 without signers (.p7b), or the Base64 of the last two, as some
// authorities hand them out. Private keys are refused wherever they stand, before anything is read. Errors:
// verify.private-key, verify.not-a-certificate, verify.damaged-certificate, verify.too-many-certificates,
// verify.certificate-file-too-large.
func readCertificates(data []byte) (certificateFile, error) {
	var f certificateFile
	if len(data) > MaxCertificateFile {
		return f, errLargeCertificates.With("%d KiB", MaxCertificateFile>>10)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // editors put it before PEM
	if bytes.Contains(data, []byte("-----BEGIN ")) && data[0] != byte(der.SEQUENCE) {
		return f, f.readPEM(data)
	}
	if plain, ok := plainBase64(data); ok {
		data = plain
	}
	return f, f.readDER(data)
}

// plainBase64 is what Base64 without the lines of PEM says.
func plainBase64(data []byte) ([]byte, bool) {
	if !bytes.HasPrefix(data, []byte("M")) { // SEQUENCE
		return nil, false
	}
	plain, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(data), nil)))
	return plain, err == nil
}

func (f *certificateFile) readPEM(data []byte) error {
	// Also of a block that is damaged, or of a kind that is not known here: who sends a key must hear of it.
	for label := range bytes.SplitSeq(data, []byte("-----BEGIN ")) {
		if line, _, _ := bytes.Cut(label, []byte("-----")); bytes.Contains(line, []byte("PRIVATE KEY")) {
			return errPrivateKey.New()
		}
	}
	read, begun := 0, bytes.Count(data, []byte("-----BEGIN "))
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		read++
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "CMS":
			if err := f.readDER(block.Bytes); err != nil {
				return err
			}
		}
	}
	switch {
	case read < begun:
		return errDamagedCertificate.New()
	case len(f.certificates) == 0:
		return errNotCertificate.New()
	}
	return nil
}

// readDER reads one SignedData without signers, or certificates one after the other.
func (f *certificateFile) readDER(data []byte) error {
	switch shapeOf(data) {
	case shapeKey:
		return errPrivateKey.New()
	case shapeMessage:
		return f.readMessage(data)
	case shapeTwoSequences:
		certs, err := chain.ParseCertificates(data)
		if err != nil {
			return errDamagedCertificate.Because(err)
		}
		return f.add(certs...)
	case shapeCut:
		return errDamagedCertificate.New()
	case shapeSeal:
		return errNotCertificate.Saying("这是电子印章的数据；要验证的是盖了章的 PDF", "this is the data of an electronic seal: what can be verified is the PDF that was sealed with it")
	}
	return errNotCertificate.New()
}

func (f *certificateFile) readMessage(data []byte) error {
	var unread error
	d, err := cms.ParseWith(data, func(der []byte) (*chain.Certificate, error) {
		c, err := chain.ParseCertificate(der)
		if err != nil {
			unread = err
		}
		return c, err
	})
	switch {
	case err != nil:
		return errDamagedCertificate.Because(err)
	case unread != nil:
		return errDamagedCertificate.Because(unread)
	case len(d.Signers) > 0, len(d.Certificates) == 0: // something signed, such as a time stamp or a message
		return errNotCertificate.New()
	}
	f.lists = append(f.lists, d.CRLs...)
	return f.add(d.Certificates...)
}

// shape is what the beginning of a structure tells of it.
type shape int

const (
	shapeOther        shape = iota
	shapeCut                // begins like one, and is not all there
	shapeKey                // a private key
	shapeSeal               // a seal, or a signature with one
	shapeMessage            // ContentInfo
	shapeTwoSequences       // Certificate, but also a revocation list
)

// shapeOf tells what DER holds:
//
//	Certificate             ::= SEQUENCE { SEQUENCE, SEQUENCE, BIT STRING }
//	ContentInfo             ::= SEQUENCE { OID, … }
//	PrivateKeyInfo          ::= SEQUENCE { INTEGER, SEQUENCE, OCTET STRING }     (RFC 5208); RSA and EC keys and PFX, in which
//	                            keys travel, begin with a version likewise
//	EncryptedPrivateKeyInfo ::= SEQUENCE { SEQUENCE { OID, … }, OCTET STRING }
//	SESeal                  ::= SEQUENCE { SEQUENCE { SEQUENCE, … }, OCTET STRING, … }  (GB/T 38540 6.1); SES_Signature has a
//	                            version in place of the inner SEQUENCE (7.1)
func shapeOf(data []byte) shape {
	if len(data) == 0 || data[0] != byte(der.SEQUENCE) {
		return shapeOther
	}
	// Begun and not ended: the first elements may be there all the same, and a key cut off is a key.
	input := cryptobyte.String(data)
	var body cryptobyte.String
	whole := input.ReadASN1(&body, der.SEQUENCE)
	if !whole {
		if body = behindLength(data); body == nil {
			return shapeCut
		}
	}
	if body.PeekASN1Tag(der.OBJECT_IDENTIFIER) {
		return shapeMessage // BER too, which package cms reads
	}
	if version := []byte(body); len(version) > 2 && version[0] == byte(der.INTEGER) && version[1] == 1 && version[2] <= 3 {
		return shapeKey
	}
	var first cryptobyte.String
	switch {
	case !body.ReadASN1(&first, der.SEQUENCE):
		if !whole {
			return shapeCut
		}
		return shapeOther
	case body.PeekASN1Tag(der.OCTET_STRING) && (first.PeekASN1Tag(der.SEQUENCE) || first.PeekASN1Tag(der.INTEGER)):
		return shapeSeal
	case body.PeekASN1Tag(der.OCTET_STRING):
		return shapeKey
	case !whole:
		return shapeCut
	case body.PeekASN1Tag(der.SEQUENCE):
		return shapeTwoSequences
	}
	return shapeOther
}

// behindLength is what follows tag and length of an element that is longer than the data, or of indefinite length.
func behindLength(data []byte) cryptobyte.String {
	if len(data) < 2 {
		return nil
	}
	octets := 0
	if data[1] >= 0x80 {
		octets = int(data[1] & 0x7f)
	}
	if octets > 4 || len(data) <= 2+octets {
		return nil
	}
	return cryptobyte.String(data[2+octets:])
}
