package sheet

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif"  // pictures of seals
	_ "image/jpeg" // pictures of seals
	_ "image/png"  // pictures of seals
	"strconv"

	"yinxin/sealer/verify"
)

const (
	// maxCards is how many signatures are shown one by one.
	maxCards = 300
	// maxPicture and maxPictures bound the bytes of pictures in one document; seals seen are 5 to 60 kB.
	maxPicture  = 1 << 20
	maxPictures = 8 << 20
	// maxPixels bounds what has to be decoded for one picture.
	maxPixels = 4 << 20
	// maxChanges is how many later changes are listed for one signature.
	maxChanges = 200
)

// content is what a document shows, in one language, before it is laid out.
type content struct {
	Language string
	Heading  string
	Look     Look
	Verdict  verify.Verdict
	Summary  string
	Facts    []fact // of the file
	Cards    []card
	Hidden   string
	Notes    []string
	// Unchecked says what was not, or could not be, checked.
	Unchecked []string
	Closing   []string
}

// fact is a name and a value; Fine is a remark in small print.
type fact struct{ Name, Value, Fine string }

// card is one signature.
type card struct {
	Look    Look
	Heading string
	Picture []byte // a raster picture that can be decoded, or empty
	Format  string // of the picture: png, jpeg, gif
	Caption string
	Facts   []fact
	Summary string
	Changes []change
	More    string // how many changes are not listed
	Steps   []step
}

type change struct{ Class, Detail, Fine string }

type step struct{ Class, Mark, Word, Name, Detail string }

// contentOf puts a report into words.
func contentOf(r *verify.Report, language string) content {
	say := func(zh, en string) string { return text{zh, en}.in(language) }
	c := content{Language: language, Heading: say("电子签章验证报告", "Verification of a sealed document"), Look: LookOf(r.Verdict, language),
		Verdict: r.Verdict, Summary: r.Summary, Notes: r.Notes}
	c.Facts = []fact{
		{say("文件", "File"), r.File, ""},
		{say("大小", "Size"), strconv.FormatInt(r.Size, 10) + say(" 字节", " bytes"), ""},
		{say("文件摘要", "Digest of the file"), r.Digest, ""},
		{say("验证时间", "Verified"), Moment(r.At, language), ""},
		{say("签名数量", "Signatures"), strconv.Itoa(len(r.Signatures)), ""},
	}
	budget := maxPictures
	for i, s := range r.Signatures {
		if i == maxCards {
			c.Hidden = fmt.Sprintf(say("另有 %d 个签名未逐一列出，都已计入结论。", "%d more signatures are not listed one by one; all count in the verdict."), len(r.Signatures)-maxCards)
			break
		}
		c.Cards = append(c.Cards, cardOf(s, i+1, language, &budget))
		for _, k := range s.Checks {
			if k.Result == verify.NotChecked || k.Result == verify.Unknown {
				c.Unchecked = append(c.Unchecked, fmt.Sprintf(say("签名 %d，%s：%s", "Signature %d, %s: %s"), i+1, CheckName(k.Name, language), k.Detail))
			}
		}
	}
	c.Closing = []string{
		say("本报告只对上述电子文件本身有效；打印件、扫描件和照片请向出证单位核实。", "This report speaks of the electronic file named above only. Ask the issuer about prints, scans and photos."),
		say("验证不判断文件内容是否属实，只判断由谁盖章、盖章后是否被改动、依据是否可信。", "It does not judge whether what the document says is true, only who sealed it, whether it was changed since, and whether that can be trusted."),
	}
	return c
}

func cardOf(s verify.Signature, number int, language string, budget *int) card {
	say := func(zh, en string) string { return text{zh, en}.in(language) }
	unknown := say("不明", "not known")
	or := func(value, other string) string {
		if value == "" {
			return other
		}
		return value
	}
	c := card{Look: LookOf(s.Verdict, language), Heading: fmt.Sprintf("%d. %s", number, KindWord(s.Kind, language)), Summary: s.Summary}
	if s.Seal != "" {
		c.Heading += say("：", ": ") + s.Seal
	}
	c.Caption = say("签名数据中没有图案", "No picture in the signed data")
	if c.Format = pictureFormat(s.Picture); c.Format != "" && len(s.Picture) <= *budget {
		c.Picture = s.Picture
		c.Caption = say("图案取自签名数据，不是取自页面", "Picture from the signed data, not from the page")
		*budget -= len(s.Picture)
	}
	if s.Seal != "" {
		c.Facts = append(c.Facts, fact{say("印章名称", "Seal"), s.Seal, s.SealID})
	}
	if s.Reason != "" {
		c.Facts = append(c.Facts, fact{say("签章事由", "Reason"), s.Reason, say("签章人所述", "as the signer says")})
	}
	unit := say("签章单位", "Unit")
	if s.Kind == verify.KindTimeStamp {
		unit = say("时间戳机构", "Authority")
	}
	c.Facts = append(c.Facts, fact{unit, or(s.Signer, unknown), ""})
	if s.SignerName != "" && s.SignerName != s.Signer {
		c.Facts = append(c.Facts, fact{say("签章人证书名称", "Certificate"), s.SignerName, ""})
	}
	c.Facts = append(c.Facts, fact{say("时间", "Time"), or(Moment(s.Time, language), unknown), TimeSourceWord(s.TimeSource, language)})
	if s.ClaimedTime != "" {
		c.Facts = append(c.Facts, fact{say("签章人声称的时间", "Time that the signer claims"), Moment(s.ClaimedTime, language), say("签章人的时钟", "the signer's clock")})
	}
	for _, k := range s.Checks {
		if k.Name == verify.CheckSealState {
			c.Facts = append(c.Facts, fact{say("签章时印章状态", "State of the seal"), k.Detail, ""})
		}
	}
	if s.Contact != nil {
		c.Facts = append(c.Facts, fact{say("核实电话", "Ask at"), s.Contact.Telephone, s.Contact.Unit + say("；取自印章登记，不取自文件", "; from the register, not from the file")})
	}
	if s.Algorithm != "" {
		c.Facts = append(c.Facts, fact{say("算法", "Algorithm"), s.Algorithm, ""})
	}
	covers := fact{say("覆盖范围", "Covers"), CoverageWord(s.Coverage, language), ""}
	if s.CoveredBytes > 0 {
		covers.Fine = fmt.Sprintf(say("前 %d 字节", "the first %d bytes"), s.CoveredBytes)
	}
	c.Facts = append(c.Facts, covers)
	if s.Page > 0 {
		c.Facts = append(c.Facts, fact{say("所在页", "Page"), strconv.Itoa(s.Page), say("签名域 ", "field ") + s.Field})
	} else {
		c.Facts = append(c.Facts, fact{say("签名域", "Field"), s.Field, ""})
	}
	if s.Issuer != "" {
		c.Facts = append(c.Facts, fact{say("证书颁发者", "Issued by"), s.Issuer, say("序列号 ", "serial ") + s.Serial})
	}
	c.addChanges(s, language)
	for _, k := range s.Checks {
		o := OutcomeOf(k.Result, language)
		c.Steps = append(c.Steps, step{o.Class, o.Mark, o.Word, CheckName(k.Name, language), k.Detail})
	}
	return c
}

func (c *card) addChanges(s verify.Signature, language string) {
	say := func(zh, en string) string { return text{zh, en}.in(language) }
	for i, g := range s.ChangesAfter {
		if i == maxChanges {
			c.More = fmt.Sprintf(say("另有 %d 处未列出。", "%d more are not listed."), len(s.ChangesAfter)-maxChanges)
			return
		}
		one := change{"bad", g.Detail, say("不允许", "not permitted")}
		if g.Permitted {
			one.Class, one.Fine = "note", say("许可范围内", "permitted")
		}
		if g.Page > 0 {
			one.Fine += fmt.Sprintf(say(" · 第 %d 页", " · page %d"), g.Page)
		}
		if g.Object != "" {
			one.Fine += say(" · 对象 ", " · object ") + g.Object
		}
		c.Changes = append(c.Changes, one)
	}
}

// pictureFormat names the format of a picture that is shown: raster pictures of a sane size only, since SVG could be a
// document of its own.
func pictureFormat(data []byte) string {
	if len(data) == 0 || len(data) > maxPicture {
		return ""
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width > maxPixels/c.Height {
		return ""
	}
	return format
}
