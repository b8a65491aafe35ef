package pdf

import (
	"context"
	"strconv"
	"time"

	"yinxin/internal/fault"
)

// fieldPrefix begins the names of the fields that sealing makes: Seal1, Seal2 and so on.
const fieldPrefix = "Seal"

// maxContents bounds the space for a signature: seals are tens of kilobytes.
const maxContents = 16 << 20

// SealRequest describes a seal to plan.
type SealRequest struct {
	Filter, SubFilter Name
	ContentsSize      int // bytes reserved for the DER; /Contents takes two characters for each
	Time              time.Time
	// Signer, Reason, Location and Contact are shown by readers; empty ones are left out.
	Signer, Reason, Location, Contact string
	Placement                         Placement
	Appearance                        *Appearance
}

func (r SealRequest) check() error {
	switch {
	case r.Filter == "" || r.SubFilter == "":
		return errBadRequest.At(fault.Field("filter"))
	case r.ContentsSize <= 0 || r.ContentsSize > maxContents:
		return errBadRequest.With("%d bytes", r.ContentsSize).At(fault.Field("contentsSize"))
	case r.Appearance == nil:
		return errBadRequest.At(fault.Field("appearance"))
	case r.Time.IsZero() || r.Time.Year() > 9999:
		return errBadRequest.At(fault.Field("time"))
	case len(r.Signer)+len(r.Reason)+len(r.Location)+len(r.Contact) > 64<<10:
		return errBadRequest.With("text too long")
	}
	return nil
}

// plan gathers what a seal changes before anything is written.
type plan struct {
	document *Document
	request  SealRequest
	page     Page
	placed   placed
	name     string

	next     int // next object number that was never used
	rewrites []rewrite

	signature, widget, appearance, image, mask, form int // object numbers, 0 for none
}

// rewrite is an existing object with its new source; it keeps number and generation.
type rewrite struct {
	ref  Ref
	body []byte
}

// PlanSeal plans a new signature field with one widget that shows the seal. The document itself is not changed, and
// only its tail and the objects concerned are read. Errors: pdf.encrypted, pdf.certified, pdf.locked, pdf.xfa,
// pdf.no-such-page, pdf.outside-page, pdf.ambiguous, pdf.absurd-size, pdf.too-large, pdf.bad-request and those of
// reading.
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
	names, err := d.checkSealable(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{document: d, request: r}
	if err := p.findPage(); err != nil {
		return nil, err
	}
	n := 1
	for names[n] {
		n++
	}
	p.name = fieldPrefix + strconv.Itoa(n)
	if err := p.numberObjects(); err != nil {
		return nil, err
	}
	if err := p.addAnnotation(); err != nil {
		return nil, err
	}
	if err := p.addField(); err != nil {
		return nil, err
	}
	if err := p.raiseVersion(ctx); err != nil {
		return nil, err
	}
	return p.write()
}

// findPage finds the page and the place on it.
func (p *plan) findPage() error {
	at := p.request.Placement
	number := at.Page
	if number == -1 {
		count, err := p.document.PageCount()
		if err != nil {
			return err
		}
		number = count
	}
	var err error
	p.page, err = p.document.Page(number)
	if fault.Has(err, errNoSuchPage) && at.Page == -1 {
		// The count was wrong; the look-up has walked the tree and knows better now.
		if number, err = p.document.PageCount(); err == nil {
			p.page, err = p.document.Page(number)
		}
	}
	if err != nil {
		return err
	}
	if p.page.Ref == (Ref{}) {
		return errDamagedPages.With("the page is not an object of its own").At(fault.Page(number))
	}
	width, height := p.request.Appearance.Size()
	p.placed, err = p.page.place(at, width, height)
	if f, ok := fault.Of(err); ok {
		return f.At(fault.Page(number))
	}
	return err
}

// numberObjects gives the new objects numbers above any that the file mentions: free numbers are never used again,
// and a /Size that is too small is not believed.
func (p *plan) numberObjects() error {
	d := p.document
	next := int64(d.objectEnd())
	if size, ok := d.Trailer().Get("Size").(Integer); ok && int64(size) > next {
		next = int64(size)
	}
	if next+16 > int64(d.limits.Objects) {
		return errAbsurdSize.With("%d", next)
	}
	p.next = max(1, int(next))
	p.signature, p.widget = p.number(), p.number()
	p.appearance, p.image = p.number(), p.number()
	if p.request.Appearance.mask != nil {
		p.mask = p.number()
	}
	return nil
}

func (p *plan) number() int {
	p.next++
	return p.next - 1
}

// widgetRef is the text of the reference to the new field.
func (p *plan) widgetRef() []byte {
	return append(strconv.AppendInt(nil, int64(p.widget), 10), " 0 R"...)
}

// addAnnotation adds the widget to the page.
func (p *plan) addAnnotation() error {
	d := p.document
	l, err := d.locate(p.page.Ref)
	if err != nil {
		return err
	}
	if l == nil {
		return errDamagedPages.At(fault.Page(p.page.Number))
	}
	if _, ok := l.object.(Dict); !ok {
		return errDamagedPages.With("the page is not a dictionary").At(fault.Page(p.page.Number))
	}
	raw, err := d.raw(l)
	if err != nil {
		return err
	}
	change, err := p.addToList(raw, p.page.Dict, "Annots")
	if err != nil {
		return at(err, p.page.Ref)
	}
	body, err := spliceDict(raw, d.limits, change)
	if err != nil {
		return at(err, p.page.Ref)
	}
	return p.rewrite(p.page.Ref, body)
}

// addToList returns the change that adds the widget to the array under a key of the dictionary with source raw.
//
// An array that is an object of its own is copied into the dictionary instead of being rewritten: producers let several
// pages share one array, or a page and the form, and what is added must stand on one page only.
func (p *plan) addToList(raw []byte, dict Dict, key Name) (edit, error) {
	d := p.document
	if dict.count(key) > 1 {
		return edit{}, errAmbiguous.With("/%s", key)
	}
	_, l, err := d.owner(dict.Get(key))
	if err != nil {
		return edit{}, err
	}
	value := dict.Get(key)
	if l != nil {
		value = l.object
	}
	switch value.(type) {
	case nil, Ref:
		// Absent, null, or a reference to nothing.
		return edit{key, append(append([]byte{'['}, p.widgetRef()...), ']')}, nil
	case Array:
	default:
		return edit{}, errDamagedObject.With("/%s is not an array", key)
	}
	var source []byte
	if l != nil {
		if source, err = d.raw(l); err != nil {
			return edit{}, err
		}
	} else {
		span, err := findEntry(raw, key, d.limits)
		if err != nil {
			return edit{}, err
		}
		source = raw[span.start:span.end]
	}
	return edit{key, spliceArray(source, p.widgetRef())}, nil
}

// owner follows references to the object that holds a value; nil when the value is direct or missing.
func (d *Document) owner(o Object) (Ref, *located, error) {
	for range maxChain {
		ref, ok := o.(Ref)
		if !ok {
			return Ref{}, nil, nil
		}
		l, err := d.locate(ref)
		if err != nil || l == nil {
			return Ref{}, nil, err
		}
		if _, more := l.object.(Ref); !more {
			return ref, l, nil
		}
		o = l.object
	}
	return Ref{}, nil, errTooDeep.With("a chain of references")
}

// rewrite notes the new source of an object. An object that serves as page and as catalog or form is not one that a
// person made.
func (p *plan) rewrite(ref Ref, body []byte) error {
	for _, r := range p.rewrites {
		if r.ref.Num == ref.Num {
			return errAmbiguous.With("one object serves as two").At(fault.Object(ref.Num, ref.Gen))
		}
	}
	p.rewrites = append(p.rewrites, rewrite{ref, body})
	return nil
}

// addField adds the field to the form, which is made when there is none.
func (p *plan) addField() error {
	d := p.document
	root, l, err := d.owner(d.root)
	if err != nil {
		return err
	}
	if l == nil {
		return errDamagedXref.With("the catalog is missing")
	}
	catalog, _ := l.object.(Dict)
	raw, err := d.raw(l)
	if err != nil {
		return err
	}
	if catalog.count("AcroForm") > 1 {
		return errAmbiguous.With("/AcroForm").At(fault.Object(root.Num, root.Gen))
	}
	formRef, formAt, err := d.owner(catalog.Get("AcroForm"))
	if err != nil {
		return err
	}
	if formAt != nil {
		source, err := d.raw(formAt)
		if err != nil {
			return err
		}
		body, err := p.extendForm(source, formAt.object)
		if err != nil {
			return at(err, formRef)
		}
		return p.rewrite(formRef, body)
	}
	var form edit
	switch value := catalog.Get("AcroForm").(type) {
	case Dict:
		span, err := findEntry(raw, "AcroForm", d.limits)
		if err != nil {
			return err
		}
		body, err := p.extendForm(raw[span.start:span.end], value)
		if err != nil {
			return at(err, root)
		}
		form = edit{"AcroForm", body}
	case nil, Ref:
		p.form = p.number()
		form = edit{"AcroForm", append(strconv.AppendInt(nil, int64(p.form), 10), " 0 R"...)}
	default:
		return errDamagedObject.With("/AcroForm is not a dictionary").At(fault.Object(root.Num, root.Gen))
	}
	body, err := spliceDict(raw, d.limits, form)
	if err != nil {
		return at(err, root)
	}
	return p.rewrite(root, body)
}

// extendForm returns the source of the form with the field added.
func (p *plan) extendForm(raw []byte, object Object) ([]byte, error) {
	form, ok := object.(Dict)
	if !ok {
		return nil, errDamagedObject.With("/AcroForm is not a dictionary")
	}
	fields, err := p.addToList(raw, form, "Fields")
	if err != nil {
		return nil, err
	}
	edits := []edit{fields}
	flags, err := p.document.integerOr(form.Get("SigFlags"), 0)
	if err != nil {
		return nil, err
	}
	// Signatures exist, and only appending keeps them good (ISO 32000-1, table 219).
	if flags&3 != 3 {
		edits = append(edits, edit{"SigFlags", strconv.AppendInt(nil, flags|3, 10)})
	}
	return spliceDict(raw, p.document.limits, edits...)
}
