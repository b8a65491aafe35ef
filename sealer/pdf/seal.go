package pdf

import (
	"context"
	"strconv"
	"time"

	"yinxin/internal/fault"
)

// fieldPrefix begins the names of the fields that sealing makes: Seal1, Seal2 and so on.
const fieldPrefix = "Seal"

// plan gathers what an update changes before anything is written.
type plan struct {
	document *Document
	request  SealRequest
	kind     Name     // /Type of the signature dictionary
	name     string   // of the signature field
	seed     []string // what the new file identifier depends on, beside the document

	next     int // next object number that was never used
	rewrites []rewrite
	looks    looks
	spots    []spot
	field    *emptyField // the existing field to sign; nil for a new one
	notes    []Note

	signature, widget, picture, form, lock int // object numbers, 0 for none
}

// PlanSeal plans a signature with the places where its seal is shown. The document itself is not changed, and only its
// tail and the objects concerned are read. Errors, beside those of reading:
//
//   - of the document: pdf.encrypted, pdf.certified, pdf.locked, pdf.xfa, pdf.ambiguous, pdf.absurd-size, pdf.too-large,
//     pdf.certify-signed;
//   - of the places: pdf.no-such-page, pdf.bad-page-range, pdf.outside-page, pdf.overlap, pdf.too-many-places,
//     pdf.straddle-too-thin, pdf.straddle-nothing;
//   - of an existing field: pdf.no-such-field, pdf.field-signed, pdf.field-too-small, pdf.seed-value;
//   - of the request: pdf.bad-request.
func (d *Document) PlanSeal(ctx context.Context, r SealRequest) (*Update, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s, err := d.survey(ctx, fieldPrefix, r.Field)
	if err != nil {
		return nil, err
	}
	if err := s.admit(r); err != nil {
		return nil, err
	}
	p := &plan{document: d, request: r, kind: "Sig", name: r.Field}
	if r.Field == "" {
		p.name = s.freeName()
	} else if err := p.useField(s.named); err != nil {
		return nil, err
	}
	p.seed = []string{r.Time.UTC().Format(time.RFC3339), p.name}
	if err := p.findSpots(ctx); err != nil {
		return nil, err
	}
	if err := p.numberObjects(); err != nil {
		return nil, err
	}
	if err := p.addAnnotations(); err != nil {
		return nil, err
	}
	if err := p.signField(); err != nil {
		return nil, err
	}
	return p.write()
}

// numberObjects gives the new objects numbers above any that the file mentions: free numbers are never used again,
// and a /Size that is too small is not believed.
func (p *plan) numberObjects() error {
	needed := 8 + len(p.spots) + len(p.looks.list)
	if err := p.startNumbers(needed + p.pictureObjects()); err != nil {
		return err
	}
	p.signature = p.number()
	for i := range p.spots {
		s := &p.spots[i]
		if s.Object == (Ref{}) {
			s.Object = Ref{Num: p.number()}
		}
	}
	if p.field == nil {
		p.widget = p.spots[0].Object.Num
	}
	for i := range p.looks.list {
		p.looks.list[i].number = p.number()
	}
	if n := p.pictureObjects(); n > 0 {
		p.picture = p.next
		p.next += n
	}
	if p.field == nil && p.request.Lock != nil {
		p.lock = p.number()
	}
	return nil
}

// pictureObjects is how many objects the picture takes: none where nothing shows it.
func (p *plan) pictureObjects() int {
	if len(p.looks.list) == 0 {
		return 0
	}
	return p.request.Appearance.objects()
}

// startNumbers finds the first number that was never used, with room for some more.
func (p *plan) startNumbers(needed int) error {
	d := p.document
	next := int64(d.objectEnd())
	if size, ok := d.Trailer().Get("Size").(Integer); ok && int64(size) > next {
		next = int64(size)
	}
	if next+int64(needed) > int64(d.limits.Objects) {
		return errAbsurdSize.With("%d", next)
	}
	p.next = max(1, int(next))
	return nil
}

func (p *plan) number() int {
	p.next++
	return p.next - 1
}

// signField puts the field into the form, or the signature into the existing field, and says in the catalog what a
// certification permits.
func (p *plan) signField() error {
	if p.field != nil {
		if err := p.fillField(); err != nil {
			return err
		}
	}
	return p.editCatalog()
}

// editCatalog changes the catalog and the form, which is made when there is none.
func (p *plan) editCatalog() error {
	d := p.document
	root, l, raw, err := d.source(d.root)
	if err != nil {
		return err
	}
	if l == nil {
		return errDamagedXref.With("the catalog is missing")
	}
	catalog, _ := l.object.(Dict)
	var edits []edit
	form, err := p.editForm(raw, catalog)
	if err != nil {
		return at(err, root)
	}
	edits = append(edits, form...)
	if p.request.Certify > 0 {
		permissions, err := p.editPermissions(raw, catalog)
		if err != nil {
			return at(err, root)
		}
		edits = append(edits, permissions...)
	}
	if len(edits) == 0 {
		return nil
	}
	body, err := spliceDict(raw, d.limits, edits...)
	if err != nil {
		return at(err, root)
	}
	return p.rewrite(root, body)
}

// editForm returns what the catalog, with source raw, must change for the form; a form that is an object of its own is
// rewritten.
func (p *plan) editForm(raw []byte, catalog Dict) ([]edit, error) {
	d := p.document
	if catalog.count("AcroForm") > 1 {
		return nil, errAmbiguous.With("/AcroForm")
	}
	ref, l, source, err := d.source(catalog.Get("AcroForm"))
	if err != nil {
		return nil, err
	}
	if l != nil {
		body, err := p.extendForm(source, l.object)
		if err != nil || body == nil {
			return nil, at(err, ref)
		}
		return nil, p.rewrite(ref, body)
	}
	switch value := catalog.Get("AcroForm").(type) {
	case Dict:
		span, err := findEntry(raw, "AcroForm", d.limits)
		if err != nil {
			return nil, err
		}
		body, err := p.extendForm(raw[span.start:span.end], value)
		if err != nil || body == nil {
			return nil, err
		}
		return []edit{{"AcroForm", body}}, nil
	case nil, Ref:
		p.form = p.number()
		return []edit{{"AcroForm", references([]int{p.form})}}, nil
	}
	return nil, errDamagedObject.With("/AcroForm is not a dictionary")
}

// extendForm returns the source of the form with a new field and the flags; nil when it stays as it is.
func (p *plan) extendForm(raw []byte, object Object) ([]byte, error) {
	form, ok := object.(Dict)
	if !ok {
		return nil, errDamagedObject.With("/AcroForm is not a dictionary")
	}
	var edits []edit
	if p.field == nil {
		fields, err := p.document.addToList(raw, form, "Fields", p.widget)
		if err != nil {
			return nil, err
		}
		edits = append(edits, fields)
	}
	flags, err := p.document.integerOr(form.Get("SigFlags"), 0)
	if err != nil {
		return nil, err
	}
	// Signatures exist, and only appending keeps them good (ISO 32000-1, table 219).
	if flags&3 != 3 {
		edits = append(edits, edit{"SigFlags", strconv.AppendInt(nil, flags|3, 10)})
	}
	if len(edits) == 0 {
		return nil, nil
	}
	return spliceDict(raw, p.document.limits, edits...)
}

// onThePage says on which page an error happened, where it does not say so.
func onThePage(err error, number int) error {
	if f, ok := fault.Of(err); ok && f.Place.Page == 0 {
		place := f.Place
		place.Page = number
		return f.At(place)
	}
	return err
}
