package escrow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
)

func TestAKeyIsFoundByCertificateAndByHolder(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.established()
		_, err := w.access.CreateActor(ctx, access.Actor{ID: "user-ouyang", Name: "欧阳永叔"})
		must(t, err)
		first := w.issue("王五")
		w.pass(time.Second)
		second := w.issue("ouyang")
		w.pass(time.Second)
		namesake := w.issue("王五")
		serial := func(p person) string { return ca.SerialText(p.encryption.Serial) }
		for name, c := range map[string]struct {
			search escrow.Search
			want   []string
		}{
			"its encryption certificate":            {escrow.Search{Certificate: serial(second)}, []string{second.id}},
			"in capitals, without leading zeros":    {escrow.Search{Certificate: " " + strings.ToUpper(strings.TrimLeft(serial(second), "0"))}, []string{second.id}},
			"the holder's signing certificate":      {escrow.Search{Certificate: ca.SerialText(first.signing.Serial)}, []string{first.id}},
			"the whole name of two people":          {escrow.Search{Holder: "王五"}, []string{namesake.id, first.id}},
			"the name and a certificate":            {escrow.Search{Holder: "王五", Certificate: serial(first)}, []string{first.id}},
			"the actor":                             {escrow.Search{Holder: "user-ouyang"}, []string{second.id}},
			"the actor's name":                      {escrow.Search{Holder: "欧阳永叔"}, []string{second.id}},
			"part of the organisation's name":       {escrow.Search{Holder: "市档案"}, []string{namesake.id, second.id, first.id}},
			"another's name with a certificate":     {escrow.Search{Holder: "ouyang", Certificate: serial(first)}, nil},
			"part of a person's name":               {escrow.Search{Holder: "ouyan"}, nil},
			"a pattern":                             {escrow.Search{Holder: "某%馆"}, nil},
			"a pattern of single characters":        {escrow.Search{Holder: "某_市"}, nil},
			"a serial number that nothing has":      {escrow.Search{Certificate: "abc"}, nil},
			"what is no serial number":              {escrow.Search{Certificate: "王五"}, nil},
			"a serial number of endless length":     {escrow.Search{Certificate: strings.Repeat("1", 1<<20)}, nil},
			"a certificate that is no person's key": {escrow.Search{Certificate: w.serviceSerial()}, nil},
		} {
			list, err := w.Find(ctx, c.search)
			if c.want == nil {
				wantCode(t, err, escrow.ErrNotFound)
				continue
			}
			var got []string
			for _, e := range list {
				got = append(got, e.ID)
				if strings.ContainsAny(e.Name, "五uyang") {
					t.Errorf("%s: the name stands there: %s", name, e.Name)
				}
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v, %v", name, got, c.want, err)
			}
		}
		// What cannot be recovered is not offered.
		w.pass(second.encryption.NotAfter.AddDate(escrow.DefaultRetention, 0, 0).Sub(w.time()) + time.Second)
		must(t, w.Destroy(ctx, w.approve(access.KindDestroyKey, escrow.DestroySubject(second.id)), second.id))
		_, err = w.Find(ctx, escrow.Search{Certificate: serial(second)})
		wantCode(t, err, escrow.ErrNotFound)
	})
}

// serviceSerial is the serial number of a certificate of the authority's own services.
func (w *world) serviceSerial() (serial string) {
	w.t.Helper()
	must(w.t, w.db.Read().QueryRowContext(w.t.Context(), `SELECT MIN(serial) FROM ca_certificate WHERE profile = 'tsa'`).Scan(&serial))
	return serial
}
