package issuance

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Reference names a file of an archive (DA/T 13): its number and what that is made of. A file that is arranged by items
// has no 案卷号, one that is arranged by volumes may have no 件号.
type Reference struct {
	Fonds  string `json:"fonds"`  // 全宗号
	File   string `json:"file"`   // 案卷号
	Item   string `json:"item"`   // 件号
	Pages  int    `json:"pages"`  // 页数, of the copy
	Number string `json:"number"` // 档号
}

// Bounds of a reference.
const (
	maxFonds     = 12
	maxOrdinal   = 8
	maxReference = 80
	maxPages     = 500
)

// check says what is wrong with a reference.
func (r Reference) check() error {
	bad := func(field, zh, en string) error { return errReference.Saying(zh, en).At(fault.Field(field)) }
	plain := func(s string, most int) bool {
		return len(s) <= most && !strings.ContainsFunc(s, func(c rune) bool {
			return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
		})
	}
	switch {
	case r.Fonds == "" || !plain(r.Fonds, maxFonds):
		return bad("fonds", "全宗号为字母或数字", "letters and digits")
	case r.File == "" && r.Item == "":
		return bad("file", "案卷号、件号至少填一项", "one of file and item is needed")
	case !plain(r.File, maxOrdinal):
		return bad("file", "案卷号为字母或数字", "letters and digits")
	case !plain(r.Item, maxOrdinal):
		return bad("item", "件号为字母或数字", "letters and digits")
	case r.Pages < 1 || r.Pages > maxPages:
		return bad("pages", "1 至 500 页", "1 to 500 pages")
	case !utf8.ValidString(r.Number) || utf8.RuneCountInString(r.Number) > maxReference || strings.ContainsFunc(r.Number, func(c rune) bool {
		return c != '-' && c != '.' && c != '·' && !unicode.Is(unicode.Han, c) && !plain(string(c), 4)
	}):
		return bad("number", "档号由字母、数字、汉字和“-”“·”“.”组成", "letters, digits, Chinese characters, hyphens and dots")
	}
	// The parts stand in the number in their order: fonds first, item last.
	elements := strings.FieldsFunc(r.Number, func(c rune) bool { return c == '-' || c == '.' || c == '·' })
	switch {
	case len(elements) < 2 || elements[0] != r.Fonds:
		return bad("number", "档号以全宗号开头", "the number begins with the fonds")
	case r.Item != "" && elements[len(elements)-1] != r.Item:
		return bad("number", "档号以件号结尾", "the number ends with the item")
	case r.Item == "" && elements[len(elements)-1] != r.File, r.File != "" && !contains(elements, r.File):
		return bad("number", "档号中没有案卷号", "the number does not hold the file")
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// Answer is what the holding archive says.
type Answer struct {
	Result    Result
	Reason    string    // of Missing and Closed
	Reference Reference // of Held
}

// Answer answers a request; until the copy is composed a found one can be answered anew, where number or pages were wrong.
// Errors: issuance.answer, issuance.reference, enroll.reason, issuance.not-found, issuance.side, issuance.state.
func (s *Service) Answer(ctx context.Context, by access.Actor, id string, a Answer) (Case, error) {
	state := Declined
	switch a.Result {
	case Held:
		state = Found
		if a.Reason != "" {
			return Case{}, errAnswer.At(fault.Field("reason"))
		}
		if err := a.Reference.check(); err != nil {
			return Case{}, err
		}
	case Missing, Closed:
		if a.Reference != (Reference{}) {
			return Case{}, errAnswer.At(fault.Field("reference"))
		}
		if err := enroll.CheckReason(a.Reason); err != nil {
			return Case{}, err
		}
	default:
		return Case{}, errAnswer.At(fault.Field("result"))
	}
	return s.step(ctx, by, id, atHolding, []State{Requested, Found}, func(tx *store.Tx, r row) error {
		now := store.Time(s.Clock())
		answered, closed := now, any(nil)
		if !r.AnsweredAt.IsZero() {
			answered = store.Time(r.AnsweredAt) // the term was kept, or not, by the first answer
		}
		if state == Declined {
			closed = now
		}
		_, err := tx.ExecContext(ctx, `UPDATE issuance_case SET state = $2, result = $3, reason = $4, answered_at = $5, answered_by = $6,
			fonds = $7, file = $8, item = $9, pages = $10, reference = $11, closed_at = $12 WHERE id = $1`,
			id, string(state), string(a.Result), a.Reason, answered, by.ID, a.Reference.Fonds, a.Reference.File, a.Reference.Item, a.Reference.Pages, a.Reference.Number, closed)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, EventAnswered, by, id, map[string]string{"result": string(a.Result)})
	})
}
