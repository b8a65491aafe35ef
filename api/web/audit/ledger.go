package audit

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"yinxin/api/web"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
)

// kinds are what entries are about: the part of their kind before its dot.
var kinds = []web.Option{
	{Value: "sealing", Label: web.Text{ZH: "用印", EN: "sealing"}}, {Value: "document", Label: web.Text{ZH: "文件", EN: "document"}}, {Value: "batch", Label: web.Text{ZH: "批次", EN: "batch"}},
	{Value: "terminal", Label: web.Text{ZH: "签章终端", EN: "terminal"}}, {Value: "issuance", Label: web.Text{ZH: "异地出证", EN: "remote issuing"}},
	{Value: "seal", Label: web.Text{ZH: "印章", EN: "seal"}}, {Value: "grant", Label: web.Text{ZH: "用印授权", EN: "grant"}}, {Value: "approval", Label: web.Text{ZH: "审批", EN: "approval"}},
	{Value: "application", Label: web.Text{ZH: "申请", EN: "application"}}, {Value: "registration", Label: web.Text{ZH: "单位与成员", EN: "registration"}},
	{Value: "renewal", Label: web.Text{ZH: "续期", EN: "renewal"}}, {Value: "user", Label: web.Text{ZH: "用印人员", EN: "user of seals"}},
	{Value: "certificate", Label: web.Text{ZH: "证书", EN: "certificate"}}, {Value: "crl", Label: web.Text{ZH: "撤销列表", EN: "revocation list"}}, {Value: "anchor", Label: web.Text{ZH: "信任锚", EN: "trust anchor"}},
	{Value: "foreign-crl", Label: web.Text{ZH: "其他机构的撤销列表", EN: "revocation list of another authority"}},
	{Value: "ceremony", Label: web.Text{ZH: "密钥仪式", EN: "ceremony"}}, {Value: "escrow", Label: web.Text{ZH: "密钥托管", EN: "escrow"}}, {Value: "key", Label: web.Text{ZH: "密钥", EN: "key"}}, {Value: "token", Label: web.Text{ZH: "USB Key", EN: "USB Key"}},
	{Value: "login", Label: web.Text{ZH: "登录", EN: "login"}}, {Value: "actor", Label: web.Text{ZH: "人员", EN: "people"}}, {Value: "role", Label: web.Text{ZH: "角色", EN: "role"}},
	{Value: "webhook", Label: web.Text{ZH: "回调", EN: "webhook"}}, {Value: "job", Label: web.Text{ZH: "后台任务", EN: "job"}}, {Value: "backup", Label: web.Text{ZH: "备份", EN: "backup"}}, {Value: "installation", Label: web.Text{ZH: "安装与恢复", EN: "installation"}},
}

// kindWord is a kind with what it is about in words.
func kindWord(kind, language string) string {
	about, _, _ := strings.Cut(kind, ".")
	for _, o := range kinds {
		if o.Value == about && o.Label.In(language) != about {
			return o.Label.In(language) + " " + kind
		}
	}
	return kind
}

var outcomes = []web.Option{{Value: string(ledger.Done), Label: web.Text{ZH: "已发生", EN: "done"}}, {Value: string(ledger.Failed), Label: web.Text{ZH: "失败、拒绝或放弃", EN: "failed, refused or given up"}}}

// outcome is that of an entry in words.
func outcome(e ledger.Entry, language string) web.Cell {
	if e.Outcome() == ledger.Failed {
		return web.Cell{Text: outcomes[1].Label.In(language), Class: "bad", Fine: e.Data["code"]}
	}
	return web.Cell{Text: outcomes[0].Label.In(language), Class: "none"}
}

// digestOf is the digest of the document that an entry tells of.
func digestOf(e ledger.Entry) string {
	for _, name := range []string{"sm3", "data_hash"} {
		if e.Data[name] != "" {
			return e.Data[name]
		}
	}
	return ""
}

// entries is the ledger, the newest entries first.
func (p pages) entries(q *web.Request) error {
	query := q.URL.Query()
	value := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	s := ledger.Search{Kind: value("kind"), Actor: value("actor"), Outcome: ledger.Outcome(value("outcome"))}
	var err error
	if s.From, s.Until, err = web.Days(query); err != nil {
		return err
	}
	if seal := value("seal"); seal != "" {
		s.Mentions = append(s.Mentions, seal)
	}
	if digest := value("digest"); digest != "" {
		s.Mentions = append(s.Mentions, strings.ToLower(digest)) // the ledger has them in small letters
	}
	c, err := p.Ledger.Checkpoint(q.Context())
	if err != nil {
		return err
	}
	list := web.List{File: q.T("审计日志", "ledger"), Filters: append(slices.Clone(web.FromUntil), web.Filter{Name: "kind", Label: web.Text{ZH: "事项", EN: "About"}, Options: kinds},
		web.Filter{Name: "outcome", Label: web.Text{ZH: "结果", EN: "Outcome"}, Options: outcomes}, web.Filter{Name: "seal", Label: web.Text{ZH: "印章编码", EN: "Code of the seal"}},
		web.Filter{Name: "actor", Label: web.Text{ZH: "人员或系统（用户名）", EN: "Person or system, by name of account"}}, web.Filter{Name: "digest", Label: web.Text{ZH: "文件 SM3 摘要", EN: "SM3 digest of a document"}}),
		Columns: []web.Column{{Label: web.Text{ZH: "序号", EN: "No."}, Number: true}, {Label: web.Text{ZH: "时间", EN: "Time"}}, {Label: web.Text{ZH: "事项", EN: "About"}}, {Label: web.Text{ZH: "结果", EN: "Outcome"}},
			{Label: web.Text{ZH: "经办", EN: "Who"}}, {Label: web.Text{ZH: "对象", EN: "Subject"}}, {Label: web.Text{ZH: "印章", EN: "Seal"}}, {Label: web.Text{ZH: "SM3 摘要", EN: "SM3 digest"}}}}
	return q.ShowList("ledger", web.Page{Title: titleLedger, Data: c, Styles: styles}, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		s.Before, _ = strconv.ParseInt(after, 10, 64) // whatever is no number is no place: from the newest
		s.Limit = limit
		found, err := p.Ledger.Search(q.Context(), s)
		for _, e := range found {
			number := strconv.FormatInt(e.Position, 10)
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: number}, {Text: civil.Minute(e.Time)}, {Text: kindWord(e.Kind, q.Language), Path: "/audit/ledger/" + e.ID},
				outcome(e, q.Language), {Text: e.Actor}, {Text: e.Subject}, {Text: e.Data["seal"]}, {Text: digestOf(e)}}})
			next = number
		}
		if len(found) < limit || next == "0" {
			next = ""
		}
		return rows, next, err
	})
}

// proved is an entry of the ledger with what became of the check of its proof.
type proved struct {
	ledger.Entry
	Word   string
	By     web.Person
	Data   []particular
	Leaf   string   // hash, in hex
	Hashes []string // from the leaf to the root, in hex
	Raw    string   // what the leaf hash covers
	Note   string   // the checkpoint
	Size   int64    // of the ledger that the checkpoint signs
	Wrong  string   // why the proof does not hold; empty: it does
	Open   bool     // it has no place yet
}

// particular is one that an entry tells, and the page where more is said of it.
type particular struct{ Name, Value, Path string }

// names are those of the particulars that are met most often; others have the name that the ledger gives them.
var names = map[string]web.Text{"seal": {ZH: "印章", EN: "Seal"}, "document": {ZH: "文件", EN: "Document"}, "result": {ZH: "盖章文件", EN: "Sealed document"}, "sm3": {ZH: "SM3 摘要", EN: "SM3 digest"},
	"data_hash": {ZH: "签名的摘要", EN: "Digest that was signed"}, "byte_range": {ZH: "签名的范围", EN: "Range that was signed"}, "instance": {ZH: "印章实例", EN: "Instance"}, "profile": {ZH: "签章格式", EN: "Format"},
	"time": {ZH: "签章时间", EN: "Signing time"}, "code": {ZH: "原因", EN: "Reason"}, "reason": {ZH: "原因", EN: "Reason"}, "approval": {ZH: "审批", EN: "Approval"}, "request": {ZH: "审批", EN: "Approval"},
	"grant": {ZH: "用印授权", EN: "Grant"}, "to": {ZH: "授予", EN: "To"}, "application": {ZH: "申请", EN: "Application"}, "address": {ZH: "来自", EN: "From"}, "method": {ZH: "方式", EN: "How"}}

// paths lead from the particulars of entries to what they name.
var paths = map[string]string{"seal": "/office/seals/", "approval": "/office/approvals/", "request": "/office/approvals/", "application": "/office/applications/", "sealing": "/audit/sealings/"}

// check verifies a proof with the public key, as anyone else would.
func (p pages) check(q *web.Request, people *web.People, proof ledger.Proof) (proved, error) {
	e := proof.Entry
	by, err := people.Of(e.Actor)
	if err != nil {
		return proved{}, err
	}
	out := proved{Entry: e, Word: kindWord(e.Kind, q.Language), By: by, Leaf: hex.EncodeToString(ledger.Hasher{}.HashLeaf(e.Leaf)), Raw: string(e.Leaf),
		Note: proof.Checkpoint.Note, Size: proof.Checkpoint.Size}
	for _, h := range proof.Hashes {
		out.Hashes = append(out.Hashes, hex.EncodeToString(h))
	}
	subject := particular{Name: q.T("对象", "Subject"), Value: e.Subject}
	switch about, _, _ := strings.Cut(e.Kind, "."); {
	case e.Subject == "":
	case about == "grant":
		subject.Path = paths["seal"] + e.Subject
	case about == "seal" || about == "sealing" || about == "approval" || about == "application":
		subject.Path = paths[about] + e.Subject
	}
	for name, value := range e.Data {
		one := particular{Name: name, Value: value}
		if word, ok := names[name]; ok {
			one.Name = word.In(q.Language)
		}
		if to := paths[name]; to != "" && value != "" {
			one.Path = to + value
		}
		out.Data = append(out.Data, one)
	}
	slices.SortFunc(out.Data, func(a, b particular) int { return strings.Compare(a.Name, b.Name) })
	out.Data = slices.Insert(out.Data, 0, subject)
	if err := p.Ledger.Check(proof); err != nil {
		out.Wrong = fault.CodeOf(err)
	}
	return out, nil
}

func (p pages) entry(q *web.Request) error {
	checked := proved{Open: true}
	proof, err := p.Ledger.Inclusion(q.Context(), q.PathValue("id"))
	if err == nil {
		if checked, err = p.check(q, q.People(p.Access), proof); err != nil {
			return err
		}
	} else if !fault.Has(err, ledger.ErrPending) {
		return err
	}
	return q.Show("entry", web.Page{Title: web.Text{ZH: "日志条目", EN: "An entry of the ledger"}, Trail: []web.Item{{Path: "/audit/ledger", Label: titleLedger}}, Data: checked, Styles: styles})
}

// inBase64 is a root as checkpoints write it.
func inBase64(root []byte) string { return base64.StdEncoding.EncodeToString(root) }
