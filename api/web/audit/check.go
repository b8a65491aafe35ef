package audit

import (
	"io"
	"net/http"
	"strings"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
)

var (
	errNoCheckpoint = fault.Spec{Kind: fault.Invalid, Code: "audit.no-checkpoint", ZH: "请粘贴以前保存的检查点，或选择它的文件。", EN: "Paste the checkpoint that was kept, or choose its file."}
	errChecking     = fault.Spec{Kind: fault.Unavailable, Code: "audit.checking", ZH: "正在为另一位审计员逐条核验，请稍后再试。", EN: "The whole ledger is being checked for another auditor; try again later."}
)

// checkPage is the newest checkpoint and what became of the comparison.
type checkPage struct {
	Newest ledger.Checkpoint
	Root   string
	Pasted string
	// Compared is the kept checkpoint held against the newest; nil before it was asked for.
	Compared *ledger.Comparison
	// Restore explains what the comparison misses.
	Restore *ca.Restore
	// Whole is the result of going through all entries, which was asked for with it.
	Whole *ledger.VerifyResult
}

// Holds says whether everything that was looked at is right.
func (c checkPage) Holds() bool {
	return c.Compared != nil && c.Compared.Problem == nil && (c.Whole == nil || c.Whole.OK())
}

func (p pages) ask(q *web.Request) error { return p.showCheck(q, checkPage{}, nil) }

func (p pages) showCheck(q *web.Request, c checkPage, problem error) error {
	var err error
	if c.Newest, err = p.Ledger.Checkpoint(q.Context()); err != nil {
		return err
	}
	c.Root = inBase64(c.Newest.Root)
	return q.Show("check", web.Page{Title: titleCheck, Data: c, Problem: problem, Styles: styles})
}

// compare holds a kept checkpoint against the ledger of now.
func (p pages) compare(q *web.Request) error {
	note, whole, err := kept(q)
	c := checkPage{Pasted: note}
	if err == nil {
		err = p.compared(q, &c, note, whole)
	}
	if f, known := fault.Of(err); known && f.Kind != fault.Internal {
		return p.showCheck(q, c, err)
	}
	if err != nil {
		return err
	}
	return p.showCheck(q, c, nil)
}

func (p pages) compared(q *web.Request, c *checkPage, note string, whole bool) error {
	found, err := p.Ledger.Compare(q.Context(), note)
	if err != nil {
		return err
	}
	c.Compared = &found
	if found.Problem != nil && p.Restores != nil {
		restores, err := p.Restores(q.Context())
		if err != nil {
			return err
		}
		for _, r := range restores {
			if r.Forgot(found.Kept) {
				c.Restore = &r
			}
		}
	}
	if !whole {
		return nil
	}
	select {
	case p.whole <- struct{}{}:
		defer func() { <-p.whole }()
	default:
		return errChecking.New()
	}
	var known []ledger.Checkpoint
	if c.Restore == nil {
		known = append(known, found.Kept)
	}
	result, err := p.Ledger.Whole(q.Context(), known...)
	c.Whole = &result
	return err
}

// kept reads the checkpoint of the form, pasted or as a file.
func kept(q *web.Request) (note string, whole bool, err error) {
	if err := q.ParseMultipartForm(64 << 10); err != nil {
		return "", false, errNoCheckpoint.Because(err)
	}
	note, whole = q.PostFormValue("note"), q.PostFormValue("whole") != ""
	if file, _, err := q.FormFile("file"); err == nil {
		defer file.Close()
		data, err := io.ReadAll(io.LimitReader(file, 8<<10))
		if err != nil {
			return "", false, err
		}
		if len(data) > 0 {
			note = string(data)
		}
	} else if err != http.ErrMissingFile {
		return "", false, errNoCheckpoint.Because(err)
	}
	// Forms and editors give lines the ends of Windows, and take the last one off.
	note = strings.TrimRight(strings.TrimPrefix(strings.ReplaceAll(note, "\r\n", "\n"), "\ufeff"), "\n \t")
	if strings.TrimSpace(note) == "" {
		return "", false, errNoCheckpoint.New()
	}
	return strings.TrimLeft(note, "\n \t") + "\n", whole, nil
}
