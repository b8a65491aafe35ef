package verify

import (
	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/sealer/pdf"
)

// Limits on what a file may carry to prove its signatures: honest files have a handful of each.
const (
	maxMaterial      = 1000     // certificates, lists and answers together
	maxMaterialBytes = 32 << 20 // decoded
	maxCertificate   = 64 << 10 // one of them, bytes
	maxList          = 16 << 20
	// maxSingles is how many certificates one answer may speak of: those that are kept speak of one.
	maxSingles = 20
)

// material is what a file carries to prove its signatures: none of it is trusted by itself. Certificates are
// intermediates only, lists and answers count as far as the right issuer signed them.
type material struct {
	certificates []*chain.Certificate
	lists        []*chain.CRL
	answers      []*ocsp.Response

	count, bytes int
	seen         map[pdf.Ref]bool
}

// sources are the lists and answers as sources of revocation.
func (m *material) sources() []chain.RevocationSource {
	var sources []chain.RevocationSource
	if len(m.lists) > 0 {
		sources = append(sources, chain.NewCRLSource(m.lists...))
	}
	if len(m.answers) > 0 {
		sources = append(sources, ocsp.NewSource(m.answers...))
	}
	return sources
}

// takeStore adds what the document security store of the newest state holds (ETSI EN 319 142-1 clause 5.4.2; ISO 32000-2,
// 12.8.4.3) to what the chains are built from.
//
//	/DSS << /Certs [streams] /CRLs [streams] /OCSPs [streams] /VRI << /<SHA-1 of Contents> << /Cert [] /CRL [] /OCSP [] >> >> >>
func (v *verification) takeStore() error {
	v.material = &material{}
	if v.trust == nil {
		v.trust = v.chain
	}
	v.chain = v.trust
	catalog, _, err := v.doc.Catalog()
	if err != nil {
		return nil // the comparison and the reader have their say about that
	}
	store := v.dictionary(catalog.Get("DSS"))
	if store == nil {
		return nil
	}
	m := &material{seen: map[pdf.Ref]bool{}}
	v.takeStreams(m, store, "Certs", "CRLs", "OCSPs")
	for _, entry := range v.dictionary(store.Get("VRI")) {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		if m.count >= maxMaterial {
			break
		}
		v.takeStreams(m, v.dictionary(entry.Value), "Cert", "CRL", "OCSP")
	}
	if m.count >= maxMaterial || m.bytes >= maxMaterialBytes {
		v.note(text{"文件携带的验证资料过多，未全部使用。", "The file carries more validation data than is looked through."})
	}
	v.material, v.chain = m, v.trust.With(m.certificates, m.sources()...)
	return nil
}

// dictionary resolves an object to a dictionary, nil where it is none.
func (v *verification) dictionary(o pdf.Object) pdf.Dict {
	resolved, err := v.doc.Resolve(o)
	if err != nil {
		return nil
	}
	d, _ := resolved.(pdf.Dict)
	return d
}

// takeStreams reads the three arrays of a dictionary. What cannot be read is passed over: it proves nothing.
func (v *verification) takeStreams(m *material, d pdf.Dict, certificates, lists, answers pdf.Name) {
	for _, data := range v.streams(m, d.Get(certificates), maxCertificate) {
		if c, err := v.chain.Certificate(data); err == nil {
			m.certificates = append(m.certificates, c)
		}
	}
	for _, data := range v.streams(m, d.Get(lists), maxList) {
		if list, err := chain.ParseCRL(data); err == nil {
			m.lists = append(m.lists, list)
		}
	}
	for _, data := range v.streams(m, d.Get(answers), ocsp.MaxResponse) {
		if answer, err := ocsp.ParseResponse(data); err == nil && len(answer.Singles) <= maxSingles {
			m.answers = append(m.answers, answer)
		}
	}
}

// streams decodes the streams that an array refers to, each once in all, of at most so many bytes each. One that is
// longer counts as that many: it was decoded up to there.
func (v *verification) streams(m *material, o pdf.Object, most int) [][]byte {
	resolved, err := v.doc.Resolve(o)
	list, ok := resolved.(pdf.Array)
	if err != nil || !ok {
		return nil
	}
	var found [][]byte
	for _, item := range list {
		if m.count >= maxMaterial || m.bytes >= maxMaterialBytes || v.ctx.Err() != nil {
			break
		}
		ref, ok := item.(pdf.Ref)
		if !ok || m.seen[ref] {
			continue
		}
		m.seen[ref] = true
		m.count++
		object, err := v.doc.Object(ref)
		stream, ok := object.(*pdf.Stream)
		if err != nil || !ok {
			continue
		}
		most := min(most, maxMaterialBytes-m.bytes)
		data, err := v.doc.StreamData(stream, int64(most))
		if err != nil {
			m.bytes += most
			continue
		}
		m.bytes += len(data)
		found = append(found, data)
	}
	return found
}
