package pdf

import "context"

// stampPrefix begins the names of the fields of document time stamps.
const stampPrefix = "TimeStamp"

// PlanTimeStamp plans a document time stamp (ISO 32000-2, 12.8.5): an invisible signature field whose /Contents, of
// size bytes, takes a time-stamp token (RFC 3161) over Before and After. Certification and field locks let it in at every
// level (12.8.2.2.2). Errors: pdf.encrypted, pdf.xfa, pdf.ambiguous, pdf.absurd-size, pdf.too-large, pdf.bad-request and
// those of reading.
func (d *Document) PlanTimeStamp(ctx context.Context, size int) (*Update, error) {
	if size <= 0 || size > maxContents {
		return nil, errBadRequest.With("%d bytes", size)
	}
	s, err := d.survey(ctx, stampPrefix, "")
	if err != nil {
		return nil, err
	}
	p := &plan{document: d, kind: "DocTimeStamp", name: s.freeName(),
		request: SealRequest{Filter: "Adobe.PPKLite", SubFilter: "ETSI.RFC3161", ContentsSize: size}}
	p.seed = []string{p.name}
	if err := p.addInvisible(); err != nil {
		return nil, err
	}
	if err := p.numberObjects(); err != nil {
		return nil, err
	}
	if err := p.addAnnotations(); err != nil {
		return nil, err
	}
	if err := p.editCatalog(); err != nil {
		return nil, err
	}
	return p.write()
}
