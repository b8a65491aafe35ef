package chain

import (
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"yinxin/internal/fault"
)

// Anchors are the certificates that are trusted because the person in charge says so, and others that help to reach
// them. Immutable and safe for concurrent use; a nil *Anchors trusts nothing.
type Anchors struct {
	trusted map[[32]byte]*Certificate
	// byName finds all of them, anchors first, by folded subject name.
	byName map[string][]*Certificate
	// limits narrow some anchors: one of its limits must allow a use. An anchor without any is trusted for everything.
	limits map[[32]byte][]Limit
}

// Limit says what an anchor is trusted for. Certificates on the way to its revocation lists and OCSP answers are always
// within it: they speak of nothing but what the anchor issued.
type Limit struct {
	// Usages are the uses; nil is every one.
	Usages []Usage
	// Leaf, if set, says whether a certificate may be believed below the anchor in such a use, apart from all else that is
	// judged. It is called for every chain: it must be quick and safe for concurrent use.
	Leaf func(leaf *Certificate, u Usage) bool
}

func (l Limit) allows(leaf *Certificate, u Usage) bool {
	return (l.Usages == nil || slices.Contains(l.Usages, u)) && (l.Leaf == nil || l.Leaf(leaf, u))
}

// NewAnchors makes trust anchors of certificates, whatever they are: also a CA that is not self-signed, or an end
// certificate that is to be trusted by itself.
func NewAnchors(certs ...*Certificate) *Anchors {
	return newAnchors(certs, nil)
}

// WithIntermediates gives anchors that also know certificates on the way to them.
func (a *Anchors) WithIntermediates(certs ...*Certificate) *Anchors {
	b := newAnchors(a.List(), append(a.helpers(), certs...))
	if a != nil {
		b.limits = a.limits
	}
	return b
}

func newAnchors(trusted, helping []*Certificate) *Anchors {
	a := &Anchors{trusted: map[[32]byte]*Certificate{}, byName: map[string][]*Certificate{}}
	known := map[[32]byte]bool{}
	add := func(c *Certificate) {
		fingerprint := c.Fingerprint()
		if known[fingerprint] {
			return
		}
		known[fingerprint] = true
		name := c.subjectName
		a.byName[name] = append(a.byName[name], c)
	}
	for _, c := range trusted {
		if c != nil {
			a.trusted[c.Fingerprint()] = c
			add(c)
		}
	}
	for _, c := range helping {
		if c != nil {
			add(c)
		}
	}
	return a
}

// Limited gives anchors of which one is trusted only within a limit; several limits of one anchor add up. Of two
// Anchors that are joined (And) each keeps what it trusted.
func (a *Anchors) Limited(c *Certificate, l Limit) *Anchors {
	b := newAnchors(a.List(), a.helpers())
	b.limits = map[[32]byte][]Limit{}
	if a != nil {
		maps.Copy(b.limits, a.limits)
	}
	f := c.Fingerprint()
	b.limits[f] = append(slices.Clone(b.limits[f]), l)
	return b
}

// trusts says whether an anchor is trusted for a use of a leaf below it.
func (a *Anchors) trusts(c, leaf *Certificate, u Usage) bool {
	if !a.Contains(c) {
		return false
	}
	limits := a.limits[c.Fingerprint()]
	if len(limits) == 0 || u == UsageCRL || u == UsageOCSP {
		return true
	}
	return slices.ContainsFunc(limits, func(l Limit) bool { return l.allows(leaf, u) })
}

// Contains says whether exactly this certificate is an anchor.
func (a *Anchors) Contains(c *Certificate) bool {
	if a == nil || c == nil {
		return false
	}
	_, ok := a.trusted[c.Fingerprint()]
	return ok
}

// List gives the anchors in no particular order.
func (a *Anchors) List() []*Certificate {
	if a == nil {
		return nil
	}
	list := make([]*Certificate, 0, len(a.trusted))
	for _, c := range a.trusted {
		list = append(list, c)
	}
	return list
}

func (a *Anchors) helpers() []*Certificate {
	if a == nil {
		return nil
	}
	var list []*Certificate
	for _, named := range a.byName {
		for _, c := range named {
			if !a.Contains(c) {
				list = append(list, c)
			}
		}
	}
	return list
}

func (a *Anchors) named(name string) []*Certificate {
	if a == nil {
		return nil
	}
	return a.byName[name]
}

// Limits on trust files.
const (
	maxTrustFiles    = 10_000
	maxTrustFileSize = MaxCRL
)

// LoadTrust reads trust from files and folders (not their subfolders): certificates in PEM or DER, revocation lists in
// PEM or DER. A self-signed certificate is an anchor, any other helps to reach one; so whoever may write there decides
// whom to trust. In a folder, files whose name does not end in .pem, .crt, .cer, .der or .crl are passed over. Errors:
// ErrTrust with the file's name, ErrCertificate and ErrCRL likewise, ErrTooLarge.
func LoadTrust(paths ...string) (*Anchors, []*CRL, error) {
	var found trust
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, ErrTrust.At(fault.File(path)).Because(err)
		}
		if !info.IsDir() {
			if err := found.load(path); err != nil {
				return nil, nil, err
			}
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, nil, ErrTrust.At(fault.File(path)).Because(err)
		}
		for _, entry := range entries {
			if !trustFile(path, entry) {
				continue
			}
			if err := found.load(filepath.Join(path, entry.Name())); err != nil {
				return nil, nil, err
			}
		}
	}
	return newAnchors(found.anchors, found.others), found.lists, nil
}

// trustFile says whether a folder's entry is a file to read; a link counts as what it points to.
func trustFile(folder string, entry fs.DirEntry) bool {
	switch strings.ToLower(filepath.Ext(entry.Name())) {
	case ".pem", ".crt", ".cer", ".der", ".crl":
		info, err := os.Stat(filepath.Join(folder, entry.Name()))
		return err == nil && info.Mode().IsRegular()
	}
	return false
}

type trust struct {
	files           int
	anchors, others []*Certificate
	lists           []*CRL
}

func (t *trust) load(path string) error {
	t.files++
	if t.files > maxTrustFiles {
		return ErrTooLarge.At(fault.File(path))
	}
	data, err := readLimited(path)
	if err != nil {
		return err
	}
	if err := t.add(data); err != nil {
		var f *fault.Fault
		if errors.As(err, &f) {
			place := f.Place
			place.File = path
			return f.At(place)
		}
		return err
	}
	return nil
}

func readLimited(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, ErrTrust.At(fault.File(path)).Because(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxTrustFileSize+1))
	if err != nil {
		return nil, ErrTrust.At(fault.File(path)).Because(err)
	}
	if len(data) > maxTrustFileSize {
		return nil, ErrTooLarge.At(fault.File(path))
	}
	return data, nil
}

// add takes what one file holds.
func (t *trust) add(data []byte) error {
	if !isPEM(data) {
		list, crlErr := ParseCRL(data)
		if crlErr == nil {
			t.lists = append(t.lists, list)
			return nil
		}
		certs, err := ParseCertificates(data)
		if err != nil {
			return ErrTrust.Because(errors.Join(err, crlErr))
		}
		return t.addCertificates(certs)
	}
	count := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		count++
		var err error
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			var c *Certificate
			if c, err = ParseCertificate(block.Bytes); err == nil {
				err = t.addCertificates([]*Certificate{c})
			}
		case "X509 CRL":
			var list *CRL
			if list, err = ParseCRL(block.Bytes); err == nil {
				t.lists = append(t.lists, list)
			}
		default:
			count--
		}
		if err != nil {
			return atRow(err, count)
		}
	}
	if count == 0 {
		return ErrTrust.New()
	}
	return nil
}

func (t *trust) addCertificates(certs []*Certificate) error {
	for _, c := range certs {
		if !selfIssued(c) {
			t.others = append(t.others, c)
			continue
		}
		// The signature of an anchor on itself proves nothing, but a wrong one is a damaged file. A weak one is what old
		// roots have.
		algorithm := Algorithm{OID: c.SignatureAlgorithm, Parameters: c.SignatureParameters}
		_, err := algorithm.Check(c.PublicKey, c.RawTBS, c.Signature)
		switch {
		case err == nil, fault.Has(err, ErrWeak):
			t.anchors = append(t.anchors, c)
		case contradicts(c, c):
			// The same name under another key: a CA that changed its key signed its new certificate with the old.
			t.others = append(t.others, c)
		default:
			return err
		}
	}
	return nil
}

// And gives anchors that trust and know what either of the two does.
func (a *Anchors) And(b *Anchors) *Anchors {
	both := newAnchors(append(a.List(), b.List()...), append(a.helpers(), b.helpers()...))
	both.limits = map[[32]byte][]Limit{}
	for f, c := range both.trusted {
		var limits []Limit
		unlimited := false
		for _, side := range []*Anchors{a, b} {
			if side.Contains(c) {
				unlimited = unlimited || len(side.limits[f]) == 0
				limits = append(limits, side.limits[f]...)
			}
		}
		if !unlimited {
			both.limits[f] = limits
		}
	}
	return both
}
