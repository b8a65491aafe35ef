package sheet

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/truetype"
	"yinxin/sealer/verify"
)

// report has something of everything, and names that try to be markup.
func report(t testing.TB) *verify.Report {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 60, 40))
	for i := range 60 {
		img.Set(i, i*40/60, color.NRGBA{200, 0, 0, 128})
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, img); err != nil {
		t.Fatal(err)
	}
	return &verify.Report{File: "档案 <b>.pdf", Verdict: verify.Modified, Summary: "验证不通过：第 3 页被改动。", Size: 1234, At: "2026-02-01T03:04:05Z",
		Digest: "SM3 00ff", Notes: []string{"文件已加密。"},
		Signatures: []verify.Signature{
			{Field: "Seal1", Kind: verify.KindSeal, Verdict: verify.Modified, Summary: "盖章后被改动。", Signer: "云岭省档案馆", SignerName: "53000000000001",
				Seal: `<script>alert(1)</script>`, SealID: "53000000000001", Time: "2026-02-01T03:04:05Z", TimeSource: verify.TimeSourceDocumentTimeStamp,
				ClaimedTime: "2026-02-01T02:04:05Z", Coverage: verify.CoverageRevision, CoveredBytes: 1000, Page: 3, Algorithm: "SM2 / SM3", Issuer: "CN=云岭签发CA", Serial: "5a",
				Picture: picture.Bytes(),
				ChangesAfter: []verify.Change{{Kind: "content", Page: 3, Object: "12 0 R", Detail: "第 3 页的内容被改动。"},
					{Kind: "signature", Permitted: true, Page: 1, Detail: "第 1 页增加了另一个签名。"}},
				Checks: []verify.Check{{Name: verify.CheckDigest, Result: verify.OK, Detail: "摘要一致。"}, {Name: verify.CheckSealState, Result: verify.NotChecked, Detail: "未查询印章状态。"},
					{Name: verify.CheckLaterChanges, Result: verify.Failed, Detail: "第 3 页的内容被改动。"}, {Name: "new-check", Result: verify.Unknown, Detail: "不明。"}}},
			{Field: "T", Kind: verify.KindTimeStamp, Verdict: verify.Valid, Coverage: verify.CoverageWhole, Picture: []byte("<svg onload=alert(1)>"), PictureType: "SVG"},
		}}
}

func TestTheHTMLSaysEverythingAndAsksForNothing(t *testing.T) {
	for language, words := range map[string][]string{
		"zh": {"盖章后内容被改动", "验证不通过：第 3 页被改动。", "图案取自签名数据", "由文档时间戳证明", "签章人的时钟", "第 3 页 · 对象 12 0 R", "不允许", "许可范围内", "未检查", "SM2 / SM3",
			"签名 1，签章时的印章状态：未查询印章状态。", "new-check", "SM3 00ff", "2026年2月1日 11:04:05（北京时间）", "打印件"},
		"en": {"Not valid: changed after sealing", "Picture from the signed data", "page 3", "not permitted", "What was not checked", "1 February 2026, 11:04:05"},
	} {
		var out bytes.Buffer
		if err := HTML(&out, report(t), language); err != nil {
			t.Fatal(err)
		}
		html := out.String()
		for _, w := range words {
			if !strings.Contains(html, w) {
				t.Errorf("%s: %q is not said", language, w)
			}
		}
		for _, bad := range []string{"<script", "<b>", "http://", "https://", "src=\"/", "url(", "@import", "<link", "svg onload"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s: contains %q", language, bad)
			}
		}
		if strings.Count(html, "data:image/png;base64,") != 1 {
			t.Errorf("%s: %d pictures, want one", language, strings.Count(html, "data:image/"))
		}
	}
}

func font(t testing.TB) []byte {
	t.Helper()
	path, err := truetype.Find()
	if err != nil {
		t.Skip("no Chinese font is installed")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestThePDFIsSoundAndSaysEverything(t *testing.T) {
	data := font(t)
	for _, language := range []string{"zh", "en"} {
		r := report(t)
		for i := range 60 { // several pages, and more checks than a page holds
			r.Signatures[0].Checks = append(r.Signatures[0].Checks, verify.Check{Name: verify.CheckSigner, Result: verify.OK, Detail: fmt.Sprintf("第 %d 项检查，长句子长句子长句子长句子长句子长句子长句子长句子长句子 and words as long as these.", i)})
		}
		var out, again bytes.Buffer
		if err := PDF(&out, r, language, data); err != nil {
			t.Fatal(err)
		}
		if err := PDF(&again, r, language, data); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
			t.Errorf("%s: the same report gives another file (%v)", language, err)
		}
		path := filepath.Join(t.TempDir(), "report.pdf")
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if tool, err := exec.LookPath("qpdf"); err == nil {
			if said, err := exec.Command(tool, "--check", path).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", language, err, said)
			}
		}
		tool, err := exec.LookPath("pdftotext")
		if err != nil {
			t.Log("pdftotext is not installed")
			continue
		}
		said, err := exec.Command(tool, path, "-").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		read := strings.Join(strings.Fields(string(said)), "")
		for _, w := range []string{"档案<b>.pdf", "第3页的内容被改动。", "<script>alert(1)</script>", "云岭省档案馆", "SM2/SM3", "第59项检查", "new-check"} {
			if !strings.Contains(read, w) {
				t.Errorf("%s: %q is not in the PDF", language, w)
			}
		}
	}
}

func TestCharactersThatTheFontLacksAreReplaced(t *testing.T) {
	r := report(t)
	r.Signatures[0].Seal = "\U0001F600 \U00020000 مرحبا"
	var out bytes.Buffer
	if err := PDF(&out, r, "zh", font(t)); err != nil {
		t.Error(err)
	}
	if err := PDF(&out, r, "zh", []byte("no font")); fault.CodeOf(err) == "internal" {
		t.Errorf("a file that is no font: %v", err)
	}
}

// TestNothingRunsOffThePage has sentences longer than a page everywhere.
func TestNothingRunsOffThePage(t *testing.T) {
	r := report(t)
	endless := strings.Repeat("这一句话很长，", 900)
	r.Summary, r.Notes = endless, []string{endless}
	s := &r.Signatures[0]
	s.Summary, s.Seal, s.Issuer = endless, endless, endless
	s.Checks[0].Detail, s.ChangesAfter[0].Detail = endless, endless
	c := contentOf(r, "zh")
	face, err := newFace(font(t), c)
	if err != nil {
		t.Fatal(err)
	}
	l := newLayout(face, "zh")
	if err := l.lay(c); err != nil {
		t.Fatal(err)
	}
	for i, page := range l.pages {
		for line := range strings.Lines(page.Content()) {
			var x, y float64
			at := strings.LastIndex(line, " rg ")
			if n, _ := fmt.Sscanf(line[at+4:], "%f %f Td", &x, &y); !strings.HasPrefix(line, "BT") || n != 2 {
				continue
			}
			if x < left-0.01 || x > right || y < 33 || y > top {
				t.Fatalf("page %d has text at %.1f, %.1f", i+1, x, y)
			}
		}
	}
	for range 500 {
		s.Checks = append(s.Checks, s.Checks[0])
	}
	if err := PDF(&bytes.Buffer{}, r, "zh", font(t)); !fault.Has(err, errLong) {
		t.Errorf("a report of thousands of pages: %v", err)
	}
}
