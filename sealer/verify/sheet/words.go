package sheet

import (
	"time"

	"yinxin/sealer/verify"
)

// text is a sentence in both languages.
type text struct{ zh, en string }

func (t text) in(language string) string {
	if language == "en" {
		return t.en
	}
	return t.zh
}

// Look is how a verdict appears: a class for colour and icon, and the words beside it.
type Look struct {
	Class string // good, note, doubt, bad, none
	Title string // of a file
	Word  string // of one signature
	Next  string // what to do
}

// LookOf is how a verdict appears in a language, "zh" or "en".
func LookOf(v verify.Verdict, language string) Look {
	return looks[v].in(language)
}

// look is a Look in both languages.
type look struct {
	class             string
	title, word, next text
}

func (l look) in(language string) Look {
	return Look{l.class, l.title.in(language), l.word.in(language), l.next.in(language)}
}

var looks = map[verify.Verdict]look{
	verify.Valid: {"good", text{"验证通过", "Verified"}, text{"有效", "Valid"},
		text{"可以采信。请确认出具单位就是您要找的单位。", "You can rely on it. Make sure that the issuer is the one you expect."}},
	verify.ValidWithAdditions: {"note", text{"验证通过，盖章后有许可的追加", "Verified, with permitted additions"}, text{"有效，有追加", "Valid, with additions"},
		text{"可以采信盖章时的内容。追加的内容列在下面。", "You can rely on what was sealed. What was added is listed below."}},
	verify.Undetermined: {"doubt", text{"无法完全确认", "Not fully confirmed"}, text{"无法完全确认", "Not fully confirmed"},
		text{"核实之前，请不要据此办理。", "Do not act on it before they have confirmed it."}},
	verify.Modified: {"bad", text{"验证不通过：盖章后内容被改动", "Not valid: changed after sealing"}, text{"盖章后被改动", "Changed after sealing"},
		text{"请向出证单位索取未被改动的原件。", "Ask the issuer for the unchanged file."}},
	verify.Invalid: {"bad", text{"验证不通过：签名数据无效或缺失", "Not valid: the signature is broken or missing"}, text{"签名无效", "Not valid"},
		text{"请向出证单位核实这份文件的来历。", "Ask the issuer where this file came from."}},
	verify.Unsealed: {"none", text{"未发现电子签章", "No electronic seal"}, text{"未签章", "Not sealed"},
		text{"无法证明这份文件由谁出具。打印件的扫描、照片或另存的文件不带电子签章，请使用出证单位发来的原始 PDF。",
			"Nothing shows who issued this file. Scans, photos and re-saved copies carry no seal: use the PDF as the issuer sent it."}},
	verify.Unreadable: {"none", text{"无法读取该文件", "The file cannot be read"}, text{"无法读取", "Unreadable"},
		text{"没有得出结论。请确认文件完整，且是 PDF。", "Nothing was concluded. Make sure that the file is complete and a PDF."}},
}

// Outcome is how the result of a check appears.
type Outcome struct{ Class, Mark, Word string }

// OutcomeOf is how the result of a check appears in a language.
func OutcomeOf(r verify.Result, language string) Outcome {
	o := outcomes[r]
	return Outcome{o.class, o.mark, o.word.in(language)}
}

var outcomes = map[verify.Result]struct {
	class, mark string
	word        text
}{
	verify.OK:         {"good", "✔", text{"通过", "passed"}},
	verify.Note:       {"note", "ℹ", text{"提示", "remark"}},
	verify.Failed:     {"bad", "✘", text{"未通过", "failed"}},
	verify.Unknown:    {"doubt", "?", text{"无法确认", "not known"}},
	verify.NotChecked: {"none", "–", text{"未检查", "not checked"}},
}

// CoverageWord says how much of the file a signature covers.
func CoverageWord(c verify.Coverage, language string) string { return coverages[c].in(language) }

var coverages = map[verify.Coverage]text{
	verify.CoverageWhole:    {"整个文件", "The whole file"},
	verify.CoverageRevision: {"盖章时的全部内容（之后文件有追加）", "All that the file held when it was sealed (something was added later)"},
	verify.CoverageBroken:   {"与文件不符", "Does not fit the file"},
}

// KindWord names a kind of signature.
func KindWord(k verify.Kind, language string) string { return kinds[k].in(language) }

var kinds = map[verify.Kind]text{
	verify.KindSeal:      {"电子印章", "Electronic seal"},
	verify.KindCMS:       {"数字签名", "Digital signature"},
	verify.KindTimeStamp: {"时间戳", "Time stamp"},
	verify.KindUnknown:   {"无法识别的签名", "Unknown signature"},
}

// TimeSourceWord says how the time of a signature is known; empty when there is none.
func TimeSourceWord(source, language string) string { return timeSources[source].in(language) }

var timeSources = map[string]text{
	verify.TimeSourceSignature:         {"签章人的时钟，未经可信时间戳证明", "from the signer's clock, not proved by a time stamp"},
	verify.TimeSourceTimeStamp:         {"由签名时间戳证明", "proved by the signature's time stamp"},
	verify.TimeSourceDocumentTimeStamp: {"由文档时间戳证明：不晚于此时", "proved by a document time stamp: not later than this"},
}

// CheckName names a check; one that is not known keeps its identifier.
func CheckName(name, language string) string {
	if t, ok := checkNames[name]; ok {
		return t.in(language)
	}
	return name
}

var checkNames = map[string]text{
	verify.CheckField:            {"签名域", "Signature field"},
	verify.CheckByteRange:        {"签名覆盖范围", "What the signature covers"},
	verify.CheckContents:         {"签名数据的位置", "Where the signature lies"},
	verify.CheckRevision:         {"盖章时的版本", "The version that was sealed"},
	verify.CheckFormat:           {"签章格式", "Format"},
	verify.CheckSignatureValue:   {"签名值", "Signature value"},
	verify.CheckCertificateList:  {"签章人有权使用印章", "Signer may use the seal"},
	verify.CheckSigner:           {"签章人证书", "Signer's certificate"},
	verify.CheckSignerRevocation: {"签章人证书撤销状态", "Revocation of the signer's certificate"},
	verify.CheckTime:             {"签章时间", "Time of signing"},
	verify.CheckDigest:           {"文件内容摘要", "Digest of the content"},
	verify.CheckProperty:         {"签章写明的保护范围", "What the seal says it protects"},
	verify.CheckSealValue:        {"制章者签名", "Seal maker's signature"},
	verify.CheckMaker:            {"制章者证书", "Seal maker's certificate"},
	verify.CheckMakerRevocation:  {"制章者证书撤销状态", "Revocation of the seal maker's certificate"},
	verify.CheckSealPeriod:       {"印章有效期", "Validity of the seal"},
	verify.CheckTimeStamp:        {"时间戳", "Time stamp"},
	verify.CheckSealState:        {"签章时的印章状态", "State of the seal when used"},
	verify.CheckLaterChanges:     {"盖章后的改动", "Changes after sealing"},
	verify.CheckSecondOpinion:    {"第二种实现复核", "Second opinion"},
	verify.CheckAttributes:       {"签名属性", "Signed attributes"},
	verify.CheckIdentity:         {"签名者身份", "Whose certificate it is"},
	verify.CheckContentType:      {"内容类型", "Content type"},
	verify.CheckAlgorithms:       {"算法标识", "Algorithms"},
	verify.CheckAuthority:        {"时间戳机构证书", "Time-stamp authority's certificate"},
	verify.CheckAuthorityRevoked: {"时间戳机构证书撤销状态", "Revocation of the time-stamp authority's certificate"},
}

// Moment writes a time of a report (RFC 3339) as offices in China do, in their time; empty for what is no time.
func Moment(stamp, language string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return ""
	}
	return verify.Moment(t, language)
}
