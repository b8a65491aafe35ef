package attachment

import "yinxin/internal/fault"

// Kind says what an attachment is for.
type Kind string

// The kinds.
const (
	FormPage          Kind = "form-page"
	CreditCertificate Kind = "credit-certificate"
	IdentityFront     Kind = "identity-front"
	IdentityBack      Kind = "identity-back"
	Other             Kind = "other"
)

var kinds = []struct {
	kind  Kind
	label string
}{{FormPage, "申请表"}, {CreditCertificate, "统一社会信用代码证"}, {IdentityFront, "身份证（人像面）"}, {IdentityBack, "身份证（国徽面）"}, {Other, "其他"}}

// Kinds are all kinds, those that an application needs first.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.kind
	}
	return all
}

// Label is the word for people, empty for none of the kinds.
func (k Kind) Label() string {
	for _, known := range kinds {
		if known.kind == k {
			return known.label
		}
	}
	return ""
}

// ParseKind reads a kind. Error: attachment.unknown-kind.
func ParseKind(s string) (Kind, error) {
	if k := Kind(s); k.Label() != "" {
		return k, nil
	}
	return "", ErrKind.At(fault.Field("kind"))
}
