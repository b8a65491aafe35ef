package form

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
)

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

func drawn(t testing.TB, a Application) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Draw(&out, a, font(t)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTheFormIsSoundAndSaysEverything(t *testing.T) {
	data := drawn(t, sample())
	if !bytes.Equal(data, drawn(t, sample())) {
		t.Error("the same application gives another file")
	}
	path := tooltest.File(t, "form.pdf", data)
	tooltest.Run(t, "qpdf", "--check", path)
	if said := tooltest.Run(t, "pdfinfo", path); !strings.Contains(said, "Pages:           1") || !strings.Contains(said, "(A4)") {
		t.Errorf("described as %s", said)
	}
	if said := tooltest.Run(t, "pdffonts", path); strings.Count(said, "yes yes yes") != 1 {
		t.Errorf("fonts: %s", said)
	}
	read := strings.Join(strings.Fields(tooltest.Run(t, "pdftotext", "-layout", path, "-")), "")
	a := sample()
	for _, w := range []string{"附件1", "机构印章证书申请表", "申请编号：" + a.Number, "*印章类型", "电子法定名称章（公章）", "其它：", "*业务类型", "Key补办", "Key解锁", "注销",
		"变更前机构名称", "*用章范围", "政务外网", "互联网", "*用章方式", "集中式用章（系统用章）", "分散式用章（USBKey）", "*申请单位名称", a.Unit.Name, "*申请单位类型", "国家行政机关",
		"事业单位", "社会团体", "其他：", "*审批单位名称", a.Approver, "*申请印章用途", a.Purpose, "*统一社会信用代码", a.Unit.CreditCode, "*单位固定电话", a.Unit.Phone, "*单位地址",
		a.Unit.Address, "*授权声明", a.Handler.Name, a.Personal.HandlerIdentity, "经办人电话（手机）", a.Personal.HandlerMobile, "邮箱（Email）", a.Handler.Email, "收件地址",
		"已阅读并同意《CA数字证书电子认证服务协议》（版本：2026-01）", "申办单位公章（盖章）", "单位经办人签字", "申请时间", "2026年11月20日", "*印章名称", "*实物印章直径（或长宽/毫米）", "42", "印模1", "印模2"} {
		if !strings.Contains(read, w) {
			t.Errorf("%q is not on the form", w)
		}
	}
}

// longest has the longest texts that are let in.
func longest() Application {
	a := forBusiness(KeyReplacement)
	a.SealType, a.Unit.Type = SealOther, UnitOther
	for _, text := range a.texts() {
		*text.value = strings.Repeat("馆", text.most)
	}
	a.Number = strings.Repeat("W", 32)
	a.AppliedOn = "2026-12-31"
	a.Seal.Size = Size{Width: 100.5, Height: 100.5}
	return a
}

func TestTheLongestTextsFit(t *testing.T) {
	a := longest()
	if err := a.checkTexts(); err != nil {
		t.Fatal(err)
	}
	drawn(t, a)
	for _, text := range a.texts() {
		if text.member != "number" && text.member != "appliedOn" {
			*text.value = strings.Repeat("W", text.most)
		}
	}
	drawn(t, a)
	a.Unit.Address = strings.Repeat("馆", 1000)
	if err := Draw(&bytes.Buffer{}, a, font(t)); !fault.Has(err, errDoesNotFit) {
		t.Errorf("1,000 characters: %v", err)
	}
}

func TestWhatCannotBePrintedIsRefused(t *testing.T) {
	a := sample()
	a.Handler.Name = "王\U00020000"
	if err := Draw(&bytes.Buffer{}, a, font(t)); !fault.Has(err, errNoGlyph) || !strings.Contains(err.Error(), "\U00020000") || strings.Contains(err.Error(), "王") {
		t.Errorf("a character that the font lacks: %v", err)
	}
	a = sample()
	a.Number = "申请1"
	if err := Draw(&bytes.Buffer{}, a, font(t)); !fault.Has(err, errNumber) {
		t.Errorf("a number that is none: %v", err)
	}
	if err := Draw(&bytes.Buffer{}, sample(), []byte("no font")); fault.CodeOf(err) != "font.bad-font" {
		t.Errorf("no font: %v", err)
	}
}

func TestTheLayoutAddsUp(t *testing.T) {
	y := tableTop
	for i, r := range (&sheet{}).rows() {
		width := 0.0
		for _, c := range r.cells {
			width += c.width
		}
		if width != tableWidth {
			t.Errorf("row %d is %g mm wide", i+1, width)
		}
		y += r.height
	}
	if y+rowHeight != stampTop {
		t.Errorf("the rows end at %g mm, the stamp begins at %g", y+rowHeight, stampTop)
	}
	// Scans of forms that were printed long ago are read by these: they never change under layout 1.
	if imprints != [2]Box{{18, 216, 87, 60}, {105, 216, 87, 60}} || unitSeal != (Box{18, 162, 66, 46}) || codeBox != (Box{172, 10.5, 20, 20}) ||
		marks != [4]Point{{11, 11}, {199, 11}, {11, 286}, {199, 286}} {
		t.Errorf("layout 1 has moved: %v %v %v %v", imprints, unitSeal, codeBox, marks)
	}
}

func TestCodesAreOursOrNot(t *testing.T) {
	text := codeText("YX20261126-0007")
	if text != "YXA1:YX20261126-0007:2HVF" {
		t.Errorf("the code is %s", text)
	}
	if n, ok := ReadCode(text); !ok || n != "YX20261126-0007" {
		t.Errorf("read as %q %v", n, ok)
	}
	for _, bad := range []string{"", "YXA1", "YXA1::", text + ":", text[:len(text)-1] + "D", "YXA2" + text[4:], strings.ToLower(text), "https://example.com", "YXA1:YX20261126-0008" + text[20:]} {
		if n, ok := ReadCode(bad); ok {
			t.Errorf("%q is read as %q", bad, n)
		}
	}
}
