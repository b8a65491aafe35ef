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

// The kinds of changes.
const (
	ChangeSignatureAdded  = "signature-added"  // a further signature field with its signature: permitted
	ChangeSignatureFilled = "signature-filled" // an empty signature field was signed: permitted
	ChangeStructure       = "structure"        // cross-reference or trailer
	ChangeCatalog         = "catalog"
	ChangePageTree        = "page-tree"
	ChangePage            = "page"
	ChangeContent         = "content" // something that a page shows
	ChangeAnnotation      = "annotation"
	ChangeForm            = "form"
	ChangeSignature       = "signature" // an earlier signature, or a further one that must not be or is not well made
	ChangeMetadata        = "metadata"
	ChangeRemoved         = "removed"
	ChangeObject          = "object"
	ChangeHidden          = "hidden" // an object that nothing refers to, or that was referred to before it was there
	ChangeCertified       = "certified"
	ChangeLocked          = "locked"
)

// Limits of a comparison. Honest updates touch tens of objects.
const (
	maxTouched         = 2_000_000 // objects in later sections
	maxCompareDepth    = 100       // nesting of direct objects
	maxClosure         = 20_000    // steps through what a new appearance reaches
	maxChangesListed   = 200
	maxPageSearch      = 100_000   // page tree nodes visited to give a page its number
	maxNamedPages      = 500       // pages searched to name the page on which a changed object shows
	maxPreparedObjects = 3_000_000 // objects searched for references to nothing
)

// Compare lists what after, a later state of the same file, changed in before, which must be a prefix of it (see
// Document.Prefix). It follows the later cross-reference sections and touches only the objects in them and what
// those reach, except that objects which did not exist before are searched for in all of before: a reference that
// dangled at signing is how content is prepared to appear later.
//
// Only what is understood is permitted: a further signature field with its signature, or an existing empty one that
// was signed, where the document's certification (DocMDP) and field locks let it. Objects written again with the same
// value are no change. Everything else is not permitted, also what is merely unknown.
//
// The error is a fault of the reader or the context's: then nothing is known, and the caller must not assume that
// nothing was changed.
func Compare(ctx context.Context, before, after *Document) ([]Change, error) {
	return new(Comparer).Compare(ctx, before, after)
}

// Comparer compares the revisions of one file, each with the next, from the oldest. What it learns from the first is
// kept: references to nothing are searched for once, since a permitted change never brings new ones.
type Comparer struct {
	searched bool
	dangling dangling
	// The permissions of the document of knownSize bytes.
	known       bool
	knownSize   int64
	permissions permissions
}

// Compare is as the function Compare. The documents must be prefixes of the same file, in rising order.
func (k *Comparer) Compare(ctx context.Context, before, after *Document) ([]Change, error) {
	c := &comparison{ctx: ctx, comparer: k, before: before, after: after, fresh: map[int]bool{}, vetted: map[int]bool{},
		entered: map[int]bool{}, widgets: map[int]bool{}, stamps: map[Ref]bool{}}
	if err := c.run(); err != nil {
		return nil, err
	}
	return c.changes, nil
}

// comparison is the state of one Compare.
type comparison struct {
	ctx           context.Context
	comparer      *Comparer
	before, after *Document

	changes []Change
	changed []touch      // existed before, and is different now
	fresh   map[int]bool // numbers that came with the later sections
	vetted  map[int]bool // changed or fresh numbers that a permitted change accounts for
	entered map[int]bool // new numbers that closure has visited
	widgets map[int]bool // widgets of new signatures
	stamps  map[Ref]bool // fields and widgets of document time stamps
	signed  []Dict       // fields that were added or filled
	filled  []string     // names of the fields of ChangeSignatureFilled, in the order of the changes

	pageOf     map[int]int // object number to page, made when a change has to be named
	annotation map[int]bool
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
	c.compareTrailers()
	if err := c.collect(later); err != nil {
		return err
	}
	if err := c.compareCatalogs(); err != nil {
		return err
	}
	if err := c.fillings(); err != nil {
		return err
	}
	if err := c.leftovers(); err != nil {
		return err
	}
	if c.allPermitted() {
		if err := c.accountForBytes(later); err != nil {
			return err
		}
	}
	if len(c.fresh) > 0 && c.allPermitted() {
		if err := c.prepared(); err != nil {
			return err
		}
	}
	return c.enforcePermissions()
}

// refuse records a change that is not permitted.
func (c *comparison) refuse(kind string, ref Ref, page int, zh, en string) {
	if len(c.changes) < maxChangesListed {
		c.changes = append(c.changes, Change{Kind: kind, Page: page, Object: ref, ZH: zh, EN: en})
	}
}

// permit records a permitted change.
func (c *comparison) permit(kind string, ref Ref, page int, zh, en string) {
	if len(c.changes) < maxChangesListed {
		c.changes = append(c.changes, Change{Permitted: true, Kind: kind, Page: page, Object: ref, ZH: zh, EN: en})
	}
}

func (c *comparison) allPermitted() bool {
	return !slices.ContainsFunc(c.changes, func(ch Change) bool { return !ch.Permitted })
}

// laterSections gives the cross-reference sections that after has and before has not, newest first. The rest must be
// before's sections, all of them: a later section that points around the signed one would take away or exchange
// objects without naming them (incremental saving attack, trailer that points back).
func (c *comparison) laterSections() ([]Section, bool) {
	old, all := c.before.Sections(), c.after.Sections()
	n := len(all) - len(old)
	structural := n >= 0
	for i := 0; structural && i < len(old); i++ {
		structural = all[n+i].Start == old[i].Start && all[n+i].Kind == old[i].Kind
	}
	for i := 0; structural && i < n; i++ {
		structural = all[i].Start >= c.before.Size()
	}
	if !structural {
		c.refuse(ChangeStructure, Ref{}, 0,
			"后来的交叉引用表绕过了盖章时的版本，或指回更早的内容。",
			"A later cross-reference does not build on the signed revision, or points back before it.")
		return nil, false
	}
	return all[:n], true
}

// trailerFree are the trailer entries that may differ: they describe the cross-reference itself.
var trailerFree = []Name{"Size", "Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms"}

func (c *comparison) compareTrailers() {
	b, a := c.before.Trailer(), c.after.Trailer()
	for _, key := range unionKeys(b, a) {
		if slices.Contains(trailerFree, key) {
			continue
		}
		old, now := b.Get(key), a.Get(key)
		if key == "ID" && sameFirstID(old, now) {
			continue
		}
		if !equalDirect(old, now, maxCompareDepth) {
			zh := fmt.Sprintf("文件尾的 /%s 被改换。", printable(key))
			en := fmt.Sprintf("The trailer's /%s was exchanged.", printable(key))
			kind := ChangeStructure
			if key == "Info" {
				kind = ChangeMetadata
			}
			c.refuse(kind, Ref{}, 0, zh, en)
		}
	}
	if key, dup := a.Duplicate(); dup {
		if _, was := b.Duplicate(); !was {
			c.refuse(ChangeStructure, Ref{}, 0,
				fmt.Sprintf("文件尾重复写了 /%s。", printable(key)),
				fmt.Sprintf("The trailer has /%s twice.", printable(key)))
		}
	}
	was, _ := b.Get("Size").(Integer)
	is, _ := a.Get("Size").(Integer)
	if is < was {
		c.refuse(ChangeStructure, Ref{}, 0, "文件尾的 /Size 变小，部分对象被隐去。",
			"The trailer's /Size became smaller, which hides objects.")
	}
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
		c.refuse(ChangeRemoved, Ref{num, was.Gen}, 0,
			fmt.Sprintf("对象 %d 被删除。", num), fmt.Sprintf("Object %d was removed.", num))
		return nil
	case was.Gen != is.Gen:
		c.refuse(ChangeObject, Ref{num, is.Gen}, 0,
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
		c.changed = append(c.changed, touch{Ref{num, is.Gen}, old, now})
	}
	return nil
}
