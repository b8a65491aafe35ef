package conform

import (
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/number"
)

// code gives the PrintableString of an extension.
func (c *certificate) code(id string) (string, bool) {
	v, ok := c.extension(id)
	var text cryptobyte.String
	if !ok || !v.ReadASN1(&text, tagPrintable) || !v.Empty() {
		return "", false
	}
	return string(text), true
}

func organisationCode(c *certificate) string {
	if _, ok := c.extension(extOrganisation); !ok {
		return ""
	}
	code, ok := c.code(extOrganisation)
	switch {
	case !ok:
		return "it is not a PrintableString"
	case !creditCode(code):
		return "it is not a credit code with the right check character"
	}
	return ""
}

// Identity gives the 身份证号 that a certificate carries, or nothing.
func Identity(certificate []byte) string {
	c, ok := read(certificate)
	if !ok {
		return ""
	}
	v, _ := c.extension(extIdentity)
	var number cryptobyte.String
	if !v.ReadASN1(&number, der.Tag(0).ContextSpecific()) || !v.Empty() {
		return ""
	}
	return string(number)
}

// identityCode wants the choice residenterCardNumber: [0] PrintableString, with a right check character.
func identityCode(c *certificate) string {
	v, ok := c.extension(extIdentity)
	if !ok {
		return ""
	}
	var text cryptobyte.String
	switch {
	case !v.ReadASN1(&text, der.Tag(0).ContextSpecific()) || !v.Empty():
		return "it is not the number of an identity card"
	case !c.identityNumber(string(text)):
		return "it is not an identity number with the right check character"
	}
	return ""
}

func creditCode(s string) bool { return number.CreditCode(s) == nil }

// identityNumber judges by the day on which the certificate begins.
func (c *certificate) identityNumber(s string) bool {
	on, ok := c.notBefore.time()
	_, err := number.Identity(s, on)
	return ok && err == nil
}
