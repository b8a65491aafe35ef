package ceremony

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"yinxin/ca"
)

// Issuers are the CAs that issue below the root. In the file they are a list, or, where there is one, its fields alone:
//
//	issuing:                          issuing:
//	  name: 签发证书                    - {id: unit, name: 机构签发证书, profiles: [institution, seal-maker, tsa]}
//	  years: 10                         - {id: person, name: 个人签发证书, profiles: [personal, encryption]}
type Issuers []Issuing

// Issuing is a CA that issues. Its keys stand in the keystore of the service.
type Issuing struct {
	ID       string       `yaml:"id,omitempty"` // see ca.ValidIssuerID
	Name     string       `yaml:"name"`
	Years    int          `yaml:"years"`
	Profiles []ca.Profile `yaml:"profiles,omitempty"` // what it issues: each of ca.EndProfiles stands with one CA
}

// UnmarshalYAML takes both forms. This older form of the method keeps the reader's rule that fields must be known.
func (l *Issuers) UnmarshalYAML(unmarshal func(any) error) error {
	var k kind
	if err := unmarshal(&k); err != nil {
		return err
	}
	if k == kind(yaml.SequenceNode) {
		return unmarshal((*[]Issuing)(l))
	}
	*l = make(Issuers, 1)
	return unmarshal(&(*l)[0])
}

// kind is what stands in the file, whatever is in it.
type kind yaml.Kind

func (k *kind) UnmarshalYAML(n *yaml.Node) error {
	*k = kind(n.Kind)
	return nil
}

// MarshalYAML writes one CA that issues everything as its fields alone.
func (l Issuers) MarshalYAML() (any, error) {
	if len(l) == 1 && l[0].ID == ca.FirstIssuer && len(l[0].Profiles) == len(ca.EndProfiles()) {
		return Issuing{Name: l[0].Name, Years: l[0].Years}, nil
	}
	return []Issuing(l), nil
}

// filled completes what is left to us.
func (l Issuers) filled(organisation string) Issuers {
	if l != nil && len(l) == 0 { // a list that names nobody is a mistake
		return l
	}
	var list Issuers
	for _, i := range ca.FillIssuing(l.CAs(), organisation) {
		list = append(list, Issuing(i))
	}
	return list
}

// wrong gives the first value that cannot be. Of a single CA the path has no index, since the file may have none.
func (l Issuers) wrong(root Root) flaw {
	path, value := ca.CheckIssuing(l.CAs(), root.Name, root.Years)
	if len(l) == 1 {
		path = strings.Replace(path, "[0]", "", 1)
	}
	return flaw{path, value}
}

// CAs are the issuing CAs as ca.Establish takes them.
func (l Issuers) CAs() []ca.IssuingCeremony {
	var list []ca.IssuingCeremony
	for _, i := range l {
		list = append(list, ca.IssuingCeremony(i))
	}
	return list
}

func (l Issuers) describe() []string {
	if len(l) == 1 {
		return []string{
			fmt.Sprintf("签发证书 issuing certificate: %s, %d 年 years", l[0].Name, l[0].Years),
			"OCSP、制章者、时间戳证书 certificates for OCSP, seal maker, time stamps",
		}
	}
	var lines []string
	for _, i := range l {
		var profiles []string
		for _, p := range i.Profiles {
			profiles = append(profiles, string(p))
		}
		lines = append(lines, fmt.Sprintf("签发证书 issuing certificate %s: %s, %d 年 years: %s", i.ID, i.Name, i.Years, strings.Join(profiles, ", ")))
	}
	return append(lines, fmt.Sprintf("OCSP 证书 OCSP certificates: %d", len(l)), "制章者、时间戳证书 certificates for seal maker, time stamps")
}
