package api

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"yinxin/ca/enroll"
)

// TestFiguresOfTheOffice says how long the server takes for each page, one request after the other; each has 50 ms. It
// judges nothing: YINXIN_FIGURES=1 go test ./api -run FiguresOfTheOffice -v. The floor beside them is the page of one's own
// account, which reads the session and nothing else.
func TestFiguresOfTheOffice(t *testing.T) {
	if os.Getenv("YINXIN_FIGURES") == "" {
		t.Skip("YINXIN_FIGURES is not set")
	}
	a := newApplicant(t, true)
	d := a.submitted(a.form("new", "central")).examinable()
	d.step("registrar", "examine", nil, enroll.StateExamined)
	for range 200 {
		a.create(a.form("new", "central"))
	}
	one := "/office/applications/" + d.ID
	for _, page := range []struct{ actor, path string }{{"registrar", "/account"}, {"registrar", "/home"}, {"registrar", "/office/applications"}, {"registrar", one}, {"registrar", one + "/imprint"}, {"registrar", one + "/roster"},
		{"approver", "/office/approvals"}, {"approver", "/office/approvals/" + d.Examination}, {"registrar", "/office/certificates"}, {"registrar", "/office/seals"}, {"registrar", "/office/seals/" + sealCode},
		{"registrar", "/office/renewals"}, {"registrar", "/office/suspensions"}, {"city", "/office/batches"}, {"registrar", "/office/units"}, {"registrar", "/office/units/" + a.unit}, {"handler", "/office/applications/new"}} {
		cookie := a.signIn(page.actor)
		result := testing.Benchmark(func(b *testing.B) {
			for range b.N {
				r := httptest.NewRequest(http.MethodGet, page.path, nil)
				r.Header.Set("Cookie", cookie)
				w := httptest.NewRecorder()
				a.server.router.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("%s: %d", page.path, w.Code)
				}
			}
		})
		t.Logf("%-80s %6.2f ms", page.path, float64(result.NsPerOp())/1e6)
	}
}
