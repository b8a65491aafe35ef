package api

import (
	"strings"
	"testing"

	"yinxin/internal/store"
)

func TestListenersAreShownWithTheSealsThatTheyServe(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	b.openAs(w, "administrator", "/admin/listeners", 1024, 768)
	b.screenshot("admin-listeners")
	if said := b.text("[data-listeners]"); strings.Count(said, "政务外网") != 2 || !strings.Contains(said, "必须出示（mTLS）") || !strings.Contains(said, "未加密") {
		t.Error(said)
	}
	// The menu of an administrator keeps to one line, in both languages.
	for _, language := range []string{"zh", "en"} {
		b.openAs(w, "administrator", "/admin/listeners?lang="+language, 1024, 768)
		b.screenshot("admin-menu-" + language)
		if high := evaluate[float64](b, `document.querySelector("header.bar").getBoundingClientRect().height`); high > 70 {
			t.Errorf("%s: the header is %.0f px high", language, high)
		}
	}
	page := func(query string) string {
		return string(w.call("", "GET", "/admin/listeners"+query, nil, "Cookie: "+w.signIn("auditor"), "Accept-Language: zh").is(200).body)
	}
	if csv := page("?format=csv"); !strings.Contains(csv, "10.0.0.5:443、0.0.0.0:443、127.0.0.1:8470") || !strings.Contains(csv, "未登记（不限）") {
		t.Error(csv)
	}
	must(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE seal SET networks = 'government-network' WHERE code = $1`, sealCode)
		return err
	}))
	if csv := page("?format=csv"); !strings.Contains(csv, "政务外网") || !strings.Contains(csv, "10.0.0.5:443、127.0.0.1:8470") {
		t.Error(csv)
	}
	if list := page("?network=internet"); strings.Contains(list, sealCode) {
		t.Error(list)
	}
	if list := page("?network=government-network&text=" + sealCode); !strings.Contains(list, sealCode) {
		t.Error(list)
	}
}
