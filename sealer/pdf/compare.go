package pdf

import (
	"context"
	"fmt"
	"slices"
)

// Change is one thing that a later revision of a document did to an earlier one.
type Change struct {
	// Permitted says that a signature made before the change stays good.
	Permitted bool
	// Kind is one of the Change constants.
	Kind string
	// Page is where it shows, counted from 1; 0 when it is not on a page, or not known on which.
	Page int
	// Object is what was changed; zero when it is not an object.
	Object Ref
	// ZH and EN say it to a person, each a whole sentence.
	ZH, EN string
}

// The kinds of changes that can be permitted.
const (
	ChangeSignatureAdded  = "signature-added"  // a further signature field with its signature
	ChangeSignatureFilled = "signature-filled" // an empty signature field was signed
	ChangeSealPart        = "seal-part"        // another place of a further seal: a part of a straddle seal
	ChangeTimeStamp       = "time-stamp"       // a document time stamp (ETSI EN 319 142-1, 5.4.3)
	ChangeValidationData  = "validation-data"  // the document security store, DSS, was made or grew
	ChangeExtension       = "extension"        // the catalog names extensions or a version that it did not
	ChangeFormFilled      = "form-filled"      // a form field got another value
	ChangeMetadataUpdated = "metadata-updated" // dates, producer and the like: nothing that a page shows
)

// The kinds of changes that are never permitted.
const (
	ChangeStructure  = "structure" // cross-reference or trailer
	ChangeCatalog    = "catalog"
	ChangePageTree   = "page-tree"
	ChangePage       = "page"
	ChangeContent    = "content" // something that a page shows
	ChangeAnnotation = "annotation"
	ChangeForm       = "form"
	ChangeSignature  = "signature" // an earlier signature, or a further one that must not be or is not well made
	ChangeMetadata   = "metadata"
	ChangeRemoved    = "removed"
	ChangeObject     = "object"
	ChangeHidden     = "hidden" // an object that nothing refers to, or that was referred to before it was there
	ChangeCertified  = "certified"
	ChangeLocked     = "locked"
)

// Limits of a comparison. Honest updates touch tens of objects.
const (
	maxTouched         = 2_000_000 // objects in later sections
	maxCompareDepth    = 100       // nesting of direct objects
	maxClosure         = 20_000    // steps through what a new appearance reaches
	maxChangesListed   = 200
	maxPageSearch      = 100_000   // page tree nodes visited to give a page its number
	maxNamedPages      = 2000      // pages searched to name the page on which a changed object shows
	maxPreparedObjects = 3_000_000 // objects searched for references to nothing
)

// Compare lists what after, a later state of the same file, changed in before, which must be a prefix of it (see
// Document.Prefix). It follows the later cross-reference sections and touches only the objects in them and what
// those reach, except that objects which did not exist before are searched for in all of before: a reference that
// dangled at signing is how content is prepared to appear later.
//
// Only what is understood is permitted, and only where the document's certification (DocMDP) and field locks let it:
//
//	                            not certified   P=1   P=2   P=3
//	further signature           yes             no    no    yes
//	existing field signed       yes             no    yes   yes
//	parts of a straddle seal    yes             no    no    yes
//	document time stamp, DSS    yes             yes   yes   yes
//	form filled                 no              no    yes   yes
//	metadata                    yes             no    yes   yes
//
// Filling a form changes what the pages show, so it needs an author who said that it may be filled. Annotations are
// not permitted at any level: those that show change what is displayed, and those that do not can act or come to show.
// Objects written again with the same value are no change. Everything else is not permitted, also what is merely
// unknown.
//
// The error is a fault of the reader or the context's: then nothing is known, and the caller must not assume that
// nothing was changed.
func Compare(ctx context.Context, before, after *Document) ([]Change, error) {
	return new(Comparer).Compare(ctx, before, after)
}

// Comparer compares the revisions of one file, each with the next, from the oldest. What it learns from the first is
// kept: references are searched through once, and then followed from change to change.
type Comparer struct {
	searched bool
	usage    usage
	// The permissions of the document of knownSize bytes.
	known       bool
	knownSize   int64
	permissions permissions
	// covered are the places of signatures and seals that were added, by page, in the units of the page.
	covered map[Ref][]Rect
}

// Compare is as the function Compare. The documents must be prefixes of the same file, in rising order.
func (k *Comparer) Compare(ctx context.Context, before, after *Document) ([]Change, error) {
	c := &comparison{ctx: ctx, comparer: k, before: before, after: after, touched: map[int]*touch{}, fresh: map[int]bool{},
		vetted: map[int]bool{}, entered: map[int]bool{}, slots: map[slot]int{}, pages: map[int]bool{}, gained: map[int][]Ref{},
		pictures: map[Ref]bool{}}
	if err := c.run(); err != nil {
		return nil, err
	}
	// What is refused comes first, and stays in a list that has to be cut.
	changes := append(c.refused, c.permitted...)
	return changes[:min(len(changes), maxChangesListed)], nil
}

// comparison is the state of one Compare.
type comparison struct {
	ctx           context.Context
	comparer      *Comparer
	before, after *Document

	refused, permitted []Change
	changed            []*touch // existed before, and is different now
	touched            map[int]*touch
	fresh              map[int]bool // numbers that came with the later sections
	vetted             map[int]bool // changed or fresh numbers that a permitted change accounts for
	entered            map[int]bool // new numbers that closure has visited
	slots              map[slot]int // where changed objects that are accounted for stand

	pages    map[int]bool  // pages that were compared
	gained   map[int][]Ref // new annotations, and the pages that they were put on
	widgets  []*newWidget  // of new signatures
	parts    []sealPart    // new annotations that may be parts of a seal
	pictures map[Ref]bool  // what the appearances of new signatures draw
	signed   []Dict        // fields that were added or filled
	// What the form gained: names among its default resources, and a default appearance.
	formNames   []Name
	formDefault bool
	isWidget    map[Ref]bool // the widgets of new signatures, by reference

	lists map[Ref]map[Ref]bool // fields in the lists of other fields, and in that of the form (zero)

	counter         *pageCounter // of the later document
	rights          *permissions // of the earlier document, once they were asked for
	where, whereNow *whereabouts // in the earlier and the later document, made when a change has to be named
}

// slot is a place that holds a reference: a key of an object, of the trailer (0), or deeper below, with dots.
type slot struct {
	holder int
	key    Name
}

// touch is an object in the later sections that has another value than before.
type touch struct {
	ref     Ref
	was, is Object
}

func (c *comparison) run() error {
	later, ok := c.laterSections()
	if !ok {
		return nil
	}
	if len(later) == 0 {
		return nil
	}
	if err := c.compareSections(later); err != nil {
		return err
	}
	if err := c.collect(later); err != nil {
		return err
	}
	for _, step := range []func() error{
		c.compareTrailers, c.compareCatalogs, c.fillings, c.comparePages, c.placeWidgets, c.placeParts, c.leftovers,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if len(c.refused) == 0 {
		if err := c.accountForBytes(later); err != nil {
			return err
		}
	}
	if len(c.fresh)+len(c.changed) > 0 && len(c.refused) == 0 {
		if err := c.prepared(); err != nil {
			return err
		}
	}
	return c.carry()
}

// refuse records a change that is not permitted. A page that is not known is looked for by the object.
func (c *comparison) refuse(kind string, ref Ref, page int, zh, en string) {
	if len(c.refused) < maxChangesListed {
		c.refused = append(c.refused, Change{Kind: kind, Page: page, Object: ref, ZH: zh, EN: en})
	}
}

// permit records a change that is in order in itself, if the certification and the locks of the earlier document let
// it. field is the full name of the form field that it concerns, if any. Beyond the limit permitted changes are not
// listed any more; what is refused always is.
func (c *comparison) permit(ch Change, field string) error {
	rights, err := c.permissions()
	if err != nil {
		return err
	}
	if kind, zh, en := rights.forbid(ch.Kind, field); kind != "" {
		c.refuse(kind, ch.Object, ch.Page, zh+ch.ZH, en+ch.EN)
		return nil
	}
	ch.Permitted = true
	if len(c.permitted) < maxChangesListed {
		c.permitted = append(c.permitted, ch)
	}
	return nil
}

// account marks the object that holds a compared value as explained: the object where the value stood before, or a
// new one. A reference to another object that existed before explains nothing about that object. An object that
// changed is remembered with its place: it must not stand anywhere else, see shared.
func (c *comparison) account(at slot, old, now Object) {
	ref, ok := now.(Ref)
	switch {
	case !ok:
	case c.fresh[ref.Num]:
		c.vetted[ref.Num] = true
	case old == now:
		c.vetted[ref.Num] = true
		if c.touched[ref.Num] != nil {
			c.slots[at] = ref.Num
		}
	}
}

// laterSections gives the cross-reference sections that after has and before has not, newest first. The rest must be
// before's sections, all of them: a later section that points around the signed one would take away or exchange
// objects without naming them (incremental saving attack, trailer that points back).
func (c *comparison) laterSections() ([]Section, bool) {
	old, all := c.before.sections, c.after.sections
	n := len(all) - len(old)
	structural := n >= 0 && c.before.bias == c.after.bias // another bias would give every old entry another object
	for i := 0; structural && i < len(old); i++ {
		structural = all[n+i].start == old[i].start && all[n+i].kind == old[i].kind
	}
	for i := 0; structural && i < n; i++ {
		structural = all[i].start >= c.before.Size()
	}
	if !structural {
		c.refuse(ChangeStructure, Ref{}, 0,
			"后来的交叉引用表绕过了盖章时的版本，或指回更早的内容。",
			"A later cross-reference does not build on the signed revision, or points back before it.")
		return nil, false
	}
	return c.after.newest(n), true
}

// trailerFree are the trailer entries that may differ: they describe the cross-reference itself.
var trailerFree = []Name{"Size", "Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms"}

func (c *comparison) compareTrailers() error {
	b, a := c.before.Trailer(), c.after.Trailer()
	for _, e := range union(b, a) {
		key, old, now := e.key, e.was, e.is
		if key == "Info" || slices.Contains(trailerFree, key) {
			continue
		}
		if key == "ID" && sameFirstID(old, now) {
			continue
		}
		if !equalDirect(old, now, maxCompareDepth) {
			c.refuse(ChangeStructure, Ref{}, 0, fmt.Sprintf("文件尾的 /%s 被改换。", printable(key)),
				fmt.Sprintf("The trailer's /%s was exchanged.", printable(key)))
		}
	}
	was, _ := b.Get("Size").(Integer)
	is, _ := a.Get("Size").(Integer)
	if is < was {
		c.refuse(ChangeStructure, Ref{}, 0, "文件尾的 /Size 变小，部分对象被隐去。",
			"The trailer's /Size became smaller, which hides objects.")
	}
	return c.compareInformation(b.Get("Info"), a.Get("Info"))
}

// sameFirstID reports whether two file identifiers have the same first half: the second changes with every save
// (ISO 32000-1, 14.4).
func sameFirstID(a, b Object) bool {
	x, ok1 := a.(Array)
	y, ok2 := b.(Array)
	return ok1 && ok2 && len(x) == 2 && len(y) == 2 && equalDirect(x[0], y[0], 1)
}

// collect compares every object that the later sections name with what it was.
func (c *comparison) collect(later []Section) error {
	numbers, err := c.touchedNumbers(later)
	if err != nil {
		return err
	}
	for _, num := range numbers {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := c.compareNumber(num); err != nil {
			return err
		}
	}
	return nil
}

// touchedNumbers gives every object number that the later sections name, each once, in rising order.
func (c *comparison) touchedNumbers(later []Section) ([]int, error) {
	var numbers []int
	for _, s := range later {
		err := s.Objects(c.ctx, func(e XrefEntry) error {
			if len(numbers) == maxTouched {
				return errTooLarge.With("%d", maxTouched)
			}
			numbers = append(numbers, e.Num)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// inUse gives the entry of an object number and whether there is an object.
func inUse(d *Document, num int) (XrefEntry, bool, error) {
	e, ok, err := d.Entry(num)
	return e, ok && e.State != Free, err
}

// compareNumber compares what one object number means in both documents.
func (c *comparison) compareNumber(num int) error {
	was, existed, err := inUse(c.before, num)
	if err != nil {
		return err
	}
	is, exists, err := inUse(c.after, num)
	if err != nil {
		return err
	}
	switch {
	case !existed && !exists:
		return nil
	case !existed:
		c.fresh[num] = true
		return nil
	case !exists:
		c.refuse(ChangeRemoved, Ref{num, was.Gen}, c.pageOf(num),
			fmt.Sprintf("对象 %d 被删除。", num), fmt.Sprintf("Object %d was removed.", num))
		return nil
	case was.Gen != is.Gen:
		c.refuse(ChangeObject, Ref{num, is.Gen}, c.pageOf(num),
			fmt.Sprintf("对象 %d 换了代号，原来的引用失效。", num),
			fmt.Sprintf("Object %d changed its generation, so that references to it fail.", num))
		return nil
	}
	old, err := c.before.Object(Ref{num, was.Gen})
	if err != nil {
		return err
	}
	now, err := c.after.Object(Ref{num, is.Gen})
	if err != nil {
		return err
	}
	same, err := c.equal(old, now)
	if err != nil {
		return err
	}
	if !same {
		t := &touch{Ref{num, is.Gen}, old, now}
		c.changed = append(c.changed, t)
		c.touched[num] = t
	}
	return nil
}
