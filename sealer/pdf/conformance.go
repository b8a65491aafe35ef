package pdf

import (
	"yinxin/sealer/imprint/outline"
)

// Breach is something about a request by which a document would stop being what it claims. Code is stable; Clause is where
// it is forbidden.
type Breach struct {
	Code   string `json:"code"`
	Clause string `json:"clause"`
	ZH     string `json:"zh"`
	EN     string `json:"en"`
}

var (
	breachSignature = Breach{Code: "signature-format",
		ZH: "此签名格式不是 PKCS#7，盖章后文件不再符合 PDF/A。", EN: "The format of the signature is not PKCS#7, so the sealed file is no longer PDF/A."}
	breachTransparency = Breach{Code: "transparency",
		ZH: "印章图片带有透明度，盖章后文件不再符合 PDF/A。", EN: "The picture of the seal is transparent, so the sealed file is no longer PDF/A."}
	breachColour = Breach{Code: "colour",
		ZH: "印章图片的颜色依赖设备，盖章后文件不再符合 PDF/A。", EN: "The colours of the seal depend on the device, so the sealed file is no longer PDF/A."}
	breachLength = Breach{Code: "string-length",
		ZH: "签名数据超过 PDF/A 允许的字符串长度，盖章后文件不再符合 PDF/A。", EN: "The signature is longer than a string may be in PDF/A, so the sealed file is no longer PDF/A."}
)

func (b Breach) at(clause string) Breach {
	b.Clause = clause
	return b
}

// Longest strings that the parts allow, in bytes: PDF 1.4 by its appendix C, and a limit of the later parts' own. They
// count for /Contents as well.
const (
	longestString1 = 65535
	longestString2 = 32767
)

// Breaches says, before anything is sealed, by what a sealed document would stop being what it claims. It is empty for a
// document that claims nothing. Whether to refuse, to warn or to go on is for the caller.
//
// Parts 2 and later want PKCS#7 in a signature (ISO 19005-2, 6.4.3). Of our profiles only cms has that: cms-gm shares
// its name with adbe.pkcs7.detached, but has the object identifiers of GB/T 35275 inside, and seal is another structure
// altogether. Part 1 says nothing about signatures.
func (c PDFA) Breaches(r SealRequest) []Breach {
	var found []Breach
	if c.Part == 0 {
		return nil
	}
	if c.Part >= 2 && r.SubFilter != "ETSI.CAdES.detached" && r.SubFilter != "ETSI.RFC3161" {
		found = append(found, breachSignature.at("ISO 19005-2, 6.4.3"))
	}
	switch {
	case c.Part == 1 && r.ContentsSize > longestString1:
		found = append(found, breachLength.at("ISO 19005-1, 6.1.12"))
	case (c.Part == 2 || c.Part == 3) && r.ContentsSize > longestString2:
		found = append(found, breachLength.at("ISO 19005-2, 6.1.13"))
	}
	a := r.Appearance
	if a == nil {
		return found
	}
	switch {
	case a.soft && c.Part == 1:
		found = append(found, breachTransparency.at("ISO 19005-1, 6.4"))
	case a.soft && !c.Intent:
		found = append(found, breachTransparency.at("ISO 19005-2, 6.2.10"))
	}
	if !a.rendering.Calibrated && !c.IntentRGB {
		clause := "ISO 19005-2, 6.2.4.3"
		if c.Part == 1 {
			clause = "ISO 19005-1, 6.2.3.3"
		}
		found = append(found, breachColour.at(clause))
	}
	return found
}

// For gives the rendering of a seal that a document which claims PDF/A can take: colours that do not depend on the device
// unless the output intent says what they are, and no transparency in part 1, nor in others without an output intent to
// say in which colours to mix. There the picture is traced; what cannot be traced becomes an image of hard edges. For a
// document that claims nothing it is the appearance itself.
func (a *Appearance) For(c PDFA) (*Appearance, error) {
	if c.Part == 0 {
		return a, nil
	}
	r := a.rendering
	r.Calibrated = r.Calibrated || !c.IntentRGB
	if !a.soft || c.Part > 1 && c.Intent {
		return a.As(r)
	}
	r.Style = VectorOutline
	traced, err := a.As(r)
	if outline.Refused(err) {
		r.Style = HardImage
		return a.As(r)
	}
	return traced, err
}
