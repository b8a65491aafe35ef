package officer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"yinxin/api/web"
	"yinxin/internal/access"
	"yinxin/sealer/verify"
)

// memberWords are the members of what is decided, in words.
var memberWords = labelled{
	"type": {ZH: "内容", EN: "What it is"}, "serial": {ZH: "证书序列号", EN: "Serial number"}, "reason": {ZH: "原因", EN: "Reason"}, "profile": {ZH: "证书类型", EN: "Kind of certificate"},
	"organisation": {ZH: "单位", EN: "Organisation"}, "creditCode": {ZH: "统一社会信用代码", EN: "Credit code"}, "credit_code": {ZH: "统一社会信用代码", EN: "Credit code"}, "sealCode": {ZH: "印章编码", EN: "Code of the seal"},
	"commonName": {ZH: "姓名或名称", EN: "Name"}, "identity": {ZH: "身份标识（摘要）", EN: "Identity (digest)"}, "publicKey": {ZH: "公钥", EN: "Public key"}, "code": {ZH: "印章编码", EN: "Code of the seal"}, "seal": {ZH: "印章编码", EN: "Code of the seal"},
	"name": {ZH: "名称", EN: "Name"}, "width_um": {ZH: "宽", EN: "Width"}, "height_um": {ZH: "高", EN: "Height"}, "template": {ZH: "印章模板（SM3）", EN: "Template (SM3)"}, "picture": {ZH: "印章图像（SM3）", EN: "Picture (SM3)"},
	"custody": {ZH: "用章方式", EN: "Custody of the key"}, "holder": {ZH: "USB Key 持有人", EN: "Holder of the USB Key"}, "former_name": {ZH: "变更前名称", EN: "Former name"}, "key": {ZH: "密钥", EN: "Key"}, "certificate": {ZH: "证书（SM3）", EN: "Certificate (SM3)"},
	"actor": {ZH: "用户", EN: "Actor"}, "from": {ZH: "自", EN: "From"}, "until": {ZH: "至", EN: "Until"}, "quota": {ZH: "次数上限", EN: "At most so often"}, "role": {ZH: "角色", EN: "Role"}, "why": {ZH: "理由", EN: "Why"},
	"purposes": {ZH: "用途", EN: "Purposes"}, "organisations": {ZH: "单位", EN: "Organisations"}, "sm3": {ZH: "SM3 指纹", EN: "SM3"}, "threshold": {ZH: "所需人数", EN: "Threshold"}, "officers": {ZH: "保管人", EN: "Officers"},
	"number": {ZH: "申请编号", EN: "Number"}, "version": {ZH: "版本", EN: "Version"}, "application": {ZH: "申请", EN: "Application"}, "unit": {ZH: "单位", EN: "Unit"}, "person": {ZH: "使用人", EN: "User"}, "suspension": {ZH: "停用记录", EN: "Suspension"},
	"digest": {ZH: "SM3 摘要", EN: "SM3"}, "kind": {ZH: "附件类别", EN: "Kind of scan"}, "attachments": {ZH: "附件", EN: "Scan"}, "roster": {ZH: "使用人信息汇总表（SM3）", EN: "Roster (SM3)"}, "personal": {ZH: "个人信息（SM3）", EN: "Personal data (SM3)"},
	"diameter": {ZH: "直径（毫米）", EN: "Diameter (mm)"}, "width": {ZH: "宽（毫米）", EN: "Width (mm)"}, "height": {ZH: "高（毫米）", EN: "Height (mm)"}, "at": {ZH: "同意时间", EN: "Accepted at"}, "by": {ZH: "同意人", EN: "Accepted by"},
	"accepted": {ZH: "已阅读并同意服务协议", EN: "Agreement accepted"}, "typeOther": {ZH: "其他类型", EN: "Other kind"}, "sealTypeOther": {ZH: "其它印章类型", EN: "Other kind of seal"},
	"recipient": {ZH: "接收公钥", EN: "Recipient"}, "for": {ZH: "用于", EN: "For"}, "act": {ZH: "事项", EN: "Act"},
}

// saying is a name and what is said under it.
type saying struct{ What, Says string }

// wordsOf says what is decided: every member of the subject, none left out. What has no words stands as it is.
func wordsOf(subject []byte, q *web.Request) []saying {
	var value any
	if json.Unmarshal(subject, &value) != nil {
		return textWords(subject, q)
	}
	var rows []saying
	flatten(value, nil, q.T("、", ", "), func(path []string, v any) {
		rows = append(rows, saying{memberOf(path, q), valueOf(path, v, q)})
	})
	return rows
}

// flatten walks a value, members by their names.
func flatten(value any, path []string, comma string, say func([]string, any)) {
	switch v := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int { return strings.Compare(rank(a)+a, rank(b)+b) })
		for _, name := range names {
			flatten(v[name], append(slices.Clone(path), name), comma, say)
		}
	case []any:
		var words []string
		for i, w := range v {
			if _, nested := w.(map[string]any); nested {
				flatten(w, append(slices.Clone(path), fmt.Sprint(i+1)), comma, say)
				continue
			}
			words = append(words, fmt.Sprint(w))
		}
		if len(words) > 0 {
			say(path, strings.Join(words, comma))
		}
	default:
		say(path, v)
	}
}

// rank brings names before digests, and the members of the form in its order.
func rank(name string) string {
	if i := slices.Index([]string{"type", "number", "version", "form", "application", "sealType", "sealTypeOther", "businesses", "name", "commonName", "organisation", "unit", "creditCode", "code", "sealCode", "scopes", "methods", "approver", "purpose", "handler",
		"seal", "profile", "serial", "reason", "actor", "custody", "width_um", "height_um", "from", "until", "quota"}, name); i >= 0 {
		return fmt.Sprintf("%02d", i)
	}
	return "99"
}

func memberOf(path []string, q *web.Request) string {
	last := path
	if len(path) > 0 {
		last = path[len(path)-1:]
	}
	if slices.Contains(path, "agreement") || slices.Contains(path, "size") || strings.HasSuffix(strings.Join(path, "."), "Other") {
		return memberWords.of(path[len(path)-1], q.Language)
	}
	if len(path) == 3 && path[0] == "attachments" {
		return memberWords.of("attachments", q.Language) + " " + path[1] + " · " + memberWords.of(path[2], q.Language)
	}
	// The members of a form are known by their places on it.
	for i := range path {
		if member := strings.Join(path[i:], "."); fieldLabel(member, q.Language) != member {
			return fieldLabel(member, q.Language)
		}
	}
	words := make([]string, 0, 2)
	if len(path) > 1 && path[len(path)-2] != "form" && path[len(path)-2] != "application" {
		words = append(words, memberWords.of(path[len(path)-2], q.Language))
	}
	for _, name := range last {
		words = append(words, memberWords.of(name, q.Language))
	}
	return strings.Join(words, " · ")
}

func valueOf(path []string, v any, q *web.Request) string {
	last := ""
	if len(path) > 0 {
		last = path[len(path)-1]
	}
	text := fmt.Sprint(v)
	switch number, isNumber := v.(float64); {
	case v == nil || text == "":
		return q.T("（空）", "(empty)")
	case last == "reason" && isNumber:
		return verify.ReasonWord(int(number), q.Language)
	case strings.HasSuffix(last, "_um") && isNumber:
		return fmt.Sprintf("%.2f mm", number/1000)
	case last == "quota" && isNumber && number == 0:
		return q.T("不限", "no limit")
	case last == "type" && isNumber:
		return map[float64]string{1: q.T("单位印章", "seal of a unit"), 2: q.T("个人印章", "seal of a person")}[number]
	case isNumber && number == 0 && slices.Contains(path, "size"):
		return "–"
	case last == "kind" && slices.Contains(path, "attachments"):
		return attachmentWords.of(text, q.Language)
	case last == "profile":
		return profileWords.of(text, q.Language)
	case last == "custody":
		return map[string]string{"central": q.T("集中式（密钥在系统内）", "central"), "key": q.T("分散式（USB Key）", "USB Key")}[text]
	case text == "true":
		return q.T("是", "yes")
	case text == "false":
		return q.T("否", "no")
	case isNumber:
		return fmt.Sprintf("%g", number)
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return web.Minute(at)
	}
	for _, words := range []labelled{businessWords, sealTypeWords, scopeWords, methodWords, unitTypeWords, subjectTypes} {
		if _, known := words[text]; known {
			return words.of(text, q.Language)
		}
	}
	return text
}

var subjectTypes = labelled{
	"yinxin certificate revocation 1": {ZH: "吊销证书", EN: "revocation of a certificate"}, "yinxin certificate suspension 1": {ZH: "冻结证书", EN: "hold of a certificate"},
	"yinxin certificate resumption 1": {ZH: "恢复证书", EN: "release of a certificate"}, "yinxin certificate request 1": {ZH: "签发证书", EN: "issue of a certificate"},
	"yinxin certificate terms 1": {ZH: "签发证书（密钥随后生成）", EN: "issue of a certificate, its key made later"}, "yinxin anchor import 1": {ZH: "导入信任锚", EN: "import of a trust anchor"},
	"yinxin application version 1": {ZH: "申请的这一版本：申请表、附件和汇总表", EN: "this version of the application: form, scans and roster"},
	"yinxin application 1":         {ZH: "机构印章证书申请表", EN: "application for a seal certificate"},
}

// textWords are subjects that are text.
func textWords(subject []byte, q *web.Request) []saying {
	text := string(subject)
	if !utf8.ValidString(text) {
		return []saying{{q.T("内容", "Content"), fmt.Sprintf("%x", subject)}}
	}
	for prefix, what := range map[string]web.Text{"resume seal ": {ZH: "恢复使用印章", EN: "put the seal back into use"}, "cancel seal ": {ZH: "注销印章", EN: "cancel the seal"}} {
		if code, ok := strings.CutPrefix(text, prefix); ok {
			return []saying{{q.T("内容", "What it is"), what.In(q.Language)}, {q.T("印章编码", "Code of the seal"), code}}
		}
	}
	var rows []saying
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, " ")
		if _, known := memberWords[name]; ok && known {
			rows = append(rows, saying{memberWords.of(name, q.Language), value})
		} else if line != "" {
			rows = append(rows, saying{q.T("内容", "Content"), line})
		}
	}
	return rows
}

// sealOf is the code of the seal that a subject is about, empty for another.
func sealOf(r access.Pending) string {
	switch r.Kind {
	case access.KindResumeSeal, access.KindCancelSeal:
		if words := strings.Fields(string(r.Subject)); len(words) == 3 {
			return words[2]
		}
	}
	var about struct{ Code, Seal, SealCode string }
	if json.Unmarshal(r.Subject, &about) != nil {
		return ""
	}
	return about.Code + about.Seal
}

// serialOf is the serial number of the certificate that a subject is about, empty for another.
func serialOf(r access.Pending) string {
	var about struct{ Serial string }
	if json.Unmarshal(r.Subject, &about) != nil {
		return ""
	}
	return about.Serial
}
