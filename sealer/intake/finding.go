package intake

import (
	"fmt"
	"slices"

	"yinxin/sealer/pdf"
)

// Code says what was found. Codes never change their meaning.
type Code string

// Severity is how much a finding matters.
type Severity string

// The severities. Info: worth knowing, normal in honest documents. Warning: someone should look. Danger: a document
// with it should not be sealed without being made anew.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Danger  Severity = "danger"
)

// The codes.
const (
	CodeJavaScript    Code = "action.javascript"
	CodeLaunch        Code = "action.launch"
	CodeSubmit        Code = "action.submit"   // form data are sent or imported
	CodeExternalLink  Code = "action.external" // another document, or a file of the reader's machine
	CodeDisplayAction Code = "action.display"  // shows, hides or plays something

	CodeAttachment Code = "attachment.file"
	CodePortfolio  Code = "attachment.portfolio"
	CodeMedia      Code = "media.embedded"

	CodeFields          Code = "form.fields" // can be filled in
	CodeXFA             Code = "form.xfa"
	CodeNeedAppearances Code = "form.need-appearances"
	CodeValueDiffers    Code = "form.value-differs" // the value of a field is not what its appearance shows

	CodeAnnotationHidden Code = "annotation.hidden"
	CodeNoAppearance     Code = "annotation.no-appearance"
	CodeAnnotationCovers Code = "annotation.covers-text"
	CodeRedaction        Code = "annotation.redaction" // marked to be blacked out, and still there

	CodeCoveredText    Code = "content.covered-text"
	CodeInvisibleText  Code = "content.invisible-text"
	CodeOCRText        Code = "content.ocr-text" // invisible text with a scan
	CodeWhiteText      Code = "content.white-text"
	CodeTransparent    Code = "content.transparent"
	CodeTinyText       Code = "content.tiny-text"
	CodeOutsidePage    Code = "content.outside-page"
	CodeAlternateImage Code = "content.alternate-image"

	CodeLayers         Code = "layer.present"
	CodeLayerHidden    Code = "layer.hidden"
	CodeLayerPrintView Code = "layer.print-view" // printed other than shown
	CodeLayerConfigs   Code = "layer.configurations"

	CodeExternalData Code = "external.data"
	CodePostScript   Code = "external.postscript"
	CodeFontStandard Code = "font.standard" // not embedded, one of the fourteen that readers have
	CodeFontExternal Code = "font.external" // not embedded

	CodeDangling      Code = "reference.dangling"
	CodeDanglingShown Code = "reference.dangling-shown" // where it could change what a page shows
	CodeSecondTree    Code = "pages.second-tree"
	CodeLoosePage     Code = "pages.loose"
	CodeStrayPages    Code = "pages.stray" // pages that no cross-reference lists
	CodeStray         Code = "object.stray"
	CodeUnreadable    Code = "object.unreadable"
	CodeAmbiguous     Code = "object.ambiguous" // a key twice
	CodeListedTwice   Code = "object.listed-twice"

	CodeRevisions Code = "document.revisions"
	CodeEncrypted Code = "document.encrypted"
	CodeCertified Code = "document.certified"

	CodeSigned           Code = "signature.earlier"
	CodeSignatureBroken  Code = "signature.broken"
	CodeSignatureUnknown Code = "signature.unknown" // not checked, or no answer
	CodeEmptySignature   Code = "signature.empty-field"

	CodeIncomplete Code = "scan.incomplete"
)

// Place is a rectangle on the page as displayed, in mm from its lower left corner.
type Place struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Finding is one thing that was found.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Page     int      `json:"page,omitempty"`   // counted from 1; 0: the document, or not known
	Object   string   `json:"object,omitempty"` // "12 0 R"; empty: no object of its own
	Place    *Place   `json:"place,omitempty"`
	Count    int      `json:"count,omitempty"`  // how many, where one finding stands for several; else 0
	Detail   string   `json:"detail,omitempty"` // a name, a list of names; cleaned, from the file
	ZH       string   `json:"zh"`
	EN       string   `json:"en"`

	ref pdf.Ref
}

// Sentence is the finding for a person, in "en" or else in Chinese.
func (f Finding) Sentence(language string) string {
	if language == "en" {
		return f.EN
	}
	return f.ZH
}

// Report is what a scan found.
type Report struct {
	// Findings in the order of severity, then of pages; never nil.
	Findings []Finding `json:"findings"`
	Pages    int       `json:"pages"`    // looked at
	Complete bool      `json:"complete"` // nothing was left out for a limit
	// Damaged says that the cross-reference is wrong and was built anew for the scan; sealing must do the same.
	Damaged bool `json:"damaged,omitempty"`
}

// Has reports whether there is a finding with the code.
func (r *Report) Has(c Code) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == c })
}

// meaning is what a code says, and how much it matters.
type meaning struct {
	severity Severity
	zh, en   string // sentences without the full stop
}

var meanings = map[Code]meaning{
	CodeJavaScript:    {Danger, "文件含有 JavaScript 脚本", "The file contains JavaScript"},
	CodeLaunch:        {Danger, "文件含有启动程序或打开文件的动作", "The file contains an action that launches a program or opens a file"},
	CodeSubmit:        {Warning, "文件含有提交或导入表单数据的动作", "The file contains an action that sends or imports form data"},
	CodeExternalLink:  {Warning, "文件含有指向其他文件的动作", "The file contains an action that leads to another file"},
	CodeDisplayAction: {Warning, "文件含有改变显示内容的动作", "The file contains an action that changes what is shown"},

	CodeAttachment: {Warning, "文件带有附件", "The file has an attachment"},
	CodePortfolio:  {Warning, "文件是附件包，打开时显示附件而不是页面", "The file is a portfolio, which shows its attachments instead of its pages"},
	CodeMedia:      {Warning, "页面含有多媒体或三维内容", "A page contains media or 3D content"},

	CodeFields:          {Warning, "文件含有可填写的表单域", "The file has form fields that can be filled in"},
	CodeXFA:             {Danger, "文件含有 XFA 动态表单，显示内容不由页面决定", "The file holds an XFA form: what is shown is not what the pages hold"},
	CodeNeedAppearances: {Warning, "表单的外观由阅读器生成，各处显示可能不同", "The form leaves its appearance to the reader, so that it may look different elsewhere"},
	CodeValueDiffers:    {Warning, "表单域的值与其显示的内容不同", "The value of a form field is not what it shows"},

	CodeAnnotationHidden: {Warning, "页面含有隐藏的批注或表单域", "A page has an annotation or field that is hidden"},
	CodeNoAppearance:     {Warning, "批注没有自己的外观，由阅读器决定如何显示", "An annotation has no appearance of its own: the reader decides how it looks"},
	CodeAnnotationCovers: {Warning, "批注遮盖了页面文字，移除后会露出", "An annotation covers text of the page, which its removal would reveal"},
	CodeRedaction:        {Warning, "页面有标记待涂黑而未涂黑的内容", "Content is marked to be blacked out and is still there"},

	CodeCoveredText:    {Warning, "文字被图像或色块遮盖", "Text is covered by an image or a filled area"},
	CodeInvisibleText:  {Warning, "页面含有不可见的文字", "A page contains invisible text"},
	CodeOCRText:        {Info, "扫描页带有不可见的识别文字层", "A scanned page has an invisible layer of recognised text"},
	CodeWhiteText:      {Warning, "页面含有白底白字", "A page contains white text on white"},
	CodeTransparent:    {Warning, "页面含有完全透明的内容", "A page contains content that is fully transparent"},
	CodeTinyText:       {Warning, "页面含有小到看不见的文字", "A page contains text too small to see"},
	CodeOutsidePage:    {Warning, "页面可见范围之外有文字", "There is text outside the visible part of a page"},
	CodeAlternateImage: {Warning, "图像带有替代版本，打印与显示可能不同", "An image has alternates, so that print and screen may differ"},

	CodeLayers:         {Info, "文件含有图层", "The file has layers"},
	CodeLayerHidden:    {Warning, "文件含有默认隐藏的图层", "The file has a layer that is hidden by default"},
	CodeLayerPrintView: {Warning, "图层在显示和打印时不同", "A layer is printed other than it is shown"},
	CodeLayerConfigs:   {Warning, "文件含有多套图层显示方案", "The file has several configurations of its layers"},

	CodeExternalData: {Warning, "显示内容取自文件之外", "Content is taken from outside the file"},
	CodePostScript:   {Warning, "文件含有 PostScript 内容，只在打印时出现", "The file contains PostScript, which shows only in print"},
	CodeFontStandard: {Info, "使用未嵌入的标准字体", "A standard font is not embedded"},
	CodeFontExternal: {Warning, "字体未嵌入，各处显示可能不同", "A font is not embedded, so that text may look different elsewhere"},

	CodeDangling:      {Info, "文件引用了不存在的对象", "The file refers to objects that do not exist"},
	CodeDanglingShown: {Danger, "页面内容引用了不存在的对象，以后补入即可改变显示", "What a page shows refers to an object that does not exist: adding it later would change the page"},
	CodeSecondTree:    {Danger, "文件含有另一套未使用的页面，以后切换即可替换内容", "The file contains another set of pages that is not used and could be switched in later"},
	CodeLoosePage:     {Warning, "文件含有不在页面树中的页面", "The file contains a page that is not in the page tree"},
	CodeStrayPages:    {Danger, "文件含有未登记的页面或目录对象，以后登记即可替换内容", "The file contains unlisted page or catalog objects that could be switched in later"},
	CodeStray:         {Info, "文件含有未登记的对象", "The file contains objects that its cross-reference does not list"},
	CodeListedTwice:   {Danger, "文件的交叉引用对同一对象给出了两个位置，不同的阅读软件会显示不同的内容", "The cross-reference lists an object twice, so that readers show different things"},
	CodeUnreadable:    {Warning, "文件中有无法读取的对象", "An object of the file cannot be read"},
	CodeAmbiguous:     {Warning, "对象重复写了同一个键，含义不明", "An object has the same key twice, so that its meaning is not clear"},

	CodeRevisions: {Info, "文件保留了较早的版本，其中部分内容已被替换", "The file keeps earlier revisions, of which something was replaced"},
	CodeEncrypted: {Danger, "文件已加密，无法检查", "The file is encrypted and cannot be looked through"},
	CodeCertified: {Warning, "文件已被认证，限制了以后的改动", "The file is certified, which restricts later changes"},

	CodeSigned:           {Info, "文件已有签名或印章", "The file carries earlier signatures or seals"},
	CodeSignatureBroken:  {Danger, "文件中已有的签名无效", "An earlier signature in the file does not hold"},
	CodeSignatureUnknown: {Warning, "文件中已有的签名未经验证", "An earlier signature in the file was not verified"},
	CodeEmptySignature:   {Info, "文件含有尚未签名的签名域", "The file has an empty signature field"},

	CodeIncomplete: {Warning, "文件过大，未全部检查", "The file was not looked through completely"},
}

// Codes lists every code in alphabetical order.
func Codes() []Code {
	all := make([]Code, 0, len(meanings))
	for c := range meanings {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}

// Severity of a code; empty for one that does not exist.
func (c Code) Severity() Severity { return meanings[c].severity }

// phrase fills in the severity, the object and the sentences.
func (f *Finding) phrase() {
	m := meanings[f.Code]
	f.Severity = m.severity
	if f.ref.Num != 0 {
		f.Object = f.ref.String()
	}
	f.ZH, f.EN = m.zh, m.en
	if f.Detail != "" {
		f.ZH += "：" + f.Detail
		f.EN += ": " + f.Detail
	}
	if f.Count > 1 {
		f.ZH += fmt.Sprintf("（共 %d 处）", f.Count)
		f.EN += fmt.Sprintf(" (%d in all)", f.Count)
	}
	f.ZH += "。"
	f.EN += "."
}

// clean cuts text of the file to 80 bytes and takes out what a terminal or a page could take for a command.
func clean(text string) string {
	out := make([]rune, 0, 40)
	left := 80
	for _, r := range text {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x200b && r <= 0x200f) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) || r == 0xfeff {
			r = '?'
		}
		if left -= len(string(r)); left < 0 {
			return string(out) + "…"
		}
		out = append(out, r)
	}
	return string(out)
}
