package pdf

import (
	"context"
	"fmt"
	"strings"

	"yinxin/internal/fault"
)

// FieldLock locks form fields from a signature on (ISO 32000-2, 12.8.2.4).
type FieldLock struct {
	Action LockAction
	// Fields are full names; the name of a field that has others below it covers those too. None for LockAll.
	Fields []string
}

// LockAction says which fields a lock covers.
type LockAction string

const (
	LockAll     LockAction = "All"
	LockInclude LockAction = "Include" // those that are named
	LockExclude LockAction = "Exclude" // all but those
)

func (l FieldLock) check() error {
	bad := errBadRequest.At(fault.Field("lock"))
	size := 0
	for _, f := range l.Fields {
		if f == "" {
			return bad.Saying("有域没有名称", "a field without a name")
		}
		size += len(f)
	}
	if size > 64<<10 {
		return bad.Saying("文字过长", "text too long")
	}
	switch l.Action {
	case LockAll:
		if len(l.Fields) > 0 {
			return bad.Saying("已锁定全部域，不必再列名称", "names, though all fields are locked")
		}
	case LockInclude, LockExclude:
		if len(l.Fields) == 0 {
			return bad.Saying("没有名称", "no names")
		}
	default:
		return bad.With("action %.20q", string(l.Action))
	}
	return nil
}

// checkLock notes the names of a lock that are no field of the document: a slip of the pen leaves open what was to be
// locked. It is no error, since a lock may name fields that are to come.
func (p *plan) checkLock(ctx context.Context) error {
	if p.request.Lock == nil || len(p.request.Lock.Fields) == 0 {
		return nil
	}
	missing := map[string]bool{}
	for _, f := range p.request.Lock.Fields {
		missing[f] = true
	}
	err := p.document.walkFields(ctx, func(n node, _ Dict) error {
		for name := n.name; name != ""; {
			delete(missing, name)
			name = name[:max(0, strings.LastIndexByte(name, '.'))]
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	var names []string
	for _, f := range p.request.Lock.Fields {
		if missing[f] && len(names) < 5 {
			names = append(names, fmt.Sprintf("%.80q", f))
		}
	}
	p.notes = append(p.notes, Note{Code: NoteLockMissing, ZH: "要锁定的表单域在文件中不存在：" + strings.Join(names, "、") + "。",
		EN: "The file has no such field to lock: " + strings.Join(names, ", ") + "."})
	return nil
}

// covers reports whether a lock covers a field by its full name.
func (l FieldLock) covers(name string) bool {
	if l.Action == LockAll {
		return true
	}
	listed := false
	for _, f := range l.Fields {
		if name == f || strings.HasPrefix(name, f) && name[len(f)] == '.' {
			listed = true
		}
	}
	return listed == (l.Action == LockInclude)
}

// readLock reads the parameters of a FieldMDP transform or a lock dictionary, which have the same keys; false when they
// lock nothing. An action that is unknown, or missing, counts as a lock on everything.
func (d *Document) readLock(lock Dict) (FieldLock, bool, error) {
	if lock == nil {
		return FieldLock{}, false, nil
	}
	action, err := d.Resolve(lock.Get("Action"))
	if err != nil {
		return FieldLock{}, false, err
	}
	l := FieldLock{Action: LockAll}
	switch action {
	case Name(LockInclude):
		l.Action = LockInclude
	case Name(LockExclude):
		l.Action = LockExclude
	default:
		return l, true, nil
	}
	o, err := d.Resolve(lock.Get("Fields"))
	if err != nil {
		return l, false, err
	}
	list, _ := o.(Array)
	for _, o := range list {
		if o, err = d.Resolve(o); err != nil {
			return l, false, err
		}
		if s, ok := o.(String); ok {
			l.Fields = append(l.Fields, s.Text())
		}
	}
	return l, true, nil
}

// writeLock writes the entries of a lock.
func (w *writer) writeLock(l *FieldLock) {
	w.text("/Action")
	w.buf = appendName(w.buf, Name(l.Action))
	if l.Action == LockAll {
		return
	}
	w.text("/Fields[")
	for _, f := range l.Fields {
		w.buf = appendText(w.buf, f)
	}
	w.text("]")
}

// writeReferences writes what the signature permits and locks (ISO 32000-2, 12.8.1).
func (p *plan) writeReferences(w *writer) {
	lock := p.request.Lock
	if p.request.Certify == 0 && lock == nil {
		return
	}
	w.text("/Reference[")
	if p.request.Certify > 0 {
		w.text("<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P ")
		w.integer(int64(p.request.Certify))
		w.text("/V/1.2>>>>")
	}
	if lock != nil {
		// FieldMDP names what it is about; DocMDP is about the document.
		w.text("<</Type/SigRef/TransformMethod/FieldMDP/Data ")
		w.text(p.document.root.String())
		w.text("/TransformParams<</Type/TransformParams")
		w.writeLock(lock)
		w.text("/V/1.2>>>>")
	}
	w.text("]")
}

// editPermissions returns the change to the catalog that names the certification (ISO 32000-2, 12.8.6).
func (p *plan) editPermissions(catalog child) ([]edit, error) {
	permissions, err := p.document.child(catalog, "Perms")
	if err != nil {
		return nil, err
	}
	return p.setChild(permissions, "Perms", []edit{{"DocMDP", references(Ref{Num: p.signature})}})
}
