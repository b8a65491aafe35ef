package issuance

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"yinxin/ca/enroll"
	"yinxin/ca/number"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Applicant is who asks, for what, and why. All of it is kept sealed.
type Applicant struct {
	Name     string `json:"name"`
	Identity string `json:"identity"` // 身份证号
	Purpose  string `json:"purpose"`  // 用途, printed on the note
	Sought   string `json:"sought"`   // what is sought
}

// Masked is the applicant as lists and paper show them.
func (a Applicant) Masked() Applicant {
	a.Name, a.Identity = maskName(a.Name), number.MaskIdentity(a.Identity)
	return a
}

// String is masked; GoString and LogValue keep %#v and loggers from showing more.
func (a Applicant) String() string { return maskName(a.Name) + " " + number.MaskIdentity(a.Identity) }

// GoString is String.
func (a Applicant) GoString() string { return a.String() }

// LogValue is String.
func (a Applicant) LogValue() slog.Value { return slog.StringValue(a.String()) }

func maskName(name string) string {
	runes := []rune(name)
	if len(runes) == 0 {
		return ""
	}
	return string(runes[:1]) + strings.Repeat("*", max(1, min(len(runes)-1, 4)))
}

// Bounds of texts, in characters.
const (
	maxName    = 50
	maxPurpose = 60
	maxSought  = 500
	maxOrgan   = 200
)

// oneLine is a text of one line, not empty, of at most so many characters.
func oneLine(s string, most int) bool {
	return strings.TrimSpace(s) == s && s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= most &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}

// checked gives the applicant with the identity number as it is written, or says what is wrong; never with the number.
func (s *Service) checked(a Applicant) (Applicant, error) {
	for _, f := range []struct {
		name, text string
		most       int
	}{{"name", a.Name, maxName}, {"purpose", a.Purpose, maxPurpose}, {"sought", a.Sought, maxSought}} {
		if !oneLine(f.text, f.most) {
			return a, errRequest.At(fault.Field(f.name)).With("1-%d", f.most)
		}
	}
	// It is printed, and shown to whoever holds the paper.
	if enroll.CheckReason(a.Purpose) != nil {
		return a, errRequest.At(fault.Field("purpose"))
	}
	a.Identity = number.Normal(a.Identity)
	if _, err := number.Identity(a.Identity, s.Clock()); err != nil {
		if f, ok := fault.Of(err); ok {
			return a, f.At(fault.Field("identity"))
		}
		return a, err
	}
	return a, nil
}

func applicantContext(id string) []string { return []string{"issuance_case", id, "sealed"} }

func paperContext(id string) []string { return []string{"issuance_copy", id, "sealed"} }

// seal keeps a value under the safe.
func (s *Service) seal(v any, context []string) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return s.Safe.Seal(plain, context...)
}

// open gives a value that seal kept. Errors: issuance.altered, those of the safe.
func (s *Service) open(sealed []byte, v any, context []string) error {
	plain, err := s.Safe.Open(sealed, context...)
	if err != nil {
		return err
	}
	defer clear(plain)
	if json.Unmarshal(plain, v) != nil {
		return errAltered.New() // the cause could quote what is personal
	}
	return nil
}

// Applicant shows who asks, unmasked, to people of the two archives, for a reason, which goes into the ledger. Errors:
// issuance.not-found, enroll.reason, enroll.personal-data.
func (s *Service) Applicant(ctx context.Context, by access.Actor, id, reason string) (a Applicant, err error) {
	if err := enroll.CheckReason(reason); err != nil {
		return Applicant{}, err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		r, _, err := s.find(ctx, tx, by, id)
		if err != nil {
			return err
		}
		if err := s.open(r.sealed, &a, applicantContext(r.ID)); err != nil {
			return err
		}
		return s.record(ctx, tx, "issuance.unmasked", by, r.ID, map[string]string{"reason": reason})
	})
	return a, err
}

var _ enroll.Resealer = (*Service)(nil)

// Stale implements enroll.Resealer.
func (s *Service) Stale(ctx context.Context, q store.Querier, head []byte) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM issuance_case WHERE substr(sealed, 1, 5) <> $1)
		+ (SELECT COUNT(*) FROM issuance_copy WHERE substr(sealed, 1, 5) <> $1)`, head).Scan(&n)
	return n, err
}

// Reseal implements enroll.Resealer.
func (s *Service) Reseal(ctx context.Context, head []byte, limit int) (done int, err error) {
	for _, t := range []struct {
		find, read, write string
		context           func(string) []string
	}{
		{`SELECT id FROM issuance_case WHERE substr(sealed, 1, 5) <> $1 ORDER BY id LIMIT $2`, `SELECT sealed FROM issuance_case WHERE id = $1`,
			`UPDATE issuance_case SET sealed = $2 WHERE id = $1`, applicantContext},
		{`SELECT id FROM issuance_copy WHERE substr(sealed, 1, 5) <> $1 ORDER BY id LIMIT $2`, `SELECT sealed FROM issuance_copy WHERE id = $1`,
			`UPDATE issuance_copy SET sealed = $2 WHERE id = $1`, paperContext},
	} {
		list, err := store.Column[string](s.DB.Read().QueryContext(ctx, t.find, head, limit-done))
		if err != nil {
			return done, err
		}
		for _, id := range list {
			err := s.DB.Write(ctx, func(tx *store.Tx) error {
				var sealed []byte
				if err := tx.QueryRowContext(ctx, t.read, id).Scan(&sealed); err != nil {
					return err
				}
				fresh, err := enroll.Anew(s.Safe, sealed, t.context(id))
				if err != nil {
					return err
				}
				_, err = tx.ExecContext(ctx, t.write, id, fresh)
				return err
			})
			if err != nil {
				return done, err
			}
			done++
		}
	}
	return done, nil
}
