package escrow

import (
	"context"
	"strings"

	"yinxin/ca"
	"yinxin/internal/fault"
)

// Search says which keys are looked for; what is empty does not narrow it.
type Search struct {
	// Certificate is the serial number, in hexadecimal digits, of an encryption certificate, or of the signing certificate
	// that its holder has beside it.
	Certificate string
	// Holder is the whole name of a person, the actor under which that person acts, or a part of the organisation's name. A
	// part of a person's name finds nobody: lists mask names, and are not to be asked for them letter by letter.
	Holder string
}

// Find gives the keys that can be recovered and fit, the newest first, MaxList at most. Error: escrow.not-found where there
// is none, also for a serial number that is none.
func (c *Centre) Find(ctx context.Context, f Search) ([]Entry, error) {
	serial := ""
	if f.Certificate != "" {
		number, err := ca.ParseSerial(strings.TrimSpace(f.Certificate))
		if err != nil {
			return nil, ErrNotFound.At(fault.Field("certificate"))
		}
		serial = ca.SerialText(number)
	}
	holder := strings.TrimSpace(f.Holder)
	list, err := c.entries(ctx, `state IN ('escrowed', 'delivered', 'confirmed')
		AND ($1 = '' OR public_key = (SELECT e.public_key FROM ca_certificate e WHERE e.serial = $1 AND e.profile = 'encryption' AND e.state = 'issued')
			OR signing_key = (SELECT e.public_key FROM ca_certificate e WHERE e.serial = $1 AND e.profile <> 'encryption' AND e.state = 'issued'))
		AND ($2 = '' OR holder = $2 OR holder IN (SELECT a.id FROM access_actor a WHERE a.name = $2)
			OR serial IN (SELECT e.serial FROM ca_certificate e WHERE e.profile = 'encryption' AND (e.common_name = $2 OR e.organisation LIKE $3 ESCAPE '!')))
		ORDER BY created DESC, id LIMIT $4`, serial, holder, "%"+literally(holder)+"%", MaxList)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound.New()
	}
	return list, nil
}

// literally is a text for LIKE … ESCAPE '!'.
func literally(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text)
}
