package pdf

import (
	"context"
	"slices"
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

	signature, widget, picture, watermark, form, lock int // object numbers, 0 for none
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
	u, err := d.planSeal(ctx, r)
	if again, err := d.recoverAfter(ctx, err); !again || err != nil {
		return u, err
	}
	return d.planSeal(ctx, r)
}

func (d *Document) planSeal(ctx context.Context, r SealRequest) (*Update, error) {
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
	if r.Watermark != nil && s.signed {
		return nil, errWatermarkSigned.New()
	}
	p := &plan{document: d, request: r, kind: "Sig", name: r.Field}
	if r.Field == "" {
		p.name = s.freeName()
	} else if err := p.useField(ctx, s.named); err != nil {
		return nil, err
	}
	if err := p.checkLock(ctx); err != nil {
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
	if err := p.raiseVersion(ctx); err != nil {
		return nil, err
	}
	return p.write()
}

// numberObjects gives the new objects numbers above any that the file mentions: free numbers are never used again,
// and a /Size that is too small is not believed.
func (p *plan) numberObjects() error {
	needed := 8 + len(p.spots) + len(p.looks.list)
	if r := p.request.Watermark; r != nil {
		needed += len(r.parts)
	}
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
	if m := p.request.Watermark; m != nil {
		p.watermark = p.next
		p.next += len(m.parts)
	}
	if p.field == nil && p.request.Lock != nil {
		p.lock = p.number()
	}
	return nil
}

// pictureObjects is how many objects the picture takes: none where nothing shows it.
func (p *plan) pictureObjects() int {
	if !slices.ContainsFunc(p.looks.list, func(k numberedLook) bool { return !k.word }) {
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
	catalog, err := p.document.catalogSource()
	if err != nil {
		return err
	}
	edits, err := p.editForm(catalog)
	if err != nil {
		return err
	}
	if p.request.Certify > 0 {
		permissions, err := p.editPermissions(catalog)
		if err != nil {
			return err
		}
		edits = append(edits, permissions...)
	}
	if len(edits) == 0 {
		return nil
	}
	_, err = p.setChild(catalog, "", edits)
	return err
}

// editForm puts a new field and the flags into the form, and returns what the catalog must change for that.
func (p *plan) editForm(catalog child) ([]edit, error) {
	form, err := p.document.child(catalog, "AcroForm")
	if err != nil {
		return nil, err
	}
	if form.absent {
		p.form = p.number()
		return []edit{{"AcroForm", references(Ref{Num: p.form})}}, nil
	}
	var edits []edit
	if p.field == nil {
		fields, err := p.document.addToList(form.source, form.dict, "Fields", Ref{Num: p.widget})
		if err != nil {
			return nil, at(err, form.ref)
		}
		edits = append(edits, fields)
	}
	flags, err := p.document.integerOr(form.dict.Get("SigFlags"), 0)
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
	return p.setChild(form, "AcroForm", edits)
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
