package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/internal/civil"
	"yinxin/internal/login"
	"yinxin/internal/login/oidc"
)

// Text is a sentence or a word in both languages.
type Text struct{ ZH, EN string }

// In is the text in a language, "zh" or "en".
func (t Text) In(language string) string {
	if language == "en" {
		return t.EN
	}
	return t.ZH
}

// Day writes a date as offices in China do: 2026年3月5日.
func Day(t time.Time, language string) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(civil.China)
	if language == "en" {
		return t.Format("2 January 2006")
	}
	return fmt.Sprintf("%d年%d月%d日", t.Year(), t.Month(), t.Day())
}

// Minute writes a moment for lists, in the time of China: 2026-03-05 14:07.
func Minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return civil.Minute(t)
}

// Number writes a whole number with a separator for thousands, as both languages do.
func Number(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Size writes a number of bytes.
func Size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.0f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}

var loginMethods = map[string]Text{login.MethodPassword: {"密码", "password"}, login.MethodKey: {"UKey", "USB Key"}}

// LoginMethod is how somebody signed in, in words.
func LoginMethod(method, language string) string {
	if word, ok := loginMethods[method]; ok {
		return word.In(language)
	}
	if name, ok := strings.CutPrefix(method, login.MethodOIDC); ok {
		return Text{"统一身份认证（" + name + "）", "identity provider (" + name + ")"}.In(language)
	}
	return method
}

// Provider is what an identity provider is called to which a link leads; one that is set up no longer has its issuer.
func Provider(all *oidc.Providers, of login.Outside) Text {
	for _, o := range all.Offered("") {
		if o.Issuer == of.Issuer && o.Claim == of.Claim {
			return Text{o.ZH, o.EN}
		}
	}
	return Text{of.Issuer, of.Issuer}
}

// AnchorPurposeWords say what a trust anchor is trusted for.
var AnchorPurposeWords = map[ca.AnchorPurpose]Text{
	ca.AnchorSigner: {ZH: "文件签章", EN: "signatures on documents"}, ca.AnchorSealMaker: {ZH: "制章", EN: "makers of seals"}, ca.AnchorTimeStamp: {ZH: "时间戳", EN: "time stamps"},
}

// AnchorPurposes are those of an anchor in words.
func AnchorPurposes(list []ca.AnchorPurpose, language string) string {
	var words []string
	for _, p := range list {
		words = append(words, AnchorPurposeWords[p].In(language))
	}
	return strings.Join(words, Text{"、", ", "}.In(language))
}
