package backend

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"path"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/csr"
	"yinxin/internal/fault"
)

// The files that go to a licensed authority and come back. Out: a ZIP archive with "manifest.json" and one PEM request for
// each order, "requests/<order>.csr".
type manifest struct {
	Type     string          `json:"type"`
	Backend  string          `json:"backend"`
	Created  time.Time       `json:"created"`
	Requests []manifestEntry `json:"requests"`
}

type manifestEntry struct {
	Order        string     `json:"order"`
	File         string     `json:"file"`
	SM3          string     `json:"sm3"` // of the file
	Profile      ca.Profile `json:"profile"`
	Organisation string     `json:"organisation"`
	CreditCode   string     `json:"creditCode,omitempty"`
	SealCode     string     `json:"sealCode,omitempty"`
	CommonName   string     `json:"commonName,omitempty"`
	Expires      time.Time  `json:"expires"` // after it an answer is not taken
}

func writeRequests(name string, now time.Time, list []*record) ([]byte, error) {
	m := manifest{Type: "yinxin certificate requests 1", Backend: name, Created: exported(now)}
	files := map[string][]byte{}
	for _, r := range list {
		request, err := ca.ParseRequest(r.request)
		if err != nil {
			return nil, err
		}
		data := csr.PEM(r.csr)
		digest := sm3.Sum(data)
		e := manifestEntry{Order: r.ID, File: "requests/" + r.ID + ".csr", SM3: hex.EncodeToString(digest[:]), Profile: request.Profile,
			Organisation: request.Organisation, CreditCode: request.CreditCode, SealCode: request.SealCode, CommonName: request.CommonName, Expires: exported(r.Expires)}
		m.Requests, files[e.File] = append(m.Requests, e), data
	}
	return writeArchive(exported(now), m, func(add func(name string, data []byte) error) error {
		for _, e := range m.Requests {
			if err := add(e.File, files[e.File]); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeArchive(now time.Time, manifest any, members func(add func(name string, data []byte) error) error) ([]byte, error) {
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	add := func(name string, data []byte) error {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return err
	}
	if err := add("manifest.json", append(text, '\n')); err != nil {
		return nil, err
	}
	if err := members(add); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// Limits on what comes back.
const (
	maxImport       = 16 << 20 // of the file
	maxUnpacked     = 64 << 20 // of all members together
	maxMembers      = 5000
	maxMember       = 1 << 20
	maxCertificates = 5000
)

// member is one certificate of a file, or something in it that is none.
type member struct {
	place       fault.Place
	certificate *chain.Certificate
	err         error
}

// readCertificates takes a file apart. What is wrong with one certificate does not touch the others.
func readCertificates(ctx context.Context, data []byte) ([]member, error) {
	if len(data) > maxImport {
		return nil, ErrTooLarge.With("%d", len(data))
	}
	if !bytes.HasPrefix(data, []byte("PK")) {
		found := readMember("", data)
		if len(found) > maxCertificates {
			return nil, ErrTooLarge.With("%d", len(found))
		}
		return found, nil
	}
	// Each member has a header in the archive's directory, from which the reader makes some hundred bytes before anybody can
	// count; so the headers are counted first. The number at the archive's end may be a lie.
	if n := bytes.Count(data, directoryHeader); n > maxMembers {
		return nil, ErrTooLarge.With("%d", n)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, ErrBundle.Because(err)
	}
	var found []member
	left := int64(maxUnpacked)
	for _, f := range archive.File {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if f.FileInfo().IsDir() || !certificateName(f.Name) {
			continue
		}
		content, err := unpack(f, min(left, maxMember))
		if err != nil {
			found = append(found, member{place: fault.File(shown(f.Name)), err: err})
			continue
		}
		left -= int64(len(content))
		if found = append(found, readMember(shown(f.Name), content)...); len(found) > maxCertificates {
			return nil, ErrTooLarge.With("%d", len(found))
		}
	}
	if len(found) == 0 {
		return nil, ErrBundle.New()
	}
	return found, nil
}

// directoryHeader begins the header of each member in the directory of a ZIP archive (APPNOTE 4.3.12).
var directoryHeader = []byte("PK\x01\x02")

func certificateName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".cer", ".crt", ".pem", ".der", ".p7b", ".p7c":
		return true
	}
	return false
}

// shown is a name from an archive as it may stand in a report.
func shown(name string) string {
	name = strings.ToValidUTF8(path.Base(strings.ReplaceAll(name, `\`, "/")), "?")
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > 100 {
		name = string(runes[:100])
	}
	return name
}

func unpack(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, ErrBundle.Because(err)
	}
	defer r.Close()
	// What the archive says about sizes is not believed.
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, ErrBundle.Because(err)
	}
	if int64(len(data)) > limit {
		return nil, ErrTooLarge.With("%d", limit)
	}
	return data, nil
}

// readMember reads certificates one after the other: PEM, DER, and PKCS #7 in either.
func readMember(name string, data []byte) (found []member) {
	place := func() fault.Place { return fault.Place{File: name, Row: len(found) + 1} }
	add := func(c *chain.Certificate, err error) { found = append(found, member{place(), c, err}) }
	der := func(block []byte) {
		c, err := chain.ParseCertificate(block)
		if err == nil {
			add(c, nil)
			return
		}
		// A certificate is no signed data, and the other way round: their first members differ.
		signed, other := cms.Parse(block)
		if other != nil {
			add(nil, ErrBundle.At(place()).Because(err))
			return
		}
		if len(signed.Certificates) == 0 {
			add(nil, ErrBundle.At(place()))
		}
		for _, c := range signed.Certificates {
			add(c, nil)
		}
	}
	if !bytes.Contains(data, []byte("-----BEGIN ")) || len(data) > 0 && data[0] == 0x30 {
		der(data)
		return found
	}
	for block, rest := pem.Decode(data); block != nil && len(found) <= maxCertificates; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "PKCS7", "CMS":
			der(block.Bytes)
		}
	}
	if len(found) == 0 {
		add(nil, ErrBundle.At(place()))
	}
	return found
}

func sm2Key(c *chain.Certificate) *ecdsa.PublicKey {
	key, _ := c.PublicKey.(*ecdsa.PublicKey)
	return key
}
