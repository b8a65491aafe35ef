package pdf

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// DSS is long-term validation data for the signatures of a document (ISO 32000-2, 12.8.4.3): certificates, CRLs and OCSP
// responses, each as DER. VRI lists for single signatures which of them were used; the key is that of VRIKey.
type DSS struct {
	Certs, CRLs, OCSPs [][]byte
	VRI                map[string]VRI
}

// VRI is the validation data of one signature. What it names goes into the lists of the DSS as well.
type VRI struct{ Certs, CRLs, OCSPs [][]byte }

// VRIKey is the key of a signature: SHA-1 over the bytes of its /Contents, the zeros at the end included, in upper-case
// hexadecimal digits. SHA-1 is a name here and protects nothing.
func VRIKey(contents []byte) string {
	sum := sha1.Sum(contents)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

const (
	maxDSSEntries = 10_000
	maxDSSBytes   = 64 << 20
	// maxDSSRead bounds what is read of an existing DSS to see which data it has already.
	maxDSSRead = 16 << 20
)

func (s DSS) lists() [3][][]byte { return [3][][]byte{s.Certs, s.CRLs, s.OCSPs} }
func (v VRI) lists() [3][][]byte { return [3][][]byte{v.Certs, v.CRLs, v.OCSPs} }

// dssKeys are the keys of the lists in the DSS and in a VRI dictionary.
var dssKeys = [3]struct{ dss, vri Name }{{"Certs", "Cert"}, {"CRLs", "CRL"}, {"OCSPs", "OCSP"}}

func (s DSS) check() (entries int, err error) {
	size := 0
	count := func(lists [3][][]byte) {
		for _, l := range lists {
			for _, der := range l {
				entries, size = entries+1, size+len(der)
			}
		}
	}
	count(s.lists())
	for key, v := range s.VRI {
		if len(key) != 2*sha1.Size || strings.Trim(key, "0123456789ABCDEF") != "" {
			return 0, errBadRequest.With("VRI key %.50q", key)
		}
		entries++
		count(v.lists())
	}
	if entries > maxDSSEntries || size > maxDSSBytes {
		return 0, errTooLarge.With("%d entries, %d bytes", entries, size)
	}
	return entries, nil
}

// dssPlan is a plan for validation data.
type dssPlan struct {
	plan
	streams map[[32]byte]Ref // what there is or will be, by list and content
	fresh   []dssStream
	added   [3][]Ref // to each list
	budget  int64    // bytes of existing streams that may still be read
}

type dssStream struct {
	number int
	data   []byte // deflated
}

// AppendDSS gives the bytes of an update that puts validation data into the catalog's /DSS, merging them with what is
// there: streams that exist are referred to, not written again. It is empty when there is nothing new. No signature is in
// it; every certification level lets it in (ISO 32000-2, 12.8.2.2.2). Errors: pdf.encrypted, pdf.ambiguous,
// pdf.damaged-object, pdf.absurd-size, pdf.too-large, pdf.bad-request and those of reading.
func (d *Document) AppendDSS(ctx context.Context, s DSS) ([]byte, error) {
	entries, err := s.check()
	if err != nil || entries == 0 {
		return nil, err
	}
	if d.Encrypted() {
		return nil, errEncrypted.New()
	}
	if err := d.checkTail(); err != nil {
		return nil, err
	}
	p := &dssPlan{plan: plan{document: d, seed: []string{"DSS"}}, streams: map[[32]byte]Ref{}, budget: maxDSSRead}
	if err := p.startNumbers(entries + 8); err != nil {
		return nil, err
	}
	catalog, err := d.catalogSource()
	if err != nil {
		return nil, err
	}
	old, err := d.child(catalog, "DSS")
	if err != nil {
		return nil, err
	}
	if err := p.readStreams(ctx, old.dict); err != nil {
		return nil, err
	}
	edits, err := p.merge(old, s)
	if err != nil || len(edits) == 0 && len(p.rewrites) == 0 {
		return nil, err
	}
	if len(edits) > 0 {
		if err := p.replace(catalog, old, edits); err != nil {
			return nil, err
		}
	}
	return p.layOut()
}

// replace changes the DSS, or makes one as an object of its own, so that a later update need not touch the catalog.
func (p *dssPlan) replace(catalog, old child, edits []edit) error {
	if old.absent {
		old.ref = Ref{Num: p.number()}
		if err := p.splice(catalog.ref, edit{"DSS", references(old.ref)}); err != nil {
			return err
		}
	}
	inside, err := p.setChild(old, "DSS", edits)
	if err != nil || inside == nil {
		return err
	}
	return p.splice(catalog.ref, inside...)
}

// readStreams notes what the lists of an existing DSS hold, as far as the budget goes.
func (p *dssPlan) readStreams(ctx context.Context, dss Dict) error {
	d := p.document
	for kind, keys := range dssKeys {
		o, err := d.Resolve(dss.Get(keys.dss))
		if err != nil {
			return err
		}
		list, _ := o.(Array)
		for _, o := range list {
			if err := ctx.Err(); err != nil {
				return err
			}
			ref, ok := o.(Ref)
			if !ok {
				continue
			}
			if o, err = d.Resolve(o); err != nil {
				return err
			}
			stream, ok := o.(*Stream)
			if !ok || stream.Length > p.budget || p.budget <= 0 {
				continue
			}
			data, err := d.StreamData(stream, min(p.budget, maxDSSRead))
			p.budget -= stream.Length + int64(len(data))
			if err != nil {
				continue // it stays where it is; what cannot be read is not the same as anything
			}
			p.streams[dssDigest(kind, data)] = ref
		}
	}
	return nil
}

func dssDigest(kind int, data []byte) [32]byte {
	return sha256.Sum256(append([]byte{byte(kind)}, data...))
}

// intern gives the stream that holds some data, a new one where there is none.
func (p *dssPlan) intern(kind int, der []byte) (Ref, error) {
	key := dssDigest(kind, der)
	if ref, ok := p.streams[key]; ok {
		return ref, nil
	}
	data, err := deflate(der)
	if err != nil {
		return Ref{}, err
	}
	ref := Ref{Num: p.number()}
	p.streams[key] = ref
	p.fresh = append(p.fresh, dssStream{ref.Num, data})
	p.added[kind] = append(p.added[kind], ref)
	return ref, nil
}

// merge returns the changes to the DSS.
func (p *dssPlan) merge(old child, s DSS) ([]edit, error) {
	for kind, list := range s.lists() {
		for _, der := range list {
			if _, err := p.intern(kind, der); err != nil {
				return nil, err
			}
		}
	}
	vri, err := p.mergeVRI(old, s.VRI)
	if err != nil {
		return nil, err
	}
	var edits []edit
	for kind, keys := range dssKeys {
		if len(p.added[kind]) == 0 {
			continue
		}
		e, err := p.document.addToList(old.source, old.dict, keys.dss, p.added[kind]...)
		if err != nil {
			return nil, at(err, old.ref)
		}
		edits = append(edits, e)
	}
	return append(edits, vri...), nil
}

// mergeVRI returns the change to the DSS for the entries of single signatures.
func (p *dssPlan) mergeVRI(old child, entries map[string]VRI) ([]edit, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	all, err := p.document.child(old, "VRI")
	if err != nil {
		return nil, err
	}
	var edits []edit
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e, err := p.mergeEntry(all, Name(key), entries[key])
		if err != nil {
			return nil, err
		}
		edits = append(edits, e...)
	}
	if len(edits) == 0 && !all.absent {
		return nil, nil
	}
	return p.setChild(all, "VRI", edits)
}

// mergeEntry returns the change to the VRI dictionary for one signature.
func (p *dssPlan) mergeEntry(all child, key Name, v VRI) ([]edit, error) {
	d := p.document
	entry, err := d.child(all, key)
	if err != nil {
		return nil, err
	}
	var edits []edit
	for kind, list := range v.lists() {
		o, err := d.Resolve(entry.dict.Get(dssKeys[kind].vri))
		if err != nil {
			return nil, err
		}
		have, _ := o.(Array)
		var added []Ref
		for _, der := range list {
			ref, err := p.intern(kind, der)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(have, Object(ref)) && !slices.Contains(added, ref) {
				added = append(added, ref)
			}
		}
		if len(added) == 0 {
			continue
		}
		e, err := d.addToList(entry.source, entry.dict, dssKeys[kind].vri, added...)
		if err != nil {
			return nil, at(err, entry.ref)
		}
		edits = append(edits, e)
	}
	if len(edits) == 0 && !entry.absent {
		return nil, nil
	}
	return p.setChild(entry, key, edits)
}

// layOut writes the update.
func (p *dssPlan) layOut() ([]byte, error) {
	size := p.size()
	for _, s := range p.fresh {
		size += len(s.data) + 128
		p.seed = append(p.seed, string(s.data))
	}
	w, err := p.open(size)
	if err != nil {
		return nil, err
	}
	p.writeRewrites(w)
	for _, s := range p.fresh {
		w.begin(Ref{Num: s.number})
		w.text("<</Filter/FlateDecode/Length ")
		w.integer(int64(len(s.data)))
		w.text(">>\nstream\n")
		w.buf = append(w.buf, s.data...)
		w.text("\nendstream")
		w.end()
	}
	if err := p.writeXref(w); err != nil {
		return nil, err
	}
	if p.document.size+int64(len(w.buf)) > maxFile {
		return nil, errTooLarge.With("%d bytes", p.document.size)
	}
	return w.buf, nil
}
