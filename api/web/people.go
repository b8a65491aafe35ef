package web

import (
	"strings"

	"yinxin/internal/access"
)

// Person is somebody, or a program, as pages show who stands in a record.
type Person struct {
	access.Actor
	Kind string // a person or a program; who has no role is retired or never had one
}

// People finds what people and programs are called, once each for a page.
type People struct {
	request *Request
	source  *access.Service
	known   map[string]Person
}

// People begins with nobody.
func (q *Request) People(source *access.Service) *People {
	return &People{q, source, map[string]Person{}}
}

// Of gives somebody by their identifier: see access.Service.Named. An empty one is nobody: the service itself.
func (p *People) Of(id string) (Person, error) {
	if one, ok := p.known[id]; ok || id == "" {
		return one, nil
	}
	a, err := p.source.Named(p.request.Context(), id)
	if err != nil {
		return Person{}, err
	}
	one := Person{a, p.request.T("人员", "person")}
	switch {
	case len(a.Roles) == 0:
		one.Kind = p.request.T("已停用或无角色", "retired or without a role")
	case a.Has(access.RolePlatform) || a.Has(access.RoleRequester):
		one.Kind = p.request.T("平台程序（接口密钥）", "program (API keys)")
	}
	p.known[id] = one
	return one, nil
}

// Cell shows somebody in a list: the name over the identifier.
func (p Person) Cell() Cell {
	if p.Name == p.ID {
		return Cell{Text: p.ID}
	}
	return Cell{Text: p.Name, Fine: p.ID}
}

// Decision is what two people decide, with who asked and who decided.
type Decision struct {
	access.Pending
	Asker, By Person
}

// Decision names those who stand behind a request.
func (p *People) Decision(r access.Pending) (d Decision, err error) {
	d.Pending = r
	if d.Asker, err = p.Of(r.Requester); err == nil {
		d.By, err = p.Of(r.Decider)
	}
	return d, err
}

// RoleWords are the roles in words.
var RoleWords = map[access.Role]Text{
	access.RoleRegistrar: {ZH: "登记员", EN: "registrar"}, access.RoleApprover: {ZH: "审核员", EN: "approver"}, access.RoleOperator: {ZH: "用印员", EN: "operator"},
	access.RolePlatform: {ZH: "平台程序", EN: "platform"}, access.RoleAuditor: {ZH: "审计员", EN: "auditor"}, access.RoleAdministrator: {ZH: "管理员", EN: "administrator"},
	access.RoleApplicant: {ZH: "经办人", EN: "applicant"}, access.RoleCity: {ZH: "市级", EN: "city"}, access.RoleRequester: {ZH: "协作方程序", EN: "requester"},
}

// Roles are those of somebody in words.
func (q *Request) Roles(roles []access.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = RoleWords[r].In(q.Language)
	}
	return strings.Join(words, q.T("、", ", "))
}
