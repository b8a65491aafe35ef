package web

import (
	"encoding/pem"
	"strings"
	"time"

	"yinxin/internal/civil"
	"yinxin/sealer/verify"
	"yinxin/sealer/verify/sheet"
)

// certificateCards is what the page shows of a file of certificates.
type certificateCards struct {
	File, At string
	Cards    []certificateCard
	// PEM is all of them, for the form that asks about another time: nothing was kept here. Asked is its time, Latest the last
	// that can be asked for.
	PEM, Asked, Latest string
}

type certificateCard struct {
	verify.JudgedCertificate
	Number       int
	From, Until  string
	Usages       string
	SM3Groups    string
	SHA256Groups string
	NowLook      standingLook
	ThenLook     *standingLook
}

// standingLook is a state as it appears.
type standingLook struct {
	sheet.Look
	verify.CertificateStanding
	When string
}

// MinuteField is how browsers write the value of a field for date and time.
const MinuteField = "2006-01-02T15:04"

func certificatesOf(r *verify.CertificatesReport, language string) *certificateCards {
	v := &certificateCards{File: r.File, At: sheet.Moment(r.At, language), Latest: fieldTime(r.At)}
	look := func(s verify.CertificateStanding) standingLook {
		return standingLook{sheet.CertificateLookOf(s.State, language), s, sheet.Moment(s.At, language)}
	}
	var all strings.Builder
	for i, c := range r.Certificates {
		card := certificateCard{JudgedCertificate: c, Number: i + 1, From: sheet.Moment(c.NotBefore, language), Until: sheet.Moment(c.NotAfter, language),
			SM3Groups: grouped(c.SM3), SHA256Groups: grouped(c.SHA256), NowLook: look(c.Now)}
		words := make([]string, len(c.KeyUsage))
		for i, u := range c.KeyUsage {
			words[i] = sheet.UsageWord(u, language)
		}
		card.Usages = strings.Join(words, Text{"、", ", "}.In(language))
		if c.Then != nil {
			then := look(*c.Then)
			card.ThenLook, v.Asked = &then, fieldTime(c.Then.At)
		}
		v.Cards = append(v.Cards, card)
		_ = pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: c.DER}) // into memory
	}
	if all.Len() <= verify.MaxCertificateFile { // else it could not be sent again
		v.PEM = all.String()
	}
	return v
}

// fieldTime is a moment of a report for a field of date and time, in the time of China.
func fieldTime(stamp string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return ""
	}
	return t.In(civil.China).Format(MinuteField)
}

// grouped puts a space behind every eight digits, so that two fingerprints can be compared by eye.
func grouped(digits string) string {
	var b strings.Builder
	for i := 0; i < len(digits); i += 8 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(digits[i:min(i+8, len(digits))])
	}
	return b.String()
}
