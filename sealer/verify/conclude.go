package verify

import (
	"fmt"
	"slices"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// sentences is an error in both languages, without internals.
func sentences(err error) text {
	if f, ok := fault.Of(err); ok {
		return text{strings.TrimSuffix(f.Sentence("zh"), "。"), strings.TrimSuffix(f.Sentence("en"), ".")}
	}
	return text{strings.TrimSuffix(errRead.ZH, "。"), strings.TrimSuffix(errRead.EN, ".")}
}

// conclude turns the work into the report: later changes, the verdict of each signature, that of the file, and what
// to tell the person.
func (v *verification) conclude() {
	r := v.report
	if v.err != nil {
		v.fail()
		return
	}
	v.applyChanges()
	if v.doc.Encrypted() {
		v.note(text{"文件已加密：比较各版本时未解密内容。", "The file is encrypted: its revisions were compared without decrypting."})
	}
	if v.empty > 0 {
		v.note(text{fmt.Sprintf("文件中有 %d 个尚未签名的签名域。", v.empty), fmt.Sprintf("The file has %d empty signature fields.", v.empty)})
	}
	if len(v.signatures) == 0 {
		r.Verdict = Unsealed
		r.Summary = text{"未发现电子签章。印章图案可能只是图片。",
			"No electronic seal was found. A picture of a seal may be just a picture."}.in(v.options.Language)
		return
	}
	verdicts := make([]Verdict, 0, len(v.signatures))
	for _, s := range v.signatures {
		s.out.Verdict = s.verdict
		s.out.Summary = s.summary().in(s.lang)
		s.out.Page = v.pageOf(s)
		if length, err := s.asSealed(); err == nil {
			s.out.AsSealedBytes = length
		}
		verdicts = append(verdicts, s.verdict)
		r.Signatures = append(r.Signatures, s.out)
	}
	r.Verdict = Worst(verdicts...)
	if v.undecided && r.Verdict.severity() < Undetermined.severity() {
		r.Verdict = Undetermined
	}
	r.Summary = v.summary().in(v.options.Language)
	onlyStamps := !slices.ContainsFunc(v.signatures, func(s *signature) bool { return s.out.Kind != KindTimeStamp })
	if onlyStamps && r.Verdict.severity() < Unsealed.severity() {
		// Anyone can have anything stamped: it says when, not who.
		r.Verdict = Unsealed
		r.Summary = text{"未发现电子签章：文件只有时间戳，它证明文件何时已存在，不证明由谁出具。",
			"No electronic seal was found: there is only a time stamp, which shows when the file existed and not who issued it."}.in(v.options.Language)
	}
}

// pageOf finds the page that a signature's widget stands on; 0 when it has none, or that is not easily found.
func (v *verification) pageOf(s *signature) int {
	if len(s.field.Widgets) == 0 {
		return 0
	}
	o, err := v.doc.Object(s.field.Widgets[0])
	widget, ok := o.(pdf.Dict)
	if err != nil || !ok {
		return 0
	}
	page, ok := widget.Get("P").(pdf.Ref)
	if !ok {
		return 0
	}
	return v.doc.PageNumber(page)
}

// fail makes the report of a file that could not be judged to the end. Signatures already found broken stay broken.
func (v *verification) fail() {
	r := v.report
	r.Error = v.problem()
	r.Verdict = Unreadable
	r.Summary = text{"无法读取该文件：", "The file cannot be read: "}.in(v.options.Language) + r.Error.Detail
	if verdict, ok := v.salvagedVerdict(); ok {
		r.Verdict = verdict
		r.Summary = v.summary().in(v.options.Language)
	}
	for _, s := range v.signatures {
		s.lower(Undetermined, text{"验证未完成。", "The verification was not completed."})
		s.out.Verdict = s.verdict
		s.out.Summary = s.summary().in(s.lang)
		r.Signatures = append(r.Signatures, s.out)
	}
}

// applyChanges gives every signature the changes that came after it. What a later valid signature covers does not
// count as an addition: whoever made that one has seen it.
func (v *verification) applyChanges() {
	for _, s := range v.signatures {
		if !s.sound {
			continue
		}
		for _, r := range v.revisions {
			if r.end <= s.end {
				continue
			}
			for _, c := range r.changes {
				s.out.ChangesAfter = append(s.out.ChangesAfter, changeOf(c, s.lang))
				if !c.Permitted {
					s.lower(Modified, text{"盖章后内容被改动：" + c.ZH, "The content was changed after sealing: " + c.EN})
				}
			}
		}
		v.changeCheck(s)
		if v.padded {
			s.lower(Undetermined, text{"文件末尾的空白过多，有的阅读软件找不到文件的结尾，会自行重建文件并可能显示不同的内容；去掉多余的空白后可再验证。",
				"so much white space follows the end that some readers do not find it, rebuild the document and may show something else; take the white space off and verify again."})
		}
	}
	covered := int64(0) // the end of what valid signatures cover
	for _, s := range slices.Backward(v.signatures) {
		if !s.sound {
			continue
		}
		added := slices.ContainsFunc(v.revisions, func(r revision) bool {
			return r.end > s.end && r.end > covered && len(r.changes) > 0
		})
		if added {
			s.lower(ValidWithAdditions, text{"盖章后追加了许可范围内的内容。", "Permitted additions were made after sealing."})
		}
		if s.verdict.severity() <= ValidWithAdditions.severity() {
			covered = max(covered, s.end)
		}
	}
}

// changeCheck records what the comparison found as a step.
func (v *verification) changeCheck(s *signature) {
	refused := slices.IndexFunc(s.out.ChangesAfter, func(c Change) bool { return !c.Permitted })
	switch {
	case refused >= 0:
		s.check(CheckLaterChanges, Failed, Valid, text{s.out.ChangesAfter[refused].Detail, s.out.ChangesAfter[refused].Detail})
	case len(s.out.ChangesAfter) > 0:
		s.check(CheckLaterChanges, Note, Valid, text{
			fmt.Sprintf("之后有 %d 处许可范围内的追加。", len(s.out.ChangesAfter)),
			fmt.Sprintf("%d permitted additions came after.", len(s.out.ChangesAfter))})
	default:
		s.ok(CheckLaterChanges, text{"之后没有追加内容。", "Nothing was added after."})
	}
}

// summary says the verdict of one signature to a person, with the reason.
func (s *signature) summary() text {
	switch s.verdict {
	case Valid:
		return text{s.noun().zh + "有效，此后内容未被改动。", "The " + s.noun().en + " is valid and nothing was changed since."}
	case ValidWithAdditions:
		return text{s.noun().zh + "有效，此后追加了许可范围内的内容。", "The " + s.noun().en + " is valid; permitted additions were made since."}
	case Undetermined:
		return text{"无法完全确认：" + s.reason.zh, "Not fully confirmed: " + s.reason.en}
	case Modified:
		return text{"验证不通过：" + s.reason.zh, "Not valid: " + s.reason.en}
	}
	return text{"签名无效：" + s.reason.zh, "The signature is not valid: " + s.reason.en}
}

// noun names what a signature is.
func (s *signature) noun() text {
	switch {
	case s.out.Kind == KindTimeStamp:
		return text{"时间戳", "time stamp"}
	case s.out.Kind == KindSeal || s.out.Seal != "":
		return text{"签章", "seal"}
	}
	return text{"签名", "signature"}
}

// verb says what the signers did: sealed, or only signed.
func (v *verification) verb() (done, since text) {
	if slices.ContainsFunc(v.signatures, func(s *signature) bool { return s.noun().en == "seal" }) {
		return text{"盖章出具", "sealed"}, text{"盖章", "sealing"}
	}
	return text{"签名", "signed"}, text{"签名", "signing"}
}

// summary says the verdict of the file to a person (wording: pages of the verifier).
func (v *verification) summary() text {
	verdict := v.report.Verdict
	i := slices.IndexFunc(v.signatures, func(s *signature) bool { return s.verdict == verdict })
	if i < 0 {
		return text{"无法完全确认：签名过多，未全部检查。请向出证单位核实。", "Not fully confirmed: there are too many signatures. Ask the issuer."}
	}
	s := v.signatures[i]
	switch verdict {
	case Valid:
		owners := v.owners()
		done, since := v.verb()
		return text{fmt.Sprintf("验证通过：本文件由 %s %s，自%s后未被改动。", owners.zh, done.zh, since.zh),
			fmt.Sprintf("Verified: this document was %s by %s and was not changed since.", done.en, owners.en)}
	case ValidWithAdditions:
		owners := v.owners()
		done, since := v.verb()
		return text{fmt.Sprintf("验证通过：本文件由 %s %s，%s后追加了许可范围内的内容。", owners.zh, done.zh, since.zh),
			fmt.Sprintf("Verified: this document was %s by %s; permitted additions were made since.", done.en, owners.en)}
	case Undetermined:
		if !s.unchanged() {
			return text{"无法完全确认：" + s.reason.zh + "请向出证单位核实。", "Not fully confirmed: " + s.reason.en + " Ask the issuer."}
		}
		return text{"无法完全确认：内容未改动，但" + s.reason.zh + "请向出证单位核实。",
			"Not fully confirmed: the content is unchanged, but: " + s.reason.en + " Ask the issuer."}
	case Modified:
		return text{"验证不通过：" + s.reason.zh + "请勿采信。", "Not valid: " + s.reason.en + " Do not rely on it."}
	}
	if !s.broken {
		return text{"验证不通过：" + s.reason.zh + "请勿采信。", "Not valid: " + s.reason.en + " Do not rely on it."}
	}
	return text{"验证不通过：签名数据无效或缺失。" + s.reason.zh + "文件上的印章图案没有有效的电子签名支持，请勿采信。",
		"Not valid: the signature is broken or missing. " + s.reason.en + " The picture of the seal is not backed by a signature; do not rely on it."}
}

// owners names those who sealed, each once.
func (v *verification) owners() text {
	var names []string
	for _, s := range v.signatures {
		if s.owner != "" && s.out.Kind != KindTimeStamp && !slices.Contains(names, s.owner) {
			names = append(names, s.owner)
		}
	}
	if len(names) > 5 {
		names = append(names[:5], "…")
	}
	return text{strings.Join(names, "、"), strings.Join(names, ", ")}
}
