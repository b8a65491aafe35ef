package form

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
)

var today = time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)

func circumstances() Circumstances {
	return Circumstances{Today: today, Agreements: []string{"2026-01"}, Regions: fixtures.Regions()}
}

// forBusiness is the sample changed into a complete form for a business about an existing seal.
func forBusiness(b ...Business) Application {
	a := sample()
	a.Businesses = b
	if !a.Has(New) {
		a.Seal.Code = "22710000000017"
	}
	if a.Has(OrganisationChange) {
		a.FormerName = "临江省云山市档案局档案馆"
	}
	if a.ConcernsKey() {
		a.Key = Key{Holder: "何书宁", Serial: "YX-0017"}
		a.Personal.KeyHolderIdentity = "227202199210163767"
	}
	return a
}

func TestAGoodFormOfEachBusinessPasses(t *testing.T) {
	for name, b := range map[string][]Business{"新申请": {New}, "机构变更与印模变更": {OrganisationChange, ImprintChange}, "印模变更": {ImprintChange},
		"Key 补办": {KeyReplacement}, "Key 解锁": {KeyUnlock}, "注销": {Cancellation}} {
		c := circumstances()
		a := forBusiness(b...)
		if f := Check(a, c); len(f) != 0 {
			t.Errorf("%s: %+v", name, f)
		}
		c.Original = &Reading{StampedUnit: a.Unit.Name, ImprintText: a.Seal.Name, Measured: Round(42.9), Centre: Star}
		if !a.NeedsImprint() {
			c.Original.ImprintText = ""
		}
		c.Existing = &Existing{Unit: a.Unit.Name, Name: a.Seal.Name, Type: a.SealType}
		if a.Has(OrganisationChange) {
			c.Existing.Unit = a.FormerName
		}
		if f := Check(a, c); len(f) != 0 {
			t.Errorf("%s with everything known: %+v", name, f)
		}
	}
	lost := forBusiness(KeyReplacement)
	lost.Key.Serial = ""
	if f := Check(lost, circumstances()); len(f) != 0 {
		t.Errorf("a lost Key has no serial number to tell: %+v", f)
	}
}

// findingCase breaks one rule.
type findingCase struct {
	name   string
	base   []Business
	change func(*Application, *Circumstances)
	want   string // code@field
	how    Severity
}

func findingCases() []findingCase {
	edit := func(name, want string, how Severity, f func(*Application)) findingCase {
		return findingCase{name, []Business{New}, func(a *Application, _ *Circumstances) { f(a) }, want, how}
	}
	of := func(b Business, name, want string, how Severity, f func(*Application, *Circumstances)) findingCase {
		return findingCase{name, []Business{b}, f, want, how}
	}
	read := func(name, want string, how Severity, r Reading) findingCase {
		return findingCase{name, []Business{New}, func(_ *Application, c *Circumstances) { c.Original = &r }, want, how}
	}
	const unit = "临江省云山市档案馆"
	return []findingCase{
		edit("no business", "form.required@businesses", Error, func(a *Application) { a.Businesses = nil }),
		edit("no seal type", "form.required@sealType", Error, func(a *Application) { a.SealType = "" }),
		edit("no unit type", "form.required@unit.type", Error, func(a *Application) { a.Unit.Type = "" }),
		edit("no scope", "form.required@scopes", Error, func(a *Application) { a.Scopes = nil }),
		edit("no method", "form.required@methods", Error, func(a *Application) { a.Methods = nil }),
		edit("no size", "form.required@seal.size", Error, func(a *Application) { a.Seal.Size = Size{} }),
		edit("unknown seal type", "form.unknown-choice@sealType", Error, func(a *Application) { a.SealType = "公章" }),
		edit("unknown business", "form.unknown-choice@businesses", Error, func(a *Application) { a.Businesses = []Business{"x"} }),
		edit("unknown scope", "form.unknown-choice@scopes", Error, func(a *Application) { a.Scopes = []Scope{"x"} }),
		edit("unknown method", "form.unknown-choice@methods", Error, func(a *Application) { a.Methods = []Method{"x"} }),
		edit("other seal without a text", "form.required@sealTypeOther", Error, func(a *Application) { a.SealType = SealOther }),
		edit("other unit without a text", "form.required@unit.typeOther", Error, func(a *Application) { a.Unit.Type = UnitOther }),
		edit("a text of other without other", "form.not-applicable@sealTypeOther", Error, func(a *Application) { a.SealTypeOther = "骑缝章" }),
		edit("a former name on a new application", "form.not-applicable@formerName", Error, func(a *Application) { a.FormerName = "x" }),
		edit("a code on a new application", "form.not-applicable@seal.code", Error, func(a *Application) { a.Seal.Code = "22710000000017" }),
		of(ImprintChange, "no code of the seal", "form.required@seal.code", Error, func(a *Application, _ *Circumstances) { a.Seal.Code = "" }),
		of(ImprintChange, "a short code", "form.seal-code@seal.code", Error, func(a *Application, _ *Circumstances) { a.Seal.Code = "2271" }),
		of(OrganisationChange, "no former name", "form.required@formerName", Error, func(a *Application, _ *Circumstances) { a.FormerName = "" }),
		of(OrganisationChange, "the name stays", "form.same-name@formerName", Confirm, func(a *Application, _ *Circumstances) { a.FormerName = unit }),
		of(OrganisationChange, "no new imprint", "form.imprint-unchanged@businesses", Confirm, func(*Application, *Circumstances) {}),
		of(OrganisationChange, "the text changes, no new imprint", "form.imprint-needed@businesses", Error, func(a *Application, c *Circumstances) {
			c.Existing = &Existing{Unit: a.FormerName, Name: a.FormerName}
		}),
		of(OrganisationChange, "another former name", "form.former-name@formerName", Error, func(a *Application, c *Circumstances) {
			c.Existing = &Existing{Unit: "另一机构", Name: a.Seal.Name}
		}),
		of(Cancellation, "another holder", "form.other-holder@unit.name", Error, func(a *Application, c *Circumstances) {
			c.Existing = &Existing{Unit: "另一机构", Name: a.Seal.Name}
		}),
		of(Cancellation, "another text", "form.other-seal-text@seal.name", Error, func(a *Application, c *Circumstances) {
			c.Existing = &Existing{Unit: unit, Name: unit + "业务专用章"}
		}),
		of(ImprintChange, "another text of the imprint", "form.other-seal-text@seal.name", Confirm, func(a *Application, c *Circumstances) {
			c.Existing = &Existing{Unit: unit, Name: unit + "（旧）"}
		}),
		of(Cancellation, "another type", "form.other-seal-type@sealType", Confirm, func(a *Application, c *Circumstances) {
			c.Existing = &Existing{Unit: unit, Name: unit, Type: SealFinance}
		}),
		edit("two businesses", "form.business-combination@businesses", Error, func(a *Application) { a.Businesses = []Business{New, Cancellation} }),
		of(KeyUnlock, "a Key of central use", "form.key-without-distributed-use@methods", Error, func(a *Application, _ *Circumstances) { a.Methods = []Method{Central} }),
		of(KeyUnlock, "no holder", "form.required@key.holder", Error, func(a *Application, _ *Circumstances) { a.Key.Holder = "" }),
		of(KeyUnlock, "no serial", "form.required@key.serial", Error, func(a *Application, _ *Circumstances) { a.Key.Serial = "" }),
		of(KeyUnlock, "no identity of the holder", "form.required@personal.keyHolderIdentity", Error, func(a *Application, _ *Circumstances) { a.Personal.KeyHolderIdentity = "" }),
		of(KeyUnlock, "20 digits", "number.identity-length@personal.keyHolderIdentity", Error, func(a *Application, _ *Circumstances) {
			a.Personal.KeyHolderIdentity = "22720219921016376700"
		}),
		edit("application number", "form.number@number", Error, func(a *Application) { a.Number = "申请-1" }),
		edit("credit code", "number.credit-check@unit.creditCode", Error, func(a *Application) { a.Unit.CreditCode = "122271004056958678" }),
		edit("a region of nowhere", "number.credit-region-unknown@unit.creditCode", Confirm, func(a *Application) { a.Unit.CreditCode = "12226900300000010A" }),
		edit("identity of a region of nowhere", "number.identity-region-unknown@personal.handlerIdentity", Confirm, func(a *Application) { a.Personal.HandlerIdentity = "226901199003070016" }),
		edit("identity", "number.identity-check@personal.handlerIdentity", Error, func(a *Application) { a.Personal.HandlerIdentity = "227602196806238528" }),
		edit("mobile", "number.mobile@personal.handlerMobile", Error, func(a *Application) { a.Personal.HandlerMobile = "1543537508" }),
		edit("the code of another kind of unit", "form.unit-kind@unit.type", Confirm, func(a *Application) { a.Unit.Type = UnitAdministrative }),
		edit("a mobile as telephone", "form.phone@unit.phone", Confirm, func(a *Application) { a.Unit.Phone = "15435375086" }),
		edit("e-mail", "form.email@handler.email", Error, func(a *Application) { a.Handler.Email = "Xu <x@archive.example>" }),
		edit("e-mail without a domain", "form.email@handler.email", Error, func(a *Application) { a.Handler.Email = "x@localhost" }),
		edit("a date that is none", "form.date@appliedOn", Error, func(a *Application) { a.AppliedOn = "2026-02-30" }),
		edit("tomorrow", "form.date-ahead@appliedOn", Error, func(a *Application) { a.AppliedOn = "2026-11-27" }),
		edit("not agreed", "form.agreement@agreement.accepted", Error, func(a *Application) { a.Agreement.Accepted = false }),
		edit("an old agreement", "form.agreement-version@agreement.version", Error, func(a *Application) { a.Agreement.Version = "2020-01" }),
		edit("agreed in the future", "form.agreement-record@agreement.at", Error, func(a *Application) { a.Agreement.At = "2026-11-26T02:00:01Z" }),
		edit("agreed by nobody", "form.agreement-record@agreement.by", Error, func(a *Application) { a.Agreement.By = "" }),
		edit("a long name", "form.name-too-long@unit.name", Error, func(a *Application) { a.Unit.Name = strings.Repeat("云", 47) }),
		edit("a direction mark", "form.bad-text@purpose", Error, func(a *Application) { a.Purpose = "用\u202e途" }),
		edit("a blank in the name", "form.name-blank@unit.name", Confirm, func(a *Application) { a.Unit.Name = "临江省 云山市档案馆" }),
		edit("the official seal has another text", "form.official-name@seal.name", Confirm, func(a *Application) { a.Seal.Name = unit + "（1）" }),
		edit("a special seal like the official one", "form.special-name@seal.name", Error, func(a *Application) { a.SealType = SealContract }),
		edit("a special seal of nobody", "form.special-unit@seal.name", Confirm, func(a *Application) { a.SealType, a.Seal.Name = SealContract, "合同专用章" }),
		edit("45.05 mm", "form.size@seal.size", Error, func(a *Application) { a.Seal.Size = Round(45.05) }),
		edit("a diameter and a width", "form.size@seal.size", Error, func(a *Application) { a.Seal.Size = Size{42, 40, 30} }),
		edit("50 mm for an institution", "form.size-rule@seal.size", Confirm, func(a *Application) { a.Seal.Size = Round(50) }),
		edit("an official ellipse", "form.not-round@seal.size", Confirm, func(a *Application) { a.Seal.Size = Size{Width: 40, Height: 30} }),
		read("another stamp", "form.stamped-unit@original.stampedUnit", Error, Reading{StampedUnit: "临江省云山市档案局", ImprintText: unit}),
		read("no stamp", "form.required@original.stampedUnit", Error, Reading{ImprintText: unit}),
		read("no imprint", "form.required@original.imprintText", Error, Reading{StampedUnit: unit}),
		read("another text", "form.imprint-text@original.imprintText", Error, Reading{StampedUnit: unit, ImprintText: "临江省云山市档案馆 "}),
		read("43.1 mm for 42", "form.size-measured@original.measured", Error, Reading{StampedUnit: unit, ImprintText: unit, Measured: Round(43.1)}),
		of(New, "41.1 × 30 mm for 40 × 30", "form.size-measured@original.measured", Error, func(a *Application, c *Circumstances) {
			a.Seal.Size = Size{Width: 40, Height: 30}
			c.Original = &Reading{StampedUnit: unit, ImprintText: unit, Measured: Size{Width: 41.1, Height: 30}}
		}),
		read("an emblem", "form.centre@original.centre", Confirm, Reading{StampedUnit: unit, ImprintText: unit, Centre: Emblem}),
	}
}

func TestEachRuleIsFoundBroken(t *testing.T) {
	seen := map[string]bool{}
	for _, fc := range findingCases() {
		a, c := forBusiness(fc.base...), circumstances()
		fc.change(&a, &c)
		found := false
		for _, f := range Check(a, c) {
			seen[f.Code] = true
			if f.Key() == fc.want && f.Severity == fc.how {
				found = true
			}
			if f.Label == "" || !strings.HasSuffix(f.ZH, "。") && !strings.HasSuffix(f.ZH, "）") || f.EN == "" {
				t.Errorf("%s: a finding without words: %+v", fc.name, f)
			}
			for _, secret := range []string{a.Personal.HandlerIdentity, a.Personal.HandlerMobile, a.Personal.KeyHolderIdentity} {
				if secret != "" && strings.Contains(f.ZH+f.EN, secret) {
					t.Errorf("%s: a finding tells a personal value", fc.name)
				}
			}
		}
		if !found {
			t.Errorf("%s: want %s %s, found %+v", fc.name, fc.how, fc.want, Check(a, c))
		}
	}
	for _, code := range declaredFindings(t) {
		if !seen[code] {
			t.Errorf("no case makes %s", code)
		}
	}
}

// declaredFindings are the codes of findings.go, so that none can be added without a case.
func declaredFindings(t *testing.T) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "findings.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Code" {
				code, err := strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				codes = append(codes, code)
			}
		}
		return true
	})
	if len(codes) < 30 {
		t.Fatalf("only %d findings are declared", len(codes))
	}
	return codes
}

func TestAnEmptyFormNamesEveryStarOfAnnex1(t *testing.T) {
	starred := map[string]bool{}
	for _, f := range Check(Application{}, circumstances()) {
		if f.Code == "form.required" {
			starred[f.Label] = true
		}
	}
	for _, label := range []string{"印章类型", "业务类型", "用章范围", "用章方式", "申请单位名称", "申请单位类型", "审批单位名称", "申请印章用途", "统一社会信用代码",
		"单位固定电话", "单位地址", "经办人姓名", "经办人身份证号", "印章名称", "实物印章直径（或长宽/毫米）"} {
		if !starred[label] {
			t.Errorf("%s may stay empty", label)
		}
	}
	for _, label := range []string{"经办人电话（手机）", "邮箱（Email）", "收件地址", "变更前机构名称"} {
		if starred[label] {
			t.Errorf("%s has no star on the form", label)
		}
	}
}

func TestSizesFollowTheRuleOf1999(t *testing.T) {
	for _, c := range []struct {
		unit   UnitType
		name   string
		size   float64
		passes bool
	}{
		{UnitAdministrative, "国务院", 60, true}, {UnitAdministrative, "国务院", 50, false},
		{UnitAdministrative, "临江省人民政府", 50, true}, {UnitAdministrative, "临江省人民政府", 45, false},
		{UnitAdministrative, "北京市人民政府", 50, true}, {UnitAdministrative, "西藏自治区人民政府", 50, true},
		{UnitAdministrative, "临江省云山市人民政府", 45, true}, {UnitAdministrative, "临江省云山市人民政府", 42, false},
		{UnitAdministrative, "延边朝鲜族自治州人民政府", 45, true}, {UnitAdministrative, "云山市东林区人民政府", 45, true},
		{UnitAdministrative, "阿里地区行政公署", 45, true}, {UnitAdministrative, "临江省松台县清河镇人民政府", 42, true},
		{UnitAdministrative, "临江省松台县清河镇人民政府", 45, false}, {UnitAdministrative, "国家税务总局", 45, true},
		{UnitAdministrative, "中华人民共和国云山海关", 42, true}, {UnitAdministrative, "中华人民共和国驻某国大使馆", 42, true},
		{UnitAdministrative, "中华人民共和国驻某国大使馆", 45, false}, {UnitAdministrative, "临江省档案局", 45, true},
		{UnitAdministrative, "临江省档案局", 46, false}, {UnitInstitution, "临江省档案馆", 45, true}, {UnitInstitution, "临江省档案馆", 38, true},
		{UnitInstitution, "临江省档案馆", 45.1, false}, {UnitAssociation, "临江省档案学会", 50, false}, {UnitOther, "临江档案服务有限公司", 50, false},
	} {
		a := sample()
		a.Unit.Type, a.Unit.TypeOther, a.Unit.Name, a.Seal.Name, a.Seal.Size = c.unit, "", c.name, c.name, Round(c.size)
		passes := true
		for _, f := range Check(a, circumstances()) {
			if f.Field == "seal.size" {
				passes = false
				if f.Severity != Confirm {
					t.Errorf("%s, %g mm is refused, not asked about", c.name, c.size)
				}
			}
		}
		if passes != c.passes {
			t.Errorf("%s, %g mm passes: %v", c.name, c.size, passes)
		}
	}
	for _, c := range []struct {
		kind   SealType
		size   Size
		passes bool
	}{{SealContract, Round(58), true}, {SealContract, Round(59), false}, {SealFinance, Round(38), true}, {SealFinance, Round(36), false},
		{SealInvoice, Size{Width: 40, Height: 30}, true}, {SealFinance, Size{Width: 40, Height: 30}, false}, {SealName, Size{Width: 20, Height: 20}, true}} {
		a := sample()
		a.SealType, a.Seal.Size = c.kind, c.size
		passes := true
		for _, f := range Check(a, circumstances()) {
			passes = passes && f.Field != "seal.size"
		}
		if passes != c.passes {
			t.Errorf("%s, %s mm passes: %v", c.kind.Label(), c.size, passes)
		}
	}
}

func TestALargeSealCanBeConfirmedAndAMissingPhoneCannot(t *testing.T) {
	a := sample()
	a.Seal.Size, a.Unit.Phone = Round(50), ""
	all := Check(a, circumstances())
	if len(all) != 2 || all[0].Key() == all[1].Key() {
		t.Fatalf("%+v", all)
	}
	severities := map[string]Severity{}
	for _, f := range all {
		severities[f.Field] = f.Severity
	}
	if severities["seal.size"] != Confirm || severities["unit.phone"] != Error {
		t.Errorf("severities: %v", severities)
	}
}

func TestTheFindingsAreInTheOrderOfTheFormAndAlwaysTheSame(t *testing.T) {
	first := Check(Application{Businesses: []Business{KeyUnlock}}, circumstances())
	for range 20 {
		again := Check(Application{Businesses: []Business{KeyUnlock}}, circumstances())
		for i := range first {
			if first[i] != again[i] {
				t.Fatal("another order")
			}
			if i > 0 && place(first[i-1].Field) > place(first[i].Field) {
				t.Errorf("%s before %s", first[i-1].Field, first[i].Field)
			}
		}
	}
}
