package api

import (
	"archive/zip"
	"bufio"
	"bytes"
	big "encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/access"
)

// bodied are the routes of the router that may have a body, with somebody who may call each.
func (w *world) bodied() map[string]rule {
	list := map[string]rule{}
	for _, r := range w.server.rules {
		if r.method != http.MethodGet && r.method != http.MethodDelete && !r.who.terminal {
			list[r.method+" "+r.path] = r
		}
	}
	return list
}

// somebody is one who may call a route.
func (w *world) somebody(route string) string {
	callers, _ := callersOf(route)
	for _, actor := range callers {
		if w.keys[actor] != "" {
			return actor
		}
	}
	return "clerk"
}

// credentials are header fields of somebody who may call a route.
func (w *world) credentials(route string, r rule) string {
	switch {
	case r.who.anyone:
		return ""
	case r.who.page != nil:
		return "Cookie: " + w.signIn(w.somebody(route)) + "\r\n"
	}
	return "Authorization: Bearer " + w.keys[w.somebody(route)] + "\r\n"
}

func mediaFor(path string) string {
	switch {
	case strings.HasPrefix(path, "/v1/documents"), strings.HasSuffix(path, "/pages"), strings.HasSuffix(path, "/receive"), path == "/v1/verifications":
		return "application/pdf"
	case path == "/v1/verifications/certificates":
		return "application/pkix-cert"
	case strings.HasPrefix(path, "/v1/sealed-documents"):
		return "multipart/form-data; boundary=b"
	case strings.HasSuffix(path, "/attachments"), path == "/v1/scans":
		return "image/png"
	case strings.HasSuffix(path, "/roster"):
		return "application/octet-stream"
	case strings.HasPrefix(path, "/v1/agreements"):
		return "text/plain"
	case path == "/ocsp":
		return "application/ocsp-request"
	case path == "/tsa":
		return "application/timestamp-query"
	case strings.HasPrefix(path, "/v1/"):
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// TestNoRouteWaitsForACallerWhoDoesNotGoOn sends a byte to each route that takes a body, and nothing more.
func TestNoRouteWaitsForACallerWhoDoesNotGoOn(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Grace, c.Uploads = 300*time.Millisecond, 1000 })
	routes := w.bodied()
	if len(routes) < 100 {
		t.Fatalf("%d routes", len(routes))
	}
	var all sync.WaitGroup
	for route, r := range routes {
		method, path, _ := strings.Cut(route, " ")
		conn := w.dial(method + " " + strings.NewReplacer("{", "", "}", "").Replace(path) + " HTTP/1.1\r\nHost: yinxin\r\n" + w.credentials(route, r) +
			"Content-Type: " + mediaFor(path) + "\r\nIdempotency-Key: k\r\nIf-Match: \"1\"\r\nContent-Length: 60000\r\n\r\n{")
		all.Go(func() {
			defer conn.Close()
			if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Error(err)
				return
			}
			in := bufio.NewReader(conn)
			a, err := http.ReadResponse(in, nil)
			if err != nil && strings.Contains(err.Error(), "reset") {
				return // the answer was lost with the byte that nobody read
			}
			if err != nil {
				t.Errorf("%s: %v", route, err)
				return
			}
			_, err = io.Copy(io.Discard, a.Body)
			if a.StatusCode < 400 && a.StatusCode != http.StatusSeeOther || a.StatusCode == http.StatusInternalServerError || err != nil {
				t.Errorf("%s: %d %v", route, a.StatusCode, err)
			}
			if _, err := in.ReadByte(); err != io.EOF && !strings.Contains(fmt.Sprint(err), "reset") {
				t.Errorf("%s: the connection stays open: %v", route, err)
			}
		})
	}
	all.Wait()
	if left := w.kept("scratch"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// endless gives bytes for ever, and counts them.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.n += int64(len(p))
	return len(p), nil
}

// TestNoRouteTakesABodyWithoutEnd sends more and more to each route, without saying how much.
func TestNoRouteTakesABodyWithoutEnd(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxUpload, c.MaxVerify = 1<<20, 1<<20 })
	for route, r := range w.bodied() {
		method, path, _ := strings.Cut(route, " ")
		body := &endless{}
		q := got(http.NewRequestWithContext(t.Context(), method, w.http.URL+strings.NewReplacer("{", "", "}", "").Replace(path), body))(t)
		name, value, _ := strings.Cut(strings.TrimSpace(w.credentials(route, r)), ": ")
		if name != "" {
			q.Header.Set(name, value)
		}
		for field, value := range map[string]string{"Content-Type": mediaFor(path), "Idempotency-Key": "k", "If-Match": `"1"`} {
			q.Header.Set(field, value)
		}
		a, err := w.http.Client().Do(q)
		if err != nil { // it was cut while it was sent
			if body.n > 100<<20 {
				t.Errorf("%s: %d MB went: %v", route, body.n>>20, err)
			}
			continue
		}
		_, _ = io.Copy(io.Discard, a.Body)
		must(t, a.Body.Close())
		if a.StatusCode < 300 || a.StatusCode == http.StatusInternalServerError || body.n > 100<<20 {
			t.Errorf("%s: %d after %d MB", route, a.StatusCode, body.n>>20)
		}
	}
	if left := append(w.kept("files"), w.kept("scratch")...); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bombs are small files that want to be large, by media type.
func bombs(t *testing.T) map[string][]byte {
	t.Helper()
	packed := fixtures.Zeros(1 << 10)
	chunk := func(kind string, data []byte) []byte {
		b := big.BigEndian.AppendUint32(nil, uint32(len(data)))
		b = append(append(b, kind...), data...)
		return big.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	header := append(big.BigEndian.AppendUint32(big.BigEndian.AppendUint32(nil, 30000), 30000), 8, 2, 0, 0, 0)
	picture := slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", header), chunk("IDAT", packed), chunk("IEND", nil))

	var tiff bytes.Buffer
	entry := func(tag, kind uint16, n, value uint32) {
		for _, v := range []any{tag, kind, n, value} {
			must(t, big.Write(&tiff, big.LittleEndian, v))
		}
	}
	tiff.WriteString("II*\x00\x08\x00\x00\x00\x09\x00")
	const data = 8 + 2 + 9*12 + 4
	for _, e := range [][4]uint32{{256, 4, 1, 30000}, {257, 4, 1, 30000}, {258, 3, 1, 8}, {259, 3, 1, 8}, {262, 3, 1, 1}, {273, 4, 1, data}, {277, 3, 1, 1}, {278, 4, 1, 30000},
		{279, 4, 1, uint32(len(packed))}} {
		entry(uint16(e[0]), uint16(e[1]), e[2], e[3])
	}
	tiff.Write([]byte{0, 0, 0, 0})
	tiff.Write(packed)

	// Object stream, cross-reference stream, and a scanned page, all of a gigabyte.
	var pdf bytes.Buffer
	offsets := []int{}
	object := func(text string, stream []byte) {
		offsets = append(offsets, pdf.Len())
		fmt.Fprintf(&pdf, "%d 0 obj\n%s", len(offsets), text)
		if stream != nil {
			fmt.Fprintf(&pdf, "\nstream\n%s\nendstream", stream)
		}
		pdf.WriteString("\nendobj\n")
	}
	pdf.WriteString("%PDF-1.7\n")
	object("<</Type/Catalog/Pages 2 0 R>>", nil)
	object("<</Type/Pages/Kids[3 0 R]/Count 1>>", nil)
	object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I 4 0 R>>>>/Contents 5 0 R>>", nil)
	object(fmt.Sprintf("<</Type/XObject/Subtype/Image/Width 30000/Height 30000/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode/Length %d>>", len(packed)), packed)
	object(fmt.Sprintf("<</Filter/FlateDecode/Length %d>>", len(packed)), packed)
	object(fmt.Sprintf("<</Type/ObjStm/N 1/First 10/Filter/FlateDecode/Length %d>>", len(packed)), packed)
	at := pdf.Len()
	table := make([]byte, 0, 6*8)
	for _, o := range append([]int{0}, offsets...) {
		table = append(table, 1, byte(o>>24), byte(o>>16), byte(o>>8), byte(o), 0)
	}
	table[0] = 0
	table = append(table, 2, 0, 0, 0, 6, 0) // object 7 is in the object stream
	fmt.Fprintf(&pdf, "8 0 obj\n<</Type/XRef/Size 8/W[1 4 1]/Root 1 0 R/Length %d>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", len(table), table, at)
	return map[string][]byte{"image/png": picture, "image/tiff": tiff.Bytes(), "application/pdf": pdf.Bytes()}
}

// TestBombsOverHTTPDoNotUnfold sends files of a few megabytes at most that stand for a gigabyte, wherever files are looked into.
func TestBombsOverHTTPDoNotUnfold(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	quick := func(what string, a answer, statuses ...int) {
		t.Helper()
		if !slices.Contains(statuses, a.status) || a.status == 500 {
			t.Errorf("%s: %d %.400s", what, a.status, a.body)
		}
	}
	started := time.Now()
	for media, bomb := range bombs(t) {
		if len(bomb) > 8<<20 {
			t.Fatalf("%s has %d bytes", media, len(bomb))
		}
		quick("scan "+media, d.call("handler", "POST", "/v1/scans", bytes.NewReader(bomb), "Content-Type: "+media), 200, 400, 413, 415, 422)
		quick("attachment "+media, d.call("handler", "POST", d.path("/attachments?kind=other"), bytes.NewReader(bomb), "Content-Type: "+media, "If-Match: "+d.tag), 201, 400, 413, 415, 422)
		d.look()
	}
	pdf := bombs(t)["application/pdf"]
	doc := d.uploaded("platform", pdf)
	quick("sealing", d.order("platform", "bomb", order(doc.ID)), 201, 400, 413, 422)
	quick("verification", d.call("", "POST", "/v1/verifications", bytes.NewReader(pdf), asPDF), 200)

	var book bytes.Buffer
	z := zip.NewWriter(&book)
	for _, name := range []string{"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"} {
		got(io.CopyN(got(z.Create(name))(t), zero{}, 300<<20))(t)
	}
	must(t, z.Close())
	quick("roster", d.call("handler", "POST", d.path("/roster"), bytes.NewReader(book.Bytes()), "Content-Type: application/octet-stream", "If-Match: "+d.tag), 400, 413, 422)
	if took := time.Since(started); took > 3*time.Minute {
		t.Errorf("took %v", took)
	}
	if left := d.kept("scratch"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestNamesOfFilesLeadNowhere: what callers call their files is a name, in a form, in a header, in an answer and in an archive.
func TestNamesOfFilesLeadNowhere(t *testing.T) {
	w := newWorld(t)
	file := onePage(t)
	for _, name := range []string{"../../../etc/passwd", `..\..\windows\a.pdf`, "/etc/passwd", "..", ".", "a\x00b.pdf", "a\r\nSet-Cookie: x=y.pdf", `a";filename="b.pdf`,
		strings.Repeat("长", 3000) + ".pdf", "\u202Efdp.exe", "C:\\a.pdf", "nul\x7f.pdf", "~/.ssh/id"} {
		var documents []Document
		if !strings.ContainsAny(name, "\x00\r\n\x7f") {
			body := new(bytes.Buffer)
			fmt.Fprintf(body, "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n\r\n%s\r\n--b--\r\n", strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name), file)
			var d Document
			w.call("platform", "POST", "/v1/documents", body, "Content-Type: multipart/form-data; boundary=b").is(201).into(&d)
			documents = append(documents, d)
		}
		var d Document
		w.call("platform", "POST", "/v1/documents", bytes.NewReader(file), asPDF, "X-File-Name: "+url.PathEscape(name)).is(201).into(&d)
		for _, d := range append(documents, d) {
			if d.Name != filepath.Base(d.Name) || strings.ContainsAny(d.Name, "/\\\x00\r\n\x7f") || d.Name == "." || d.Name == ".." || len(d.Name) > 200 {
				t.Errorf("%.40q became %.300q", name, d.Name)
			}
			a := w.call("platform", "GET", "/v1/documents/"+d.ID+"/content", nil).is(200)
			if field := a.header.Get("Content-Disposition"); a.header.Get("Set-Cookie") != "" || strings.Count(field, `"`) != 2 || strings.ContainsAny(field, "/\\") {
				t.Errorf("%.40q is given as %.300q", name, field)
			}
		}
	}
	for _, path := range w.kept(".") {
		if strings.Contains(filepath.Base(path), "passwd") || strings.HasSuffix(path, ".pdf") {
			t.Errorf("%s was written", path)
		}
	}
}

// TestNoPageOfAnotherSiteActs: every route that changes something is closed to what another site has a browser send, whatever else
// the browser adds.
func TestNoPageOfAnotherSiteActs(t *testing.T) {
	w := newWorld(t)
	tried := 0
	for _, r := range w.server.rules {
		if r.method == http.MethodGet || r.who.terminal {
			continue
		}
		route := r.method + " " + r.path
		cookie := "Cookie: " + w.signIn(w.somebody(route))
		path := strings.NewReplacer("{", "", "}", "").Replace(r.path)
		for _, more := range [][]string{{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"}, {"Origin: https://evil.example"}, {"Origin: null"},
			{"Sec-Fetch-Site: cross-site", "Authorization: Basic dXNlcjpwYXNz"}} { // of an address with a name and a password in it
			tried++
			a := w.call("", r.method, path, strings.NewReader("a=b"), append(more, cookie, "Content-Type: application/x-www-form-urlencoded")...)
			if a.status != 403 || a.code() != "request.cross-origin" {
				t.Errorf("%s with %v: %d %s", route, more, a.status, a.code())
			}
		}
	}
	if tried < 500 {
		t.Errorf("%d tries", tried)
	}
}

// TestASessionIsNotTheOneThatSomebodyPlanted: a token that was there before the login counts for nothing after it.
func TestASessionIsNotTheOneThatSomebodyPlanted(t *testing.T) {
	w := newWorld(t)
	must(t, w.server.Login.SetPassword(t.Context(), access.Actor{ID: "administrator"}, "clerk", "first-password-of-many"))
	planted := "yinxin-session=" + strings.Repeat("a", 52)
	earlier := w.signIn("stranger") // of the attacker, who is signed in
	for _, cookie := range []string{planted, earlier} {
		a := w.post(cookie, "/login", url.Values{"name": {"clerk"}, "password": {"first-password-of-many"}})
		field := a.header.Get("Set-Cookie")
		token, rest, _ := strings.Cut(field, ";")
		if a.status != 303 || token == cookie || !strings.HasPrefix(token, "yinxin-session=") || !strings.Contains(rest, "HttpOnly") || !strings.Contains(rest, "SameSite=Lax") {
			t.Fatalf("%d %q", a.status, field)
		}
		w.call("", "GET", "/account", nil, "Cookie: "+planted).is(303)
		if a := w.call("", "GET", "/v1/seals", nil, "Cookie: "+cookie); bytes.Contains(a.body, []byte(sealCode)) {
			t.Errorf("the planted session is the clerk's: %s", a.body)
		}
	}
}
